"""Couriers who announce a break: given nothing that runs into it, rested in time, back in time."""

import pytest

from engine.couriers.courier import Courier, CourierStatus, ProgressStep
from engine.couriers.messages import EndBreak, TakeBreak
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import OrderStatus
from tests.actors.worlds import Town, in_a_town
from tests.builders import CORNER


async def courier_in(town: Town, courier_id: CourierId) -> Courier:
    courier = await town.store.find_courier(courier_id)
    assert courier is not None
    return courier


async def status_of(town: Town, order_id: OrderId) -> OrderStatus:
    order = await town.store.find_order(order_id)
    assert order is not None
    return order.status


async def announce(
    town: Town, courier_id: CourierId, *, in_min: int, lasts_s: int | None = 600
) -> None:
    at = town.clock.now() + in_min * MINUTE_MS
    command = TakeBreak(courier_id=courier_id, begins_at=at, lasts_s=lasts_s)
    await town.must(command, town.as_courier(courier_id))


async def carry(town: Town, courier_id: CourierId, order_id: OrderId, pin: str) -> None:
    for step in ("reached_shop", "picked_up", "reached_door", "delivered"):
        words = {"pin": pin} if step == "delivered" else {}
        told = await town.report(courier_id, order_id, ProgressStep(step), **words)
        assert told.refusal is None


def test_who_rests_soon_is_not_asked_about_what_is_ready_later() -> None:
    async def story(town: Town) -> None:
        soon = await town.courier()
        await announce(town, soon, in_min=5)
        order = await town.order(ready_at=town.clock.now() + 10 * MINUTE_MS)
        await town.clock.sleep(4 * MINUTE_MS)
        assert await town.store.list_offers_for(order) == ()
        other = await town.courier()
        await town.clock.sleep(8 * MINUTE_MS)
        assert (await courier_in(town, soon)).status is CourierStatus.BREAK
        asked = {one.courier_id for one in await town.store.list_offers_for(order)}
        assert asked == {other}

    in_a_town(story)


def test_a_break_begins_and_ends_by_the_clock_and_work_is_kept_for_who_comes_back() -> None:
    async def story(town: Town) -> None:
        courier_id = await town.courier()
        await announce(town, courier_id, in_min=2)
        shown = town.noticed.body(f"courier:{courier_id}")
        begins_at = town.clock.now() + 2 * MINUTE_MS
        assert shown["break_begins_at"] == begins_at
        assert shown["break_ends_at"] == begins_at + 10 * MINUTE_MS
        await town.clock.sleep(2 * MINUTE_MS + SECOND_MS)
        assert (await courier_in(town, courier_id)).status is CourierStatus.BREAK
        order = await town.order()
        await town.clock.sleep(3 * MINUTE_MS)
        # He is planned for, and left alone.
        assert town.thinker.plans[-1].routes[0].vehicle == courier_id
        assert await status_of(town, order) is OrderStatus.WAITING
        await town.clock.sleep(7 * MINUTE_MS)
        courier = await courier_in(town, courier_id)
        assert courier.rest is None
        assert courier.status is CourierStatus.OFFERED
        assert await status_of(town, order) is OrderStatus.OFFERED

    in_a_town(story)


def test_a_break_that_begins_while_he_carries_something_waits_for_its_end() -> None:
    async def story(town: Town) -> None:
        courier_id = await town.courier()
        placing = await town.placing()
        await town.must(placing, town.customer)
        order_id = placing.order_id
        await town.clock.sleep(3 * SECOND_MS)
        await town.accept(courier_id)
        await announce(town, courier_id, in_min=0)
        another = await town.order()
        await town.clock.sleep(MINUTE_MS)
        assert (await courier_in(town, courier_id)).status is CourierStatus.BUSY
        await carry(town, courier_id, order_id, placing.pin)
        await town.clock.sleep(SECOND_MS)
        resting = await courier_in(town, courier_id)
        assert resting.status is CourierStatus.BREAK
        assert resting.rest is not None
        assert resting.rest.ends_at == town.clock.now() - SECOND_MS + 10 * MINUTE_MS
        assert await status_of(town, another) is OrderStatus.WAITING

    in_a_town(story)


def test_an_offer_is_taken_back_when_the_break_begins() -> None:
    async def story(town: Town) -> None:
        courier_id = await town.courier()
        order = await town.order()
        await town.clock.sleep(3 * SECOND_MS)
        assert await status_of(town, order) is OrderStatus.OFFERED
        await announce(town, courier_id, in_min=0)
        await town.clock.sleep(SECOND_MS)
        assert (await courier_in(town, courier_id)).status is CourierStatus.BREAK
        assert await status_of(town, order) is OrderStatus.WAITING
        assert town.noticed.body(f"courier:{courier_id}")["offer"] is None

    in_a_town(story)


@pytest.mark.parametrize("is_crashed", [False, True])
def test_what_was_announced_outlives_the_cell_and_can_be_taken_back(is_crashed: bool) -> None:
    async def story(town: Town) -> tuple[CourierStatus, CourierStatus]:
        rests, goes_on = await town.courier(), await town.courier(point=CORNER)
        for one in (rests, goes_on):
            await announce(town, one, in_min=1, lasts_s=None)
        if is_crashed:
            await town.crash()
        await town.must(EndBreak(courier_id=goes_on), town.as_courier(goes_on))
        await town.clock.sleep(2 * MINUTE_MS)
        return (
            (await courier_in(town, rests)).status,
            (await courier_in(town, goes_on)).status,
        )

    assert in_a_town(story) == (CourierStatus.BREAK, CourierStatus.ON)
