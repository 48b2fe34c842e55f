"""Idle couriers are sent to where orders are expected, and are asked there."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.couriers.courier import Courier, CourierStatus, StopKind
from engine.couriers.messages import GoOffDuty, ReachWaitingPoint
from engine.dispatch.why import Why
from engine.kernel.ids import CourierId
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.messages import CancelOrder, CancelReason
from storage.live import Fix
from tests.actors.worlds import QUICK, Town, in_a_town
from tests.builders import SHOP

EAGER = replace(QUICK, wait_moves_max=3, wait_gain_min=30, approach_s_max=900)
AFAR = Point(lat=SHOP.lat - 0.04, lng=SHOP.lng)
BEYOND = Point(lat=SHOP.lat + 0.04, lng=SHOP.lng)


async def a_rush(town: Town) -> None:
    """Orders that come up and go away again while nobody works; what is left is the memory."""
    for _ in range(12):
        order = await town.order(ready_at=town.clock.now())
        await town.clock.sleep(5 * SECOND_MS)
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        await town.must(cancel, town.customer)


async def stored(town: Town, courier_id: CourierId) -> Courier:
    courier = await town.store.find_courier(courier_id)
    assert courier is not None
    return courier


async def on_his_way(town: Town) -> tuple[CourierId, Instant]:
    """A courier who has just been sent to the shop, and when he should be there."""
    await a_rush(town)
    courier_id = await town.courier(point=AFAR)
    await town.clock.sleep(3 * SECOND_MS)
    (stop,) = (await stored(town, courier_id)).route
    assert (stop.kind, stop.point) == (StopKind.WAIT, SHOP)
    return courier_id, stop.ready_at


def ticks(town: Town) -> list[dict[str, Any]]:
    return [
        one.body
        for batch in town.noticed.batches
        for one in batch.publications
        if one.kind == "tick"
    ]


def test_an_idle_courier_goes_to_where_orders_come_up_and_takes_one_there() -> None:
    async def story(town: Town) -> None:
        courier_id, arrives_at = await on_his_way(town)
        work = town.noticed.body(f"courier:{courier_id}")
        assert (work["status"], work["orders"]) == ("on", [])
        assert work["route"] == [
            {
                "kind": "wait",
                "lat": SHOP.lat,
                "lng": SHOP.lng,
                "orders": [],
                "ready_at": arrives_at,
                "arrived_at": None,
            }
        ]
        assert sum(one["sent_to_wait"] for one in ticks(town)) == 1
        await town.clock.sleep(arrives_at - town.clock.now() + 1)
        there = await stored(town, courier_id)
        assert (there.route, there.last_point, there.leaves_at) == ((), SHOP, arrives_at)
        order = await town.order(ready_at=town.clock.now())
        await town.clock.sleep(3 * SECOND_MS)
        assert (await town.accept(courier_id)).refusal is None
        (offer,) = await town.store.list_offers_for(order)
        assert offer.explanation.pickup_at - offer.made_at <= 2 * MINUTE_MS
        events = [one.type for one in await town.store.list_events(courier_id)]
        assert events[:3] == ["WentOnDuty", "CourierSentToWait", "WaitingPointReached"]

    in_a_town(story, parameters=EAGER)


def test_he_is_asked_on_his_way_and_begins_at_the_waiting_point() -> None:
    async def story(town: Town) -> None:
        courier_id, arrives_at = await on_his_way(town)
        await town.order()
        await town.clock.sleep(3 * SECOND_MS)
        assert (await town.accept(courier_id)).refusal is None
        busy = await stored(town, courier_id)
        assert busy.status is CourierStatus.BUSY
        assert [one.kind for one in busy.route] == ["wait", "pickup", "dropoff"]
        (offer,) = await town.store.list_offers_for(busy.orders[0])
        assert offer.explanation.pickup_at >= arrives_at
        await town.clock.sleep(arrives_at - town.clock.now() + 1)
        assert [one.kind for one in (await stored(town, courier_id)).route] == [
            "pickup",
            "dropoff",
        ]

    in_a_town(story, parameters=EAGER)


def test_who_says_that_he_is_there_is_there() -> None:
    async def story(town: Town) -> None:
        courier_id, _ = await on_his_way(town)
        command = ReachWaitingPoint(courier_id=courier_id)
        answer = await town.must(command, town.as_courier(courier_id))
        assert answer.reply == {"status": "on"}
        assert (await stored(town, courier_id)).route == ()
        again = await town.must(command, town.as_courier(courier_id))
        assert again.reply == {"status": "on"}

    in_a_town(story, parameters=EAGER)


def test_who_goes_home_or_stays_where_he_is_is_not_held_to_it() -> None:
    async def story(town: Town) -> None:
        courier_id, arrives_at = await on_his_way(town)
        await town.must(GoOffDuty(courier_id=courier_id), town.as_courier(courier_id))
        assert (await stored(town, courier_id)).route == ()
        lazy = await town.courier(point=AFAR)
        await town.clock.sleep(3 * SECOND_MS)
        (stop,) = (await stored(town, lazy)).route
        await town.clock.sleep(stop.ready_at - town.clock.now() + 1)
        fix = Fix(lat=AFAR.lat, lng=AFAR.lng, at=town.clock.now(), accuracy_m=5.0)
        town.bus.report_position(lazy, fix)
        order = await town.order(ready_at=town.clock.now())
        await town.clock.sleep(3 * SECOND_MS)
        (offer,) = await town.store.list_offers_for(order)
        assert offer.explanation.pickup_at - offer.made_at >= 5 * MINUTE_MS
        assert arrives_at < stop.ready_at

    in_a_town(story, parameters=EAGER)


def test_who_is_sent_is_still_on_his_way_after_a_crash_and_arrives() -> None:
    async def story(town: Town) -> None:
        courier_id, arrives_at = await on_his_way(town)
        await town.crash()
        await town.clock.sleep(arrives_at - town.clock.now() - SECOND_MS)
        assert len((await stored(town, courier_id)).route) == 1
        await town.clock.sleep(2 * SECOND_MS)
        assert (await stored(town, courier_id)).route == ()

    in_a_town(story, parameters=EAGER)


def test_who_must_leave_only_later_goes_ahead_from_shop_to_shop_and_is_asked_there() -> None:
    async def story(town: Town) -> None:
        await a_rush(town)
        courier_id = await town.courier(point=AFAR)
        order = await town.order(
            ready_at=town.clock.now() + 30 * MINUTE_MS, shop=Place(point=BEYOND)
        )
        await town.clock.sleep(3 * SECOND_MS)
        (stop,) = (await stored(town, courier_id)).route
        assert (stop.kind, stop.point) == (StopKind.WAIT, SHOP)
        assert await town.store.list_offers_for(order) == ()
        (wait,) = await town.store.list_waits(order)
        assert (wait.reason.why, wait.reason.courier_id) == (Why.WAITING_IS_BETTER, courier_id)
        assert sum(one["sent_to_wait"] for one in ticks(town)) == 1
        await town.clock.sleep(30 * MINUTE_MS)
        offer = min(await town.store.list_offers_for(order), key=lambda one: one.made_at)
        assert offer.courier_id == courier_id
        # From where he set out it takes 24 minutes.
        assert offer.explanation.pickup_at <= offer.made_at + 15 * MINUTE_MS

    early = replace(
        EAGER, wait_moves_max=0, leave_early_s=3600, commit_lead_s=0, approach_s_max=1800
    )
    in_a_town(story, parameters=early)


@pytest.mark.parametrize("moves_max", [0, 1])
def test_a_zone_sends_nobody_unless_it_is_told_to(moves_max: int) -> None:
    async def story(town: Town) -> int:
        await a_rush(town)
        await town.courier(point=AFAR)
        await town.clock.sleep(10 * SECOND_MS)
        return sum(one["sent_to_wait"] for one in ticks(town))

    assert in_a_town(story, parameters=replace(EAGER, wait_moves_max=moves_max)) == moves_max
