"""A service that one courier talks to, as small as can be: it answers when chance says."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec.structs import replace

from actors.clock import Clock
from engine.kernel.place import Point
from engine.kernel.timing import Instant
from simulations.people import Newest
from simulations.views import (
    CarriedShown,
    OfferShown,
    PlaceShown,
    StopShown,
    Told,
    WorkShown,
)


class Trip(NamedTuple):
    """What is offered when: the orders' keys, all from one shop, each to its door."""

    at: Instant
    keys: tuple[str, ...]
    shop: Point
    doors: tuple[Point, ...]
    ready_at: Instant


class Revision(NamedTuple):
    """When the courier's first trip is revised, and what it is then."""

    at: Instant
    trip: Trip


class Wait(NamedTuple):
    """When he is sent where to wait, and when he should be there."""

    at: Instant
    point: Point
    arrives_at: Instant


class Report(NamedTuple):
    """A report of progress that was carried out."""

    key: str
    step: str
    device_at: Instant
    pin: str


@dataclass
class ScriptedDoor:
    """Satisfies CourierDoor. Views come late and may be overtaken; commands and their answers take
    as long as an outage would have them take."""

    clock: Clock
    chance: random.Random
    slowness_ms: int
    trips: tuple[Trip, ...]
    withdrawn: frozenset[str] = frozenset()
    cancelled_at: Instant | None = None
    revisions: tuple[Revision, ...] = ()
    waits: tuple[Wait, ...] = ()
    refused_step: str = ""
    reports: list[Report] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    positions: list[tuple[Point, Instant]] = field(default_factory=list)
    work: Newest[WorkShown] = field(default_factory=Newest)

    def __post_init__(self) -> None:
        self._truth = WorkShown(courier_id="me", version=0, duty="off")
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self) -> str:
        for trip in self.trips:
            self._later(self._offer(trip))
        for revision in self.revisions:
            self._later(self._revise(revision))
        for wait in self.waits:
            self._later(self._send_to_wait(wait))
        if self.cancelled_at is not None:
            self._later(self._cancel(self.cancelled_at))
        return "me"

    async def close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()

    async def tell(self, kind: str, **fields: Any) -> Told:
        assert not self._closed
        await self._wait()
        told = getattr(self, f"_{kind}")(**fields)
        assert isinstance(told, Told)
        self.told.append((kind, fields))
        await self._wait()
        return told

    async def give_back(self, order_id: str, reason: str) -> Told:
        self.told.append(("give_back", {"order_id": order_id, "reason": reason}))
        self._drop(order_id)
        return Told()

    async def position(self, point: Point, at: Instant) -> None:
        self.positions.append((point, at))

    async def _wait(self) -> None:
        await self.clock.sleep(self.chance.randint(0, self.slowness_ms))

    def _later(self, doing: Any) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)

    def _change(self, **fields: Any) -> None:
        self._truth = replace(self._truth, version=self._truth.version + 1, **fields)
        self._later(self._show(self._truth))

    async def _show(self, work: WorkShown) -> None:
        await self._wait()
        seen = self.work.value
        if seen is None or work.version >= seen.version:
            self.work.put(work)

    async def _offer(self, trip: Trip) -> None:
        await self.clock.sleep(trip.at - self.clock.now())
        while self._truth.duty != "on" or self._truth.offer is not None:
            await self.clock.sleep(1000)
        self._change(offer=_offer_of(trip))

    async def _cancel(self, at: Instant) -> None:
        await self.clock.sleep(at - self.clock.now())
        self._change(route=())

    async def _revise(self, revision: Revision) -> None:
        await self.clock.sleep(revision.at - self.clock.now())
        offer = _offer_of(revision.trip)
        known = {one.order_id for one in self._truth.orders}
        new = tuple(one for one in offer.orders if one.order_id not in known)
        self._change(route=offer.stops, orders=(*self._truth.orders, *new))

    def _duty(self, *, duty: str, **_: Any) -> Told:
        ends = duty == "off" and bool(self._truth.route)
        self._change(duty="ending" if ends else duty)
        return Told(body={"duty": self._truth.duty})

    async def _send_to_wait(self, wait: Wait) -> None:
        await self.clock.sleep(wait.at - self.clock.now())
        stop = StopShown(
            kind="wait", lat=wait.point.lat, lng=wait.point.lng, orders=(), ready_at=wait.arrives_at
        )
        self._change(route=(stop,))
        await self.clock.sleep(wait.arrives_at - self.clock.now())
        self._reached_waiting_point()

    def _reached_waiting_point(self, **_: Any) -> Told:
        self._change(route=tuple(one for one in self._truth.route if one.kind != "wait"))
        return Told()

    def _acknowledge(self, **_: Any) -> Told:
        return Told()

    def _accept(self, *, offer_id: str) -> Told:
        offer = self._truth.offer
        assert offer is not None
        assert offer.offer_id == offer_id
        kept = tuple(one for one in offer.orders if one.shop.notes not in self.withdrawn)
        ids = {one.order_id for one in kept}
        self._change(
            offer=None,
            orders=(*self._truth.orders, *kept),
            route=(*self._truth.route, *_without(offer.stops, ids)),
        )
        return Told()

    def _decline(self, **_: Any) -> Told:
        self._change(offer=None)
        return Told()

    def _progress(self, *, order_id: str, step: str, device_at: Instant, pin: str = "") -> Told:
        if all(order_id not in stop.orders for stop in self._truth.route):
            return Told(refused="not_your_order")
        if step == self.refused_step:
            return Told(refused="stale_version")
        order = next(one for one in self._truth.orders if one.order_id == order_id)
        self.reports.append(Report(order.shop.notes, step, device_at, pin))
        assert device_at <= self.clock.now(), "nobody reports the future"
        if step == "picked_up":
            self._leave(order_id, "pickup")
        if step == "delivered":
            self._leave(order_id, "dropoff")
        return Told(body={"order_id": order_id})

    def _leave(self, order_id: str, kind: str) -> None:
        route = []
        for stop in self._truth.route:
            orders = tuple(one for one in stop.orders if stop.kind != kind or one != order_id)
            if orders or stop.kind == "wait":
                route.append(replace(stop, orders=orders))
        ended = self._truth.duty == "ending" and not route
        self._change(route=tuple(route), duty="off" if ended else self._truth.duty)

    def _drop(self, order_id: str) -> None:
        self._leave(order_id, "pickup")
        self._leave(order_id, "dropoff")


