"""Gifts for later windows, from the placement to the door, in virtual time."""

import pytest
from msgspec.structs import replace

from actors.scheduler import AGAIN_MS, GATHER_MS
from engine.couriers.courier import ProgressStep
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Order, OrderReleased, OrderStatus, Window
from tests.actors.worlds import QUICK, Town, in_a_town
from tests.builders import PIN

pytestmark = pytest.mark.xdist_group("routing")
P = ProgressStep


def _window(town: Town, *, hours: int = 3, long_min: int = 120) -> Window:
    opens = town.clock.now() + hours * HOUR_MS
    return Window(start=opens, end=opens + long_min * MINUTE_MS)


async def _stored(town: Town, order_id: OrderId) -> Order:
    order = await town.store.find_order(order_id)
    assert order is not None
    return order


async def _released_at(town: Town, order_id: OrderId) -> Instant | None:
    events = await town.store.list_events(order_id)
    return next((one.at for one in events if one.type == OrderReleased.__name__), None)


async def _carry(town: Town, courier: CourierId, order_id: OrderId) -> None:
    """He accepts when he is asked, and needs as long for shop, way and door as the zone thinks."""
    while (await _stored(town, order_id)).status is not OrderStatus.OFFERED:
        await town.clock.sleep(10 * SECOND_MS)
    assert (await town.accept(courier)).refusal is None
    order = await _stored(town, order_id)
    assert order.window is not None
    waits = {
        P.REACHED_SHOP: 10 * MINUTE_MS,
        P.PICKED_UP: max(0, order.ready_at - town.clock.now() - 10 * MINUTE_MS),
        P.REACHED_DOOR: order.window.start - order.ready_at,
        P.DELIVERED: 0,
    }
    for step, wait_ms in waits.items():
        await town.clock.sleep(wait_ms)
        pin = PIN if step is P.DELIVERED else ""
        assert (await town.report(courier, order_id, step, pin=pin)).refusal is None


def test_a_scheduled_gift_is_at_the_door_within_its_window() -> None:
    async def story(town: Town) -> Order:
        courier = await town.courier()
        order = await town.order(window=_window(town))
        await _carry(town, courier, order)
        return await _stored(town, order)

    order = in_a_town(story)
    assert order.window is not None
    assert order.ended_at is not None
    assert order.status is OrderStatus.DELIVERED
    assert order.window.start <= order.ended_at <= order.window.end


def test_gifts_that_one_courier_must_bring_in_turn_are_released_in_turn() -> None:
    async def story(town: Town) -> list[Instant]:
        window = _window(town)
        orders = [await town.order(window=window) for _ in range(6)]
        await town.clock.sleep(6 * HOUR_MS)
        times = [await _released_at(town, one) for one in orders]
        return sorted(one for one in times if one is not None)

    alone = replace(QUICK, schedule_crew=1)
    released = in_a_town(story, parameters=alone)
    assert len(released) == 6
    assert released[0] < released[-1]


def test_a_lost_plan_falls_back_to_the_stored_release() -> None:
    async def story(town: Town) -> tuple[Instant | None, Instant | None]:
        order = await town.order(window=_window(town))
        await town.clock.sleep(MINUTE_MS)
        town.thinker.is_away = True
        await town.crash()
        await town.clock.sleep(5 * HOUR_MS)
        return (await _stored(town, order)).release_at, await _released_at(town, order)

    stored, released = in_a_town(story)
    assert released == stored


def test_orders_that_come_together_are_planned_once_and_again_after_a_while() -> None:
    async def story(town: Town) -> tuple[int, int, int, int]:
        window = _window(town)
        orders = [await town.order(window=window) for _ in range(5)]
        await town.clock.sleep(GATHER_MS + SECOND_MS)
        together = len(town.thinker.routings)
        await town.must(
            CancelOrder(order_id=orders[0], reason=CancelReason.CHANGED_MIND), town.customer
        )
        await town.clock.sleep(GATHER_MS + SECOND_MS)
        cancelled = len(town.thinker.routings)
        await town.clock.sleep(AGAIN_MS)
        return (
            together,
            cancelled,
            len(town.thinker.routings),
            len(town.thinker.routings[-1].requests),
        )

    assert in_a_town(story) == (1, 2, 3, 4)


def test_whoever_watches_the_zone_is_told_which_gifts_are_at_risk() -> None:
    async def story(town: Town) -> dict[str, object]:
        await town.order(window=_window(town))
        await town.clock.sleep(MINUTE_MS)
        return town.noticed.newest[f"zone:{town.zone_id}", "schedule"].body

    shown = in_a_town(story, parameters=replace(QUICK, schedule_crew=0))
    assert shown["planned"] == 0
    assert list(shown["at_risk"].values()) == ["no_skill"]  # type: ignore[attr-defined]
