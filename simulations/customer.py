"""A simulated customer: he asks for a quote, orders, and watches his orders to their end."""

import asyncio
from typing import Any

from msgspec import to_builtins

from actors.chance import Chance, new_id
from engine.kernel.place import Place
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.messages import WINDOW_FULL, ZONE_FULL
from engine.orders.order import Gift, Recipient
from simulations.day import DayOrder
from simulations.diary import ENDS, OrderPage
from simulations.people import CustomerDoor, Temper, World, until_or
from simulations.views import OrderShown

_QUOTES_MAX = 20
_FULL = frozenset({ZONE_FULL.code, WINDOW_FULL.code})


class CustomerProgram:
    """One customer with any number of orders."""

    def __init__(
        self, *, door: CustomerDoor, world: World, chance: Chance, temper: Temper | None = None
    ) -> None:
        self._door, self._world, self._chance, self._temper = door, world, chance, temper
        self._clock = world.clock

    async def open(self) -> None:
        """Take the phone in hand."""
        await self._door.open()

    async def close(self) -> None:
        """Put it away."""
        await self._door.close()

    async def order(self, wanted: DayOrder) -> None:
        """Order this gift now, and watch it to its end."""
        page = self._world.diary.order(wanted)
        if await self._place(page):
            await self._watch(page)

    async def adopt(self) -> list[OrderPage]:
        """The open orders of an earlier run, so that their recipients know the PIN again."""
        pages = []
        for shown in await self._door.list_orders():
            if shown.status in ENDS:
                continue
            page = self._world.diary.order(_wanted_before(shown))
            page.order_id, page.is_adopted = shown.order_id, True
            self._hear(page, shown)
            pages.append(page)
        return pages

    async def watch(self, page: OrderPage) -> None:
        """Watch an adopted order to its end."""
        await self._watch(page)

    async def withdraw(self, page: OrderPage) -> None:
        """Cancel what nobody delivered."""
        told = await self._door.cancel(
            page.order_id, new_id(self._clock, self._chance), "undeliverable"
        )
        page.withdrawn = not told.refused

    async def _place(self, page: OrderPage) -> bool:
        wanted = page.wanted
        for _ in range(_QUOTES_MAX):
            ready_at = wanted.expected_ready_at or wanted.ready_at
            preparation_ms = max(0, ready_at - self._clock.now())
            quoted = await self._door.quote(
                wanted.shop.point, wanted.door.point, -(-preparation_ms // SECOND_MS)
            )
            if quoted.refused:
                return self._refused(page, f"quote: {quoted.refused}")
            order = order_body(wanted, str(quoted.body["quote_id"]))
            told = await self._door.place(new_id(self._clock, self._chance), order)
            if not told.refused:
                page.order_id = str(told.body["order_id"])
                return True
            if told.refused in _FULL:
                page.refused, page.turned_away = told.refused, True
                return False
            if told.refused != "quote_expired":
                return self._refused(page, f"order: {told.refused}")
        return self._refused(page, "every quote expired before it was used")

    async def _watch(self, page: OrderPage) -> None:
        ended = asyncio.Event()

        def shown(view: OrderShown) -> None:
            self._hear(page, view)
            if page.has_ended:
                ended.set()

        await self._door.watch(page.order_id, shown)
        if self._temper is not None and (patience_min := self._temper.behaviour.patience_min):
            patience_ms = self._temper.chance.expovariate(1 / patience_min) * MINUTE_MS
            await self._change_mind(page, ended, self._clock.now() + int(patience_ms))
        await ended.wait()
        await self._door.unwatch(page.order_id)

    async def _change_mind(self, page: OrderPage, ended: asyncio.Event, at: Instant) -> None:
        """Cancel at this instant what has not ended by then, if it is not too late."""
        await until_or(self._clock, at, ended)
        if not ended.is_set():
            key = new_id(self._clock, self._chance)
            told = await self._door.cancel(page.order_id, key, "changed_mind")
            page.changed_mind = not told.refused

    def _hear(self, page: OrderPage, view: OrderShown) -> None:
        page.pin, page.due_at = view.pin, view.due_at
        page.hear(view.version, view.status, self._clock.now())

    def _refused(self, page: OrderPage, what: str) -> bool:
        page.refused = what
        self._world.diary.faults.append(f"order {page.wanted.key}: {what}")
        return False


def order_body(wanted: DayOrder, quote_id: str) -> dict[str, Any]:
    """What is sent to place an order."""
    return {
        "quote_id": quote_id,
        "gift": to_builtins(wanted.gift),
        "recipient": to_builtins(wanted.recipient),
        "shop": _place_body(wanted.shop),
        "door": _place_body(wanted.door),
    }


def _place_body(place: Place) -> dict[str, Any]:
    return {
        "lat": place.point.lat,
        "lng": place.point.lng,
        "name": place.name,
        "address": place.address,
        "notes": place.notes,
    }


def _wanted_before(shown: OrderShown) -> DayOrder:
    return DayOrder(
        key=shown.shop.notes,
        placed_at=shown.placed_at,
        ready_at=shown.ready_at,
        shop=Place(point=shown.shop.point, name=shown.shop.name, notes=shown.shop.notes),
        door=Place(point=shown.door.point, name=shown.door.name),
        gift=Gift(description="ordered before"),
        recipient=Recipient(name="somebody"),
    )