def _without(stops: tuple[StopShown, ...], ids: set[str]) -> tuple[StopShown, ...]:
    left = (replace(s, orders=tuple(one for one in s.orders if one in ids)) for s in stops)
    return tuple(stop for stop in left if stop.orders)


def _offer_of(trip: Trip) -> OfferShown:
    ids = tuple(f"id-{key}" for key in trip.keys)
    orders = tuple(
        CarriedShown(
            order_id=order_id,
            status="offered",
            shop=PlaceShown(lat=trip.shop.lat, lng=trip.shop.lng, notes=key),
            door=PlaceShown(lat=door.lat, lng=door.lng),
            ready_at=trip.ready_at,
        )
        for order_id, key, door in zip(ids, trip.keys, trip.doors, strict=True)
    )
    pickup = StopShown(
        kind="pickup", lat=trip.shop.lat, lng=trip.shop.lng, orders=ids, ready_at=trip.ready_at
    )
    dropoffs = (
        StopShown(kind="dropoff", lat=door.lat, lng=door.lng, orders=(order_id,))
        for order_id, door in zip(ids, trip.doors, strict=True)
    )
    return OfferShown(
        offer_id=f"offer-{'-'.join(trip.keys)}",
        order_ids=ids,
        stops=(pickup, *dropoffs),
        orders=orders,
        expires_at=trip.at + 10**9,
    )
