"""A zone without couriers has its orders carried by a neighbour's, who goes back afterwards."""

import asyncio
from typing import Final

from msgspec.structs import replace

from actors.loans import Loans
from engine.couriers.courier import Courier
from engine.couriers.messages import GoOffDuty
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId, ZoneId
from engine.kernel.place import Place, Point
from engine.kernel.timing import SECOND_MS
from tests.actors.worlds import QUICK, Town, in_a_town
from tests.builders import CORNER, SHOP

# In another cell than the first zone.
BEYOND: Final = Point(lat=SHOP.lat, lng=SHOP.lng - 0.1)
LENDING: Final = replace(
    QUICK,
    approach_s_max=3600,
    loan_couriers_max=2,
    loan_wait_s=10,
    loan_travel_s_max=3600,
    loan_s=3600,
    loan_keep_min=1,
)


async def _order_beyond(town: Town) -> tuple[ZoneId, OrderId]:
    """A zone without couriers, in which an order waits for a while."""
    zone_id = ZoneId(town.new_id())
    await town.open(zone_id, around=BEYOND, rings=3)
    order_id = OrderId(town.new_id())
    placing = await town.placing(
        order_id=order_id,
        zone_id=zone_id,
        shop=Place(point=BEYOND, name="Flowers"),
        door=Place(point=BEYOND, address="Building 7"),
    )
    await town.must(placing, town.customer)
    await town.clock.sleep(20 * SECOND_MS)
    return zone_id, order_id


async def _stored(town: Town, courier_id: CourierId) -> Courier:
    courier = await town.store.find_courier(courier_id)
    assert courier is not None
    return courier


def test_a_neighbour_lends_whom_it_can_spare_and_gets_him_back() -> None:
    async def story(town: Town) -> None:
        couriers = [await town.courier() for _ in range(3)]
        zone_id, order_id = await _order_beyond(town)
        loans = Loans(town.store, town.bus, town.clock)
        assert await loans.match() == 1
        await town.clock.sleep(5 * SECOND_MS)
        (lent,) = [one for one in couriers if (await _stored(town, one)).loan is not None]
        assert (await _stored(town, lent)).zone_id == zone_id
        order = await town.store.find_order(order_id)
        assert order is not None
        assert order.offer_id == (await _stored(town, lent)).offer_id is not None
        await town.must(GoOffDuty(courier_id=lent), town.as_courier(lent))
        assert (await _stored(town, lent)).loan is None
        # The next has nothing to do there: his order is carried by somebody else in the end.
        await town.clock.sleep(20 * SECOND_MS)
        assert await loans.match() == 1

    in_a_town(story, parameters=LENDING)


def test_a_loan_is_over_in_time_though_the_cell_died_meanwhile() -> None:
    async def story(town: Town) -> None:
        couriers = [await town.courier() for _ in range(2)]
        zone_id, _ = await _order_beyond(town)
        assert await Loans(town.store, town.bus, town.clock).match() == 1
        cell = await town.store.cell_of_zone(zone_id)
        assert cell is not None
        await town.cells.kill(cell)
        await town.cells.wake()
        # He never answers: the offer runs out, and the loan after it.
        await town.clock.sleep(LENDING.loan_s * SECOND_MS + 60 * SECOND_MS)
        for one in couriers:
            stored = await _stored(town, one)
            assert (stored.zone_id, stored.loan) == (town.zone_id, None)

    in_a_town(story, parameters=LENDING)


def test_many_who_match_at_once_lend_no_more_than_one() -> None:
    async def story(town: Town) -> None:
        couriers = [await town.courier() for _ in range(4)]
        await _order_beyond(town)
        edges = (town.bus, town.another_edge(), town.another_edge())
        await asyncio.gather(*(Loans(town.store, one, town.clock).match() for one in edges))
        lent = [one for one in couriers if (await _stored(town, one)).loan is not None]
        assert len(lent) == 1

    in_a_town(story, parameters=LENDING)


def test_zones_that_borrow_nobody_ask_nobody() -> None:
    async def story(town: Town) -> None:
        await town.courier(point=CORNER)
        zone_id, _ = await _order_beyond(town)
        zone = await town.store.find_zone(zone_id)
        assert isinstance(zone, Zone)
        assert await town.bus.need(zone_id) is None
        assert await Loans(town.store, town.bus, town.clock).match() == 0

    in_a_town(story, parameters=replace(LENDING, loan_couriers_max=0))
