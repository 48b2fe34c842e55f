"""Three zones in two cells: whoever crosses a border has one owner, and is heard wherever he is."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.bus import CellUnavailable
from actors.hand_overs import OwnerNotTold
from engine.couriers.courier import Courier, Duty, ProgressStep
from engine.couriers.handing_over import loan_over_at
from engine.couriers.messages import (
    AcceptOffer,
    GoOffDuty,
    GoOnDuty,
    LendCouriers,
    ReportProgress,
)
from engine.geo.cells import ancestor
from engine.geo.moving import MoveZone, own_cell
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CommandId, CourierId, OrderId, ZoneId
from engine.kernel.messages import SYSTEM_CALLER, Caller, Command, Envelope
from engine.kernel.place import Place, Point
from engine.kernel.timing import SECOND_MS
from engine.orders.order import OrderStatus
from storage.live import Fix
from storage.store import StoreUnavailable
from tests.actors.shaky import Fate
from tests.actors.test_random_walk import Hasty
from tests.actors.worlds import OPERATOR, QUICK, Town, in_a_town
from tests.builders import CORNER, PIN, SHOP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from storage.store import Answer

# Ten kilometres from the first zone: one in its cell, one beyond the border of that.
NEXT_DOOR: Final = Point(lat=SHOP.lat + 0.1, lng=SHOP.lng)
BEYOND: Final = Point(lat=SHOP.lat, lng=SHOP.lng - 0.1)
PLACES: Final = (SHOP, NEXT_DOOR, BEYOND)
COURIERS: Final = 3
_LONGEST_LOAN_S: Final = 40
P = ProgressStep
_NEXT: Final = {
    OrderStatus.ASSIGNED: P.REACHED_SHOP,
    OrderStatus.COURIER_AT_SHOP: P.PICKED_UP,
    OrderStatus.PICKED_UP: P.REACHED_DOOR,
    OrderStatus.AT_DOOR: P.DELIVERED,
}
_zone = st.integers(0, len(PLACES) - 1)
_courier = st.integers(0, COURIERS - 1)
STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("come"), _courier, _zone),
        st.tuples(st.just("come"), _courier, _zone),
        st.tuples(st.just("go_home"), _courier),
        st.tuples(st.just("order"), _zone, _zone),
        st.tuples(st.just("work"), st.integers(1, 6)),
        st.tuples(st.just("work"), st.integers(1, 6)),
        st.tuples(st.just("be_seen"), _courier),
        st.tuples(st.just("lend"), _zone, _zone, st.integers(1, _LONGEST_LOAN_S)),
        st.tuples(st.just("move"), _zone, st.booleans()),
        st.tuples(st.just("tell"), st.integers(0, 1)),
        st.tuples(st.just("crash"), _zone),
        st.tuples(st.just("lose"), st.sampled_from(tuple(Fate))),
        st.tuples(st.just("wait"), st.sampled_from((1, 200, 3_000))),
    ),
    min_size=5,
    max_size=40,
)


class Border:
    """A town with two more zones, and two edges that hear of nothing but their own commands."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.zones = (town.zone_id, ZoneId(town.new_id()), ZoneId(town.new_id()))
        self.couriers = [CourierId(town.new_id()) for _ in range(COURIERS)]
        self.edges = (town.bus, town.another_edge())
        self.orders: list[OrderId] = []
        self.sent: list[asyncio.Task[Answer]] = []
        self._turn = 0

    async def open(self) -> None:
        for zone_id, place in zip(self.zones[1:], PLACES[1:], strict=True):
            await self.town.open(zone_id, around=place, rings=3)

    def send(self, command: Command, caller: Caller) -> None:
        """By one edge and then the other; nobody waits for the answer before the next step."""
        self._turn += 1
        edge = self.edges[self._turn % len(self.edges)]
        told = self.town.send(command, caller, by=edge, deadline_ms=60_000)
        self.sent.append(asyncio.ensure_future(told))

    async def come(self, courier: int, zone: int) -> None:
        courier_id = self.couriers[courier]
        self.send(_working(courier_id, self.zones[zone]), self.town.as_courier(courier_id))

    async def go_home(self, courier: int) -> None:
        courier_id = self.couriers[courier]
        self.send(GoOffDuty(courier_id=courier_id), self.town.as_courier(courier_id))

    async def order(self, shop: int, door: int) -> None:
        """A shop in one zone, a door in whichever."""
        order_id = OrderId(self.town.new_id())
        placing = await self.town.placing(
            order_id=order_id,
            zone_id=self.zones[shop],
            shop=Place(point=PLACES[shop], name="Flowers"),
            door=Place(point=PLACES[door], address="Building 7"),
        )
        self.orders.append(order_id)
        self.send(placing, self.town.customer)

    async def work(self, times: int) -> None:
        """Couriers say yes to what they are asked, and come a step further with what they have."""
        for _ in range(times):
            for courier in await self._at_work():
                for command in await self._words(courier):
                    self.send(command, self.town.as_courier(courier.id))
            await self.town.clock.sleep(2_500)

    async def be_seen(self, courier: int) -> None:
        for edge in self.edges:
            edge.report_position(self.couriers[courier], self._fix())

    async def lend(self, lender: int, borrower: int, for_s: int) -> None:
        """A zone is asked for whom it can spare; who gets him is told by the outbox alone."""
        edge = self.edges[lender % len(self.edges)]
        ends_at = self.town.clock.now() + for_s * SECOND_MS
        command = LendCouriers(
            zone_id=self.zones[lender],
            to_zone_id=self.zones[borrower],
            shops=(PLACES[borrower],) * 2,
            travel_s_max=7200,
            ends_at=ends_at,
        )
        deadline = self.town.clock.now() + 60_000
        envelope = Envelope(
            id=CommandId(self.town.new_id()),
            command=command,
            caller=SYSTEM_CALLER,
            deadline=deadline,
        )
        self.sent.append(asyncio.ensure_future(edge.by_clock(envelope)))

    async def move(self, zone: int, alone: bool) -> None:
        stored = await self.town.store.find_zone(self.zones[zone])
        assert stored is not None
        together = ancestor(stored.anchor, self.town.settings.placement_resolution)
        cell = own_cell(stored.id) if alone else together
        self.send(MoveZone(zone_id=stored.id, cell=cell, author=OPERATOR.user_id), OPERATOR)

    async def tell(self, edge: int) -> None:
        """The outbox says who owns what now, by an edge that may remember who did."""
        with suppress(OwnerNotTold):
            await self.town.tell_owners(by=self.edges[edge])

    async def crash(self, zone: int) -> None:
        cell = await self.town.store.cell_of_zone(self.zones[zone])
        if cell in self.town.cells._homes:
            await self.town.cells.kill(cell)

    async def lose(self, fate: Fate) -> None:
        self.town.line.fates.append(fate)

    async def wait(self, ms: int) -> None:
        await self.town.clock.sleep(ms)

    async def rest(self) -> None:
        """Nothing fails any more, and what was begun ends."""
        self.town.line.heal()
        while True:
            try:
                await self.town.cells.wake()
            except (StoreUnavailable, CellUnavailable):
                await self.town.clock.sleep(SECOND_MS)
            else:
                break
        await asyncio.gather(*self.sent)
        # Loans end, which the outbox tells, too.
        for _ in range(2):
            await self.town.clock.sleep(_LONGEST_LOAN_S * SECOND_MS)
            await self.town.tell_owners()
        await self.town.settle()
        for home in self.town.cells._homes.values():
            assert not home.life.done()

    async def check_owners(self) -> None:
        """Everybody at work is held by one cell, the one that storage names."""
        for courier in await self._at_work():
            holders = [
                cell
                for cell, home in self.town.cells._homes.items()
                if home.cell._holdings.is_on_duty(courier.id)
            ]
            assert holders == [await self.town.store.cell_of_zone(courier.zone_id)]

    async def check_loans(self) -> None:
        """Whose loan is over, and who carries nothing, is at home."""
        now = self.town.clock.now()
        for courier in await self._at_work():
            over_at = loan_over_at(courier)
            assert over_at is None or over_at > now

    async def check_positions(self) -> None:
        """Whatever an edge believed, a position that it passes on reaches who owns its courier."""
        for edge in self.edges:
            for courier in await self._at_work():
                if edge._addresses.known(f"courier:{courier.id}") is None:
                    continue
                fix = self._fix()
                edge.report_position(courier.id, fix)
                await self.town.clock.sleep(100)
                owner = await self.town.store.cell_of_zone(courier.zone_id)
                assert owner is not None
                telemetry = self.town.cells._homes[owner].cell._telemetry
                assert telemetry.fix(courier.id) == fix

    async def check_orders(self) -> None:
        """What was placed is there, and who has it, has it alone."""
        stored = [await self.town.store.find_order(one) for one in self.orders]
        placed = {one.id for one in stored if one is not None}
        carried = [one for courier in await self._at_work() for one in courier.orders]
        assert len(carried) == len(set(carried))
        assert set(carried) <= placed

    async def _at_work(self) -> list[Courier]:
        found = [await self.town.store.find_courier(one) for one in self.couriers]
        return [one for one in found if one is not None and one.duty is not Duty.OFF]

    async def _words(self, courier: Courier) -> list[Command]:
        if courier.offer_id is not None:
            return [AcceptOffer(courier_id=courier.id, offer_id=courier.offer_id)]
        carried = [await self.town.store.find_order(one) for one in courier.orders[:1]]
        return [
            ReportProgress(courier_id=courier.id, order_id=one.id, step=_NEXT[one.status], pin=PIN)
            for one in carried
            if one is not None and one.status in _NEXT
        ]

    def _fix(self) -> Fix:
        return Fix(lat=CORNER.lat, lng=CORNER.lng, at=self.town.clock.now(), accuracy_m=5.0)


