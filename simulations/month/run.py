"""A month of a busy city: its days are lived by everybody, its nights by those who keep books."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from actors.garbage import seldom_collecting
from engine.kernel.ids import CourierId, UserId, ZoneId, derived_id
from engine.kernel.timing import DAY_MS, HOUR_MS, Instant
from engine.money.periods import Closing, Turnover, VatReturn, closable, period_of, span
from simulations import stage
from simulations.day import Day, ZonePlan
from simulations.diary import Diary
from simulations.door_bus import Lobby
from simulations.month.customers import PayingDoor
from simulations.month.desk import OPERATOR, Desk
from simulations.month.explained import Books, Line, audited, declared, explain, read, vat_line
from simulations.month.nights import Night, Nights
from simulations.month.office import Office
from simulations.month.together import Together
from simulations.people import LIVELY
from simulations.simulate import a_day, pace_of
from simulations.surprises import surprising
from simulations.virtual import VirtualLoop, run_virtually

# The last of April 2026, four in the afternoon in Riyadh: of a month of thirty days.
LAST: Final[Instant] = 1_777_554_000_000
MONTH: Final = "2026-04"
_SEEDS_APART: Final = 1_000
_CITY: Final = "riyadh"
_CASH_MAX: Final = 80_000
# As many change their mind as would in a city where that is free for long, and many are out.
_LIVELY: Final = replace(LIVELY, nobody_home=0.05, tries_again=0.5, patience_min=400.0)


class Plan(Struct, frozen=True, kw_only=True):
    """How many days until the last of the month, how busy, and by which chance."""

    days: int = 30
    couriers: int = 40
    orders_per_hour: float = 40.0
    hours: float = 4.0
    seed: int = 1


class Month(Struct, frozen=True, kw_only=True):
    """What a month came to. `faults` is what people were refused that they should not have been."""

    plan: Plan
    orders: int
    done: dict[str, int]
    transfers: dict[str, int]
    payments: dict[str, int]
    payouts: dict[str, int]
    documents: dict[str, int]
    nights: tuple[Night, ...]
    closing: Closing
    trial_balance: tuple[Turnover, ...]
    vat: VatReturn
    lines: tuple[Line, ...]
    faults: tuple[str, ...]
    books: Books

    @property
    def unexplained_halalas(self) -> int:
        """What nobody can explain."""
        return sum(one.unexplained_halalas for one in self.lines)


def live(plan: Plan, folder: Path, *, on_day: Callable[[int], None] = lambda _: None) -> Month:
    """Live it; settlement files go into the folder, and `on_day` hears of each day that is over."""

    async def main(loop: VirtualLoop) -> Month:
        return await _Life(loop, plan, folder).live(on_day)

    with seldom_collecting():
        return run_virtually(main)


class _Life:
    def __init__(self, loop: VirtualLoop, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._first = LAST - (plan.days - 1) * DAY_MS
        self._stage = stage.build(loop, starts_at=self._first - 6 * HOUR_MS, seed=plan.seed)
        self._office = Office(self._stage, seed=plan.seed)
        self._desk = Desk(self._office, seed=plan.seed)
        self._nights = Nights(self._office, folder)
        self._orders: list[str] = []
        self._faults: list[str] = []
        self._couriers: dict[CourierId, None] = {}

    async def live(self, on_day: Callable[[int], None]) -> Month:
        built = self._stage
        lobby = Lobby(bus=built.bus, store=built.store, live=built.live, clock=built.clock)
        reading = asyncio.create_task(lobby.run())
        try:
            plans = map(_with_cash, self._day(0).zones)
            zones = [await stage.open_zone(lobby, built.chance, one) for one in plans]
            customers = (derived_id("simulated customer", str(one)) for one in range(20))
            couriers = [_courier_id(one.key) for one in self._day(0).couriers]
            self._couriers = dict.fromkeys(couriers)
            await self._desk.open_books(map(UserId, customers), couriers)
            for number in range(self._plan.days):
                await self._live_day(lobby, zones, number)
                on_day(number + 1)
            return await self._close()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await built.cells.close()

    async def _live_day(self, lobby: Lobby, zones: list[ZoneId], number: int) -> None:
        day, diary = self._day(number), Diary()
        town = stage.inhabit(
            lobby,
            surprising(day, _LIVELY, seed=self._plan.seed + number, pace=pace_of(_CITY)),
            diary,
            zones,
            seed=self._plan.seed + number,
            behaviour=_LIVELY,
            open_door=partial(PayingDoor, self._office, Together(self._office, lobby)),
        )
        async with self._working():
            await town.live(day.orders)
        placed = [one.order_id for one in diary.orders.values() if one.order_id]
        self._orders += placed
        self._faults += diary.faults
        await self._office.settle()
        await self._desk.evening(placed)
        await self._desk.take_cash(lobby, list(self._couriers))
        await self._desk.pay_out_some(list(self._couriers))
        await self._office.settle()
        await self._desk.post()
        # Every process is started anew at night; who is asked first in the morning knows it all.
        await self._stage.cells.close()
        await self._nights.reconcile(number + 1, is_last=number + 1 == self._plan.days)
        await self._nights.pass_until(self._first + (number + 1) * DAY_MS - HOUR_MS)

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        """The hosts and the post, as long as people are about."""
        office = self._office
        running = [
            asyncio.create_task(one)
            for one in (office.payments.run(), office.outbox.run(), self._desk.run_post())
        ]
        try:
            yield
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _close(self) -> Month:
        """Close the month when it is over, and hold everything together."""
        month = period_of(MONTH)
        assert month is not None
        office = self._office
        await self._nights.pass_until(max(month.until, office.clock.now()) + HOUR_MS)
        assert closable(month, None, now=office.clock.now()) is None
        closing = await office.periods.close(month.name, at=office.clock.now(), by=OPERATOR.user_id)
        books = await read(office, tuple(self._orders), tuple(self._couriers))
        vat = await declared(office, month)
        into_bank = self._nights.paid_halalas + self._desk.paid_in_halalas
        lines = await explain(office, books, into_bank)
        audit = audited(await office.keeper.audit())
        turnovers = await office.periods.turnovers(span(month, closing, None))
        return self._told(closing, books, vat, (*lines, vat_line(vat, books), audit), turnovers)

    def _told(
        self,
        closing: Closing,
        books: Books,
        vat: VatReturn,
        lines: tuple[Line, ...],
        turnovers: tuple[Turnover, ...],
    ) -> Month:
        return Month(
            plan=self._plan,
            orders=len(books.orders),
            done=dict(sorted(self._desk.done.items())),
            transfers=_counted(one.transfer.reason.value for one in books.entries),
            payments=_counted(f"{one.network.value} {one.status.value}" for one in books.payments),
            payouts=_counted(one["status"] for one in self._office.bank.kept.values()),
            documents=_counted(one.draft.kind.value for one in books.invoices),
            nights=tuple(self._nights.found),
            closing=closing,
            trial_balance=turnovers,
            vat=vat,
            lines=lines,
            faults=tuple(self._faults),
            books=books,
        )

    def _day(self, number: int) -> Day:
        """The same city and couriers every day; other orders."""
        made = partial(
            a_day,
            couriers=self._plan.couriers,
            hours=self._plan.hours,
            city=_CITY,
            orders_per_hour=self._plan.orders_per_hour,
            starts_at=self._first + number * DAY_MS,
        )
        orders = made(seed=self._plan.seed * _SEEDS_APART + number + 1).orders
        return replace(made(seed=self._plan.seed), orders=orders)


def _with_cash(zone: ZonePlan) -> ZonePlan:
    """At its doors cash is taken, up to what a gift of this city costs."""
    parameters = structs.replace(zone.parameters, cash_order_halalas_max=_CASH_MAX)
    return replace(zone, parameters=parameters)


def _courier_id(key: str) -> CourierId:
    return CourierId(UserId(derived_id("simulated courier", key)))


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
