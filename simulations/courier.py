"""A simulated courier: he works his shift, answers offers, drives, waits, and reports each step.

His own timeline is computed, not measured: a leg starts when he is free and has been told of it,
and takes what the world says. However late the process runs, the times that he reports are exact.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from simulations.diary import CourierPage
from simulations.knowledge import Knowledge
from simulations.leg import Leg, between
from simulations.people import CourierDoor, Temper, World, newer_within, until, until_or
from simulations.views import OfferShown, StopShown

# How long after his shift a courier may still be on his way before his day is given up.
_OVERTIME_MS = 6 * HOUR_MS
_DOING = {
    "pickup": ("to_shop", "at_shop"),
    "dropoff": ("to_door", "at_door"),
    "wait": ("to_wait", "idle"),
}
_RETURNING = ("to_shop", "at_shop")
# Not the courier's fault: the world moved on while he was on his way.
_MOVED_ON = frozenset({"not_your_order"})


class CourierProgram:
    """One courier from the start of his shift to its end."""

    def __init__(
        self, page: CourierPage, *, door: CourierDoor, world: World, temper: Temper
    ) -> None:
        self._page, self._plan = page, page.plan
        self._door, self._world, self._temper = door, world, temper
        self._clock = world.clock
        self._here = page.plan.start
        self._free_at: Instant = page.plan.on_at
        self._knows = Knowledge(door.work, world.clock)
        self._answered: set[str] = set()
        self._asked: Counter[tuple[str, ...]] = Counter()
        self._leaving = False
        self._off = False

    async def run(self) -> None:
        """Work the shift, and finish the route that is left at its end."""
        announced_at = self._plan.announced_at
        appears_at = self._plan.on_at if announced_at is None else announced_at
        await until_or(self._clock, appears_at, self._world.closing)
        if self._world.closing.is_set() or self._is_over():
            return
        self._page.courier_id = await self._door.open()
        try:
            if await self._go_on():
                async with asyncio.TaskGroup() as group:
                    doing = [
                        group.create_task(self._keep_informed()),
                        group.create_task(self._answer_offers()),
                        group.create_task(self._carry()),
                    ]
                    await self._shift_over()
                    await self._go_off()
                    await self._finish_route(doing)
        finally:
            await self._door.close()
            self._page.off_at = max(self._free_at, self._clock.now())
            self._page.doing = "off"

    def _is_over(self) -> bool:
        return self._plan.off_at is not None and self._plan.off_at <= self._clock.now()

    async def _go_on(self) -> bool:
        plan = self._plan
        shift = {} if plan.off_at is None else {"shift_ends_at": plan.off_at}
        if plan.on_at > self._clock.now():
            shift["shift_begins_at"] = plan.on_at
        told = await self._door.tell(
            "duty",
            duty="on",
            zone_id=self._world.zone_of(self._here),
            name=plan.name,
            vehicle=plan.vehicle.value,
            capacity_units=plan.capacity_units,
            lat=self._here.lat,
            lng=self._here.lng,
            **shift,
        )
        if told.refused:
            # A phone that needed the whole shift to get through finds it over.
            if not (told.refused == "shift_over" and self._is_over()):
                self._fault(f"going on duty: {told.refused}")
            return False
        await until_or(self._clock, plan.on_at, self._world.closing)
        self._page.on_at = self._clock.now()
        self._page.doing = "idle"
        await self._door.position(self._here, self._clock.now())
        return True

    async def _shift_over(self) -> None:
        if self._plan.off_at is None:
            await self._world.closing.wait()
        else:
            await until_or(self._clock, self._plan.off_at, self._world.closing)

    async def _go_off(self) -> None:
        self._leaving = True
        told = await self._door.tell("duty", duty="off")
        if told.refused:
            self._fault(f"going off duty: {told.refused}")
        self._off = told.body.get("duty") == "off"
        self._door.work.nudge()

    async def _finish_route(self, doing: list[asyncio.Task[None]]) -> None:
        """Work until he has left; who cannot leave goes home in the end, and that is a fault."""
        patience_s = _OVERTIME_MS / SECOND_MS / self._clock.speed
        _, unfinished = await asyncio.wait(doing, timeout=patience_s)
        for task in unfinished:
            task.cancel()
        if unfinished:
            self._fault("the route was not finished in time after the shift")

    def _has_left(self) -> bool:
        work = self._door.work.value
        return self._off or (self._leaving and work is not None and work.duty == "off")

    async def _keep_informed(self) -> None:
        """Read every work view when it comes, wherever he is: that is when he is told."""
        work = self._door.work
        while not self._has_left():
            number = work.number
            self._knows.read()
            await work.after(number)

    async def _answer_offers(self) -> None:
        work = self._door.work
        while not self._has_left():
            number = work.number
            offer = work.value.offer if work.value else None
            if offer is None or offer.offer_id in self._answered:
                await work.after(number)
            else:
                self._answered.add(offer.offer_id)
                self._knows.learn(offer.orders)
                self._page.offers += 1
                await asyncio.gather(
                    self._door.tell("acknowledge", offer_id=offer.offer_id), self._answer(offer)
                )

    async def _answer(self, offer: OfferShown) -> None:
        temper = self._temper_about(offer)
        if temper.happens(temper.behaviour.ignore):
            self._page.note("expired", self._clock.now())
            return
        await self._clock.sleep(temper.thinking_ms())
        if reason := self._objection(offer, temper):
            await self._door.tell("decline", offer_id=offer.offer_id, reason=reason)
            self._page.note("declined", self._clock.now())
            return
        told = await self._door.tell("accept", offer_id=offer.offer_id)
        match told.refused:
            case "":
                self._page.note("accepted", self._clock.now())
                self._knows.tell(offer.order_ids)
            case "offer_expired":
                self._page.note("expired", self._clock.now())
            case "offer_closed":
                self._page.note("withdrawn", self._clock.now())
            case refused:
                self._fault(f"accepting an offer: {refused}")

    def _temper_about(self, offer: OfferShown) -> Temper:
        """He before this offer, and each time that he is asked the same another."""
        keys = tuple(sorted(self._knows.key(one) for one in offer.order_ids))
        self._asked[keys] += 1
        return self._temper.about(keys, self._asked[keys])

    def _objection(self, offer: OfferShown, temper: Temper) -> str:
        """Why he does not take it; empty when he does."""
        ahead = self._legs((*self._knows.open_stops(), *offer.stops))[-len(offer.stops) :]
        first, last = ahead[0], ahead[-1]
        trip_min = max(1.0, (last.free_at - first.left_at) / MINUTE_MS)
        pay = sum(self._world.pay_halalas(one.shop.point, one.door.point) for one in offer.orders)
        if temper.refuses(
            approach_min=(first.arrived_at - first.left_at) / MINUTE_MS,
            halalas_per_min=pay / trip_min,
        ):
            return "not_now"
        ends_at = self._plan.off_at
        if ends_at is None:
            return ""
        pickups = [leg for leg in ahead if leg.stop.kind == "pickup"]
        spare_ms = temper.behaviour.shift_spare_ms
        if all(leg.handed_over_at + spare_ms <= ends_at for leg in pickups):
            return ""
        return "shift_ends"

    async def _carry(self) -> None:
        work, idle_ms = self._door.work, self._temper.behaviour.idle_position_ms
        while not self._has_left():
            number = work.number
            stops = self._knows.open_stops()
            if stops:
                await self._serve(stops[0])
                continue
            self._page.doing = "idle"
            if not await newer_within(self._clock, work, number, idle_ms):
                await self._door.position(self._here, self._clock.now())

    async def _serve(self, stop: StopShown) -> None:
        (leg,) = self._legs((stop,))
        ends_at = self._plan.off_at
        if stop.kind == "pickup" and ends_at is not None and leg.handed_over_at > ends_at:
            await self._give_back(stop)
            return
        on_the_way, there = _DOING.get(stop.kind, _RETURNING)
        self._page.doing = on_the_way
        if not await self._drive(leg):
            return
        self._page.doing = there
        match stop.kind:
            case "pickup":
                await self._pick_up(leg)
            case "dropoff":
                await self._hand_over(leg)
            case "wait":
                await self._door.tell("reached_waiting_point", device_at=leg.arrived_at)
                self._note_wait(leg)
            case _:
                await self._bring_back(leg)

    async def _give_back(self, stop: StopShown) -> None:
        for order_id in stop.orders:
            told = await self._door.give_back(order_id, "shift_ends")
            if told.refused and told.refused not in _MOVED_ON:
                self._fault(f"giving an order back: {told.refused}")
            self._knows.is_gone(order_id)

    async def _drive(self, leg: Leg) -> bool:
        """Drive to the stop; whether he got there, for he stops where he is when it is gone."""
        origin, to, way_ms = self._here, leg.stop.point, leg.arrived_at - leg.left_at
        every_ms = self._temper.behaviour.position_every_ms
        while (now := self._clock.now()) < leg.arrived_at:
            await self._clock.sleep(min(every_ms, leg.arrived_at - now))
            now = self._clock.now()
            # He may have to wait where he is before he can leave, and go nowhere then.
            way = min(1.0, max(0.0, (now - leg.left_at) / max(1, way_ms)))
            point = between(origin, to, way)
            await self._door.position(point, now)
            if way < 1 and leg.stop.kind != "wait" and not self._knows.is_wanted(leg.stop):
                self._here, self._free_at = point, max(now, leg.left_at)
                return False
        self._here, self._free_at = to, leg.arrived_at
        return True

    async def _pick_up(self, leg: Leg) -> None:
        """Take what his route shows when all of it is there, and what still comes to it by then."""
        half_ms = leg.free_at - leg.handed_over_at
        at, got, met = leg.arrived_at + half_ms, list[str](), set[str]()
        while stop := self._knows.same_pickup(leg.stop):
            # What he was to fetch may go, and the next trip begin where he stands: he says so anew.
            if met.isdisjoint(stop.orders):
                if await self._report(stop.orders[0], "reached_shop", leg.arrived_at):
                    met.update(stop.orders)
                continue
            met.update(stop.orders)
            at = max(at, *(self._knows.told_at(one) for one in stop.orders))
            if await self._stays(stop, until=max(at, self._ready_at(stop))):
                at = max(at, self._ready_at(stop))
                got += await self._take(stop, at)
            else:
                at = max(at, self._clock.now())
        self._note_pick_up(replace(leg, handed_over_at=at, free_at=at + half_ms), got)

    async def _take(self, stop: StopShown, at: Instant) -> list[str]:
        got = [one for one in stop.orders if await self._report(one, "picked_up", at)]
        self._knows.is_done(stop.kind, got)
        return got

    async def _stays(self, stop: StopShown, *, until: Instant) -> bool:
        """Wait in the shop; whether he is to take the same orders all the while."""
        work = self._door.work
        while (left := until - self._clock.now()) > 0:
            number = work.number
            if self._orders_at(stop) != stop.orders:
                return False
            await newer_within(self._clock, work, number, left)
        return self._orders_at(stop) == stop.orders

    def _orders_at(self, stop: StopShown) -> tuple[str, ...]:
        now = self._knows.same_pickup(stop)
        return now.orders if now else ()

    def _note_pick_up(self, leg: Leg, order_ids: list[str]) -> None:
        """Note the way by itself if nothing that he was sent for was left when he came."""
        if not order_ids:
            self._free_at = max(leg.arrived_at, self._clock.now())
        if leg.left_at < min((self._knows.told_at(one) for one in order_ids), default=leg.free_at):
            self._note_way(leg, "move")
            leg = replace(leg, left_at=leg.arrived_at)
        self._finish(leg, order_ids)

    def _note_wait(self, leg: Leg) -> None:
        self._knows.is_done(leg.stop.kind, leg.stop.orders)
        self._note_way(leg, "wait")
        self._free_at = leg.free_at

    def _note_way(self, leg: Leg, kind: str) -> None:
        """A way by itself, without any order."""
        way = replace(leg, handed_over_at=leg.arrived_at, free_at=leg.arrived_at)
        self._page.visits.append(way.visit(kind, (), told_at=(leg.told_at,)))

    async def _hand_over(self, leg: Leg) -> None:
        (order_id,) = leg.stop.orders
        if not await self._report(order_id, "reached_door", leg.arrived_at):
            return
        await until(self._clock, leg.handed_over_at)
        at = leg.handed_over_at
        temper = self._temper.at_door(self._knows.key(order_id))
        if temper.happens(temper.behaviour.nobody_home):
            await self._report(order_id, "attempt_failed", at, reason="nobody_home")
            if not temper.happens(temper.behaviour.tries_again):
                await self._report(order_id, "return_started", at)
                self._finish(leg, [order_id], kind="attempt")
                return
            leg = leg.tried_again()
            at = leg.handed_over_at
            await until(self._clock, at)
            await self._report(order_id, "reached_door", at)
        if await self._report(order_id, "delivered", at, pin=await self._ask_pin(order_id)):
            self._finish(leg, [order_id])

    async def _bring_back(self, leg: Leg) -> None:
        (order_id,) = leg.stop.orders
        await until(self._clock, leg.handed_over_at)
        await self._report(order_id, "returned", leg.handed_over_at)
        self._finish(leg, [order_id])

    async def _report(self, order_id: str, step: str, at: Instant, **more: str) -> bool:
        """Report a step; an order that he is refused is no longer his."""
        told = await self._door.tell("progress", order_id=order_id, step=step, device_at=at, **more)
        if not told.refused:
            return True
        if told.refused in _MOVED_ON:
            self._knows.is_missing(order_id)
        else:
            self._knows.is_gone(order_id)
            self._fault(f"{step} of {self._knows.key(order_id)}: {told.refused}")
        return False

    async def _ask_pin(self, order_id: str) -> str:
        """The recipient knows it as soon as the customer does."""
        page = self._world.diary.find(self._knows.key(order_id))
        while page is not None and not page.pin:
            await self._clock.sleep(1000)
        return page.pin if page else ""

    def _finish(self, leg: Leg, order_ids: list[str], *, kind: str = "") -> None:
        if not order_ids:
            return
        self._knows.is_done(leg.stop.kind, order_ids)
        self._free_at = leg.free_at
        keys = tuple(self._knows.key(one) for one in order_ids)
        told_at = tuple(self._knows.told_at(one) for one in order_ids)
        self._page.visits.append(leg.visit(kind or leg.stop.kind, keys, told_at=told_at))

    def _legs(self, stops: Iterable[StopShown]) -> list[Leg]:
        """When he is where, if he does these stops one after the other from where he is now."""
        world, here, free_at = self._world, self._here, self._free_at
        legs = []
        for stop in stops:
            told_at = min(self._knows.told_at(one) for one in stop.orders)
            left_at = max(free_at, told_at)
            vehicle = self._plan.vehicle
            arrived_at = left_at + world.ways.travel_ms(
                here, stop.point, vehicle=vehicle, at=left_at
            )
            half_ms = self._service_ms(stop) // 2
            handed_over_at = max(arrived_at + half_ms, self._ready_at(stop))
            here, free_at = stop.point, handed_over_at + half_ms
            legs.append(Leg(stop, told_at, left_at, arrived_at, handed_over_at, free_at))
        return legs

    def _service_ms(self, stop: StopShown) -> int:
        if stop.kind == "wait":
            return 0
        at_door = stop.kind == "dropoff"
        return self._world.door_service_ms if at_door else self._world.shop_service_ms

    def _ready_at(self, stop: StopShown) -> Instant:
        """When the shop really hands over; what the service believes is only its estimate."""
        if stop.kind != "pickup":
            return 0
        pages = [self._world.diary.find(self._knows.key(one)) for one in stop.orders]
        return max(page.wanted.ready_at if page else stop.ready_at for page in pages)

    def _fault(self, what: str) -> None:
        self._world.diary.faults.append(f"{self._plan.name}: {what}")