def _working(courier_id: CourierId, zone_id: ZoneId) -> GoOnDuty:
    return GoOnDuty(
        courier_id=courier_id,
        zone_id=zone_id,
        name="Salem",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        point=CORNER,
    )


@settings(max_examples=30)
@given(steps=STEPS)
def test_who_crosses_borders_has_one_owner_and_no_word_of_him_is_lost(
    steps: list[tuple[Any, ...]],
) -> None:
    async def story(town: Town) -> None:
        border = Border(town)
        await border.open()
        for name, *what in steps:
            step: Callable[..., Awaitable[None]] = getattr(border, name)
            await step(*what)
        await border.rest()
        await border.check_loans()
        await border.check_owners()
        await border.check_positions()
        await border.check_orders()

    parameters = replace(QUICK, approach_s_max=3600, loan_keep_min=0)
    in_a_town(story, solver=Hasty(), parameters=parameters)


@pytest.mark.parametrize("what", ["lend", "move"])
def test_who_owns_it_now_is_told_though_its_former_cell_has_not_heard_that_it_let_go(
    what: str,
) -> None:
    async def story(town: Town) -> None:
        border = Border(town)
        await border.open()
        await border.come(0, 0)
        await asyncio.gather(*border.sent)
        town.line.fates.append(Fate.LANDS_LATE)
        step = border.lend(0, 2, _LONGEST_LOAN_S) if what == "lend" else border.move(0, alone=True)
        await step
        await town.clock.sleep(SECOND_MS)
        await town.tell_owners(by=border.edges[1])
        new = await town.store.cell_of_courier(border.couriers[0])
        assert new is not None
        assert new != await town.store.cell_of_zone(border.zones[1])
        assert town.cells._homes[new].cell._holdings.is_on_duty(border.couriers[0])

    in_a_town(story, parameters=replace(QUICK, loan_keep_min=0))
