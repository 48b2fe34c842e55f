"""Orders for the measurements: placed over REST, watched by the phones of their customers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from simulations.customer import order_body
from simulations.people import DoorShut
from simulations.realtime.courier import PATIENCE_S, CourierPhone
from simulations.realtime.phone import Phone
from simulations.realtime.site import Site
from simulations.rest import Account
from simulations.views import Frame

if TYPE_CHECKING:
    from simulations.day import DayOrder

_OF_ONE_CUSTOMER: Final = 50
_AT_ONCE: Final = 16
_LOOK_MS: Final = 200
_ASSIGNED_PATIENCE_S: Final = 180.0
STEPS: Final = ("reached_shop", "picked_up", "reached_door", "delivered")
Shown = Callable[[str], None]


class _Pin(msgspec.Struct, frozen=True):
    """All that need be known of an order's state: what the courier has to say at the door."""

    pin: str = ""


class Customers:
    """Place orders, and hear of them: `shown` is told the order whose state has changed.

    `talked` hears what is said about those whose conversation is listened to.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._wanted: Iterator[DayOrder] = site.city.orders(
            site.clock.now(), per_hour=1.0, at_once=10**9, run=site.new_id()
        )
        self._known: list[tuple[Account, Phone]] = []
        self._arriving = asyncio.Lock()
        self._placed = 0
        self._listening: dict[str, asyncio.Event] = {}
        self._phone_of: dict[str, Phone] = {}
        self.shown: Shown = lambda _: None
        self.talked: Callable[[Frame], None] = lambda _: None
        self.pins: dict[str, str] = {}

    async def place_many(self, count: int) -> None:
        """Place so many, a few at once."""
        bar = self._site.progress.add_task(f"{count} orders", total=count)
        left = iter(range(count))

        async def work_off() -> None:
            for _ in left:
                await self.place()
                self._site.progress.advance(bar)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(work_off())
        self._site.progress.remove_task(bar)

    @asynccontextmanager
    async def ordering(self) -> AsyncIterator[None]:
        """Place a few orders every second until the block ends."""
        task = asyncio.create_task(self._order())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _order(self) -> None:
        while True:
            await self.place()
            await self._site.clock.sleep(1000 / self._site.sizes.orders_per_s)

    async def place(self) -> str:
        """Place one and subscribe to it; its id."""
        account, phone = await self._customer()
        wanted = next(self._wanted)
        places = {
            name: {"lat": one.point.lat, "lng": one.point.lng}
            for name, one in (("shop", wanted.shop), ("door", wanted.door))
        }
        quoted = await account.request(
            "POST", "/v1/quotes", {**places, "preparation_s": 0}, key=self._site.new_id()
        )
        if quoted.refused:
            raise DoorShut(f"a quote was refused: {quoted.refused}")
        body = order_body(wanted, str(quoted.body["quote_id"]))
        told = await account.request("POST", "/v1/orders", body, key=self._site.new_id())
        if told.refused:
            raise DoorShut(f"an order was refused: {told.refused}")
        order_id = str(told.body["order_id"])
        phone.say(msgspec.json.encode({"type": "subscribe", "channel": f"order:{order_id}"}))
        self._phone_of[order_id] = phone
        return order_id

    async def converse(self, order_id: str) -> None:
        """Listen to what is said about an order; returns when its customer's phone does."""
        channel = f"conversation:{order_id}"
        listening = self._listening[channel] = asyncio.Event()
        frame = {"type": "subscribe", "channel": channel}
        self._phone_of[order_id].say(msgspec.json.encode(frame))
        async with asyncio.timeout(PATIENCE_S):
            await listening.wait()

    async def place_and_cancel(self) -> str:
        """An order that has ended; its id."""
        order_id = await self.place()
        account, _ = self._known[-1]
        told = await account.request(
            "POST",
            f"/v1/orders/{order_id}/cancel",
            {"reason": "changed_mind"},
            key=self._site.new_id(),
        )
        if told.refused:
            raise DoorShut(f"an order could not be cancelled: {told.refused}")
        return order_id

    async def _customer(self) -> tuple[Account, Phone]:
        """Somebody with room for one more order."""
        async with self._arriving:
            if self._placed % _OF_ONE_CUSTOMER == 0:
                account = self._site.account("customer")
                phone = await self._site.listener(
                    "customer", f"orders:{account.user_id}", self._hear, token=account.token
                )
                self._known.append((account, phone))
            self._placed += 1
            return self._known[-1]

    def _hear(self, frame: Frame) -> None:
        kind, _, order_id = frame.channel.partition(":")
        if kind == "conversation":
            self._listening[frame.channel].set()
            self.talked(frame)
        if kind != "order" or frame.kind not in {"", "state"}:
            return
        if frame.type in {"snapshot", "update"}:
            self.pins[order_id] = msgspec.json.decode(frame.body, type=_Pin).pin
        if frame.type == "update":
            self.shown(order_id)


class Errand(NamedTuple):
    """A report that a courier has to make of an order."""

    courier: CourierPhone
    order_id: str
    number: int

    @property
    def step(self) -> str:
        """What he reports."""
        return STEPS[self.number]

    @property
    def is_last(self) -> bool:
        """Whether the gift is handed over then, which takes its PIN."""
        return self.number == len(STEPS) - 1


class Errands:
    """What couriers who carry an order have still to report, one report of an order at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._begun: set[str] = set()
        self._ready: deque[Errand] = deque()

    async def gather(self, count: int) -> None:
        """Wait until so many reports can be made; raises DoorShut when they do not come."""
        bar = self._site.progress.add_task("orders are assigned", total=count)
        ends_at = perf_counter() + _ASSIGNED_PATIENCE_S
        while (known := self._look()) < count:
            self._site.progress.update(bar, completed=known)
            if perf_counter() > ends_at:
                raise DoorShut(
                    f"only {known} of {count} reports can be made, since too few orders are "
                    "assigned: take more couriers, or fewer or shorter runs"
                )
            await self._site.clock.sleep(_LOOK_MS)
        self._site.progress.remove_task(bar)

    def _look(self) -> int:
        for courier in self._site.couriers:
            for order in courier.work.orders if courier.work else ():
                if order.order_id not in self._begun:
                    self._begun.add(order.order_id)
                    self._ready.append(Errand(courier, order.order_id, 0))
        return sum(len(STEPS) - one.number for one in self._ready)

    def take(self) -> Errand | None:
        """The next report; orders take turns."""
        if not self._ready:
            return None
        errand = self._ready.popleft()
        if not errand.is_last:
            self._ready.append(errand._replace(number=errand.number + 1))
        return errand
