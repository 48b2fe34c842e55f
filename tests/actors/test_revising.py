"""Revising accepted trips in a running town: who is told what, and what holds through a crash."""

import asyncio

from msgspec.structs import replace

from actors.revising import Reviser
from engine.couriers.courier import ProgressStep
from engine.dispatch.revision import first_trip
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.timing import SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Order, OrderStatus
from tests.actors.worlds import QUICK, Town, in_a_town
from tests.builders import PIN

S, P = OrderStatus, ProgressStep
TICK_MS = 3 * SECOND_MS


async def on_the_way(town: Town, *, capacity_units: int = 4) -> tuple[CourierId, OrderId]:
    """A courier who accepted a trip with one order."""
    order_id = await town.order()
    courier_id = await town.courier(capacity_units=capacity_units)
    await town.clock.sleep(TICK_MS)
    assert (await town.accept(courier_id)).refusal is None
    return courier_id, order_id


async def reviser(town: Town) -> Reviser:
    cell = town.cells._homes[await town.cell()].cell
    return Reviser(live=cell._live, holdings=cell._holdings, clock=town.clock)


async def revise(town: Town, trips: dict[CourierId, tuple[OrderId, ...]]) -> bool:
    zone = await town.store.find_zone(town.zone_id)
    assert zone is not None
    return await (await reviser(town)).revise(zone, trips)


async def stored(town: Town, order_id: OrderId) -> Order:
    order = await town.store.find_order(order_id)
    assert order is not None
    return order


def test_an_order_joins_a_trip_under_way_and_another_is_exchanged() -> None:
    async def story(town: Town) -> None:
        salem, a = await on_the_way(town)
        nasser, b = await on_the_way(town)
        c = await town.order()
        assert (await town.report(nasser, b, P.REACHED_SHOP)).refusal is None
        assert await revise(town, {salem: (c, b), nasser: (a,)})

        await town.clock.sleep(SECOND_MS)
        work = town.noticed.body(f"courier:{salem}")
        assert work["route"][0]["orders"] == [c, b]
        assert {one["order_id"]: one["status"] for one in work["orders"]} == {
            c: "assigned",
            b: "assigned",
        }
        assert town.noticed.body(f"order:{b}")["courier"]["courier_id"] == salem
        assert town.noticed.body(f"order:{a}")["courier"]["courier_id"] == nasser
        assert town.noticed.body(f"order:{a}")["status"] == "courier_at_shop"

        late = await town.report(nasser, b, P.PICKED_UP)
        assert late.refusal is not None
        assert late.refusal.code == "not_your_order"
        await town.crash()
        for step in (P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED):
            assert (await town.report(nasser, a, step, pin=PIN)).refusal is None
        assert (await stored(town, a)).status is S.DELIVERED
        assert (await town.report(salem, b, P.REACHED_SHOP)).refusal is None
        for order_id in (b, c):
            assert (await stored(town, order_id)).status is S.COURIER_AT_SHOP

    in_a_town(story)


def test_what_was_taken_off_is_offered_again_and_may_come_back() -> None:
    async def story(town: Town) -> None:
        salem, a = await on_the_way(town, capacity_units=1)
        b = await town.order()
        assert await revise(town, {salem: (b,)})
        assert (await stored(town, a)).status is S.WAITING
        nasser = await town.courier()
        await town.clock.sleep(TICK_MS)
        await town.accept(nasser)
        carriers = {order_id: (await stored(town, order_id)).courier_id for order_id in (a, b)}
        assert sorted(carriers.values(), key=str) == sorted((salem, nasser))
        his, mine = (a, b) if carriers[a] == nasser else (b, a)
        assert await revise(town, {salem: (his,), nasser: (mine,)})
        assert (await stored(town, his)).courier_id == salem

    in_a_town(story)


def test_a_world_that_moved_on_is_left_as_it_is() -> None:
    async def story(town: Town) -> None:
        salem, a = await on_the_way(town)
        b = await town.order()
        cancel = CancelOrder(order_id=b, reason=CancelReason.OTHER)
        await town.must(cancel, town.customer)
        before = await town.store.find_courier(salem)
        assert not await revise(town, {salem: (a, b)})
        assert not await revise(town, {CourierId(town.new_id()): (a,)})
        assert await town.store.find_courier(salem) == before
        assert await revise(town, {salem: (a,)}), "it is so already"
        assert await town.store.find_courier(salem) == before

    in_a_town(story)


def test_a_cancellation_and_a_revision_at_the_same_moment_do_not_mix() -> None:
    async def story(town: Town) -> None:
        salem, a = await on_the_way(town)
        b = await town.order()
        town.line.latency_ms = 40
        cancel = CancelOrder(order_id=b, reason=CancelReason.OTHER)
        await asyncio.gather(revise(town, {salem: (a, b)}), town.must(cancel, town.customer))
        assert (await stored(town, b)).status is S.CANCELLED
        courier = await town.store.find_courier(salem)
        assert courier is not None
        trip = first_trip(courier)
        assert trip is not None
        assert trip.order_ids == (a,)

    in_a_town(story)


def test_where_the_zone_does_not_allow_it_an_accepted_trip_stays() -> None:
    async def story(town: Town) -> None:
        salem, a = await on_the_way(town)
        b = await town.order()
        assert not await revise(town, {salem: (a, b)})
        assert (await stored(town, b)).status is S.WAITING

    in_a_town(story, parameters=replace(QUICK, revise_until_pickup=0))
