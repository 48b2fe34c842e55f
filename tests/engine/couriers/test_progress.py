"""What must hold while a courier reports on what he carries, in whatever order it arrives."""

from typing import Any

import pytest

from engine.couriers.courier import (
    CourierStatus,
    Duty,
    ProgressStep,
    ReportKept,
    RouteChanged,
    StopKind,
    WentOffDuty,
)
from engine.couriers.messages import ReportProgress
from engine.couriers.progress import EARLY_MAX, Carrying
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import OrderId
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS
from engine.orders.order import (
    CourierReachedShop,
    OrderDelivered,
    OrderStatus,
    PinMistaken,
)
from tests.builders import (
    NOON,
    PIN,
    SHOP,
    WRONG,
    Story,
    a_story,
    a_zone,
    must,
    new_id,
)

P, S = ProgressStep, OrderStatus
DELIVERY = (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED)
RETURN = (*DELIVERY[:3], P.ATTEMPT_FAILED, P.RETURN_STARTED, P.RETURNED)
SECOND_TRY = (*DELIVERY[:3], P.ATTEMPT_FAILED, P.REACHED_DOOR, P.DELIVERED)


def refused(decision: Decision | Refusal) -> Refusal:
    refusal = decision if isinstance(decision, Refusal) else decision.refusal
    assert refusal is not None
    return refusal


def with_parameters(status: OrderStatus, **parameters: Any) -> Story:
    return a_story(status, zone=a_zone(parameters=ZoneParameters(**parameters)))


def told(story: Story, decision: Decision | Refusal) -> str:
    """What the reply says of a report: done, kept or repeated."""
    reply = must(decision).reply
    assert reply["status"] == story.order.status.value
    return "kept" if reply.get("kept") else "repeated" if reply.get("repeated") else "done"


def test_a_delivery_goes_its_way_stop_by_stop() -> None:
    story = a_story(S.ASSIGNED)
    pickup, dropoff = story.courier.route
    story.at += MINUTE_MS
    must(story.report(P.REACHED_SHOP))
    assert story.status() is S.COURIER_AT_SHOP
    assert story.courier.route[0].arrived_at == story.at
    assert story.courier.last_point == pickup.point == SHOP
    story.at += MINUTE_MS
    must(story.report(P.PICKED_UP))
    assert story.order.picked_up_at == story.at
    assert story.route() == [dropoff]
    assert story.courier.leaves_at == story.at + story.zone.parameters.shop_leave_s * SECOND_MS
    story.at += MINUTE_MS
    must(story.report(P.REACHED_DOOR))
    assert story.courier.route[0].arrived_at == story.at
    assert story.courier.last_point == dropoff.point
    story.at += MINUTE_MS
    decision = must(story.report(P.DELIVERED))
    assert story.status() is S.DELIVERED
    assert story.order.ended_at == story.at
    assert story.order.courier_id == story.courier.id
    assert story.route() == []
    assert story.courier.free_since == story.at
    assert story.courier.status is CourierStatus.ON
    assert story.events_of(story.order.id)[-1] == OrderDelivered(at=story.at, proof="pin")
    assert RouteChanged(at=story.at, stops=0) in decision.changes[-1].events


def test_a_return_ends_at_the_shop_again() -> None:
    story = a_story(S.ATTEMPT_FAILED)
    assert story.order.failed_attempts == 1
    must(story.report(P.RETURN_STARTED))
    (back,) = story.courier.route
    assert (back.kind, back.point, back.orders) == (StopKind.RETURN, SHOP, (story.order.id,))
    story.at += MINUTE_MS
    must(story.report(P.RETURNED))
    assert story.status() is S.RETURNED
    assert story.order.ended_at == story.courier.free_since == story.at
    assert story.courier.last_point == SHOP
    assert story.route() == []


def test_a_second_try_at_the_door_may_succeed() -> None:
    story = a_story(S.ATTEMPT_FAILED)
    assert must(story.report(P.REACHED_DOOR)).reply["status"] == "at_door"
    must(story.report(P.DELIVERED))
    assert story.status() is S.DELIVERED
    assert story.order.failed_attempts == 1


def test_an_arrival_said_again_after_a_failed_attempt_is_no_second_try() -> None:
    story = a_story(S.PICKED_UP)
    story.at += HOUR_MS
    must(story.report(P.REACHED_DOOR, device_at=NOON + 5))
    must(story.report(P.ATTEMPT_FAILED, device_at=NOON + 6))
    for device_at in (NOON + 4, NOON + 5):
        assert told(story, story.report(P.REACHED_DOOR, device_at=device_at)) == "repeated"
    assert told(story, story.report(P.REACHED_DOOR, device_at=NOON + 7)) == "done"
    assert story.status() is S.AT_DOOR


def test_one_visit_to_the_shop_serves_all_its_orders() -> None:
    story = a_story(S.ASSIGNED, orders=3)
    decision = must(story.report(P.REACHED_SHOP, 1))
    assert {one.status for one in story.orders} == {S.COURIER_AT_SHOP}
    assert [c.events for c in decision.changes[:3]] == [(CourierReachedShop(at=NOON),)] * 3
    assert told(story, story.report(P.REACHED_SHOP, 0)) == "repeated"
    must(story.report(P.PICKED_UP, 1))
    assert story.courier.route[0].orders == (story.orders[0].id, story.orders[2].id)
    assert [one.status for one in story.orders] == [
        S.COURIER_AT_SHOP,
        S.PICKED_UP,
        S.COURIER_AT_SHOP,
    ]


def test_a_courier_is_free_only_when_his_last_stop_is_done() -> None:
    story = a_story(S.AT_DOOR, orders=2)
    since = story.courier.free_since
    story.at += MINUTE_MS
    must(story.report(P.DELIVERED, 1))
    assert story.courier.free_since == since
    assert story.courier.orders == (story.orders[0].id,)
    story.at += MINUTE_MS
    must(story.report(P.DELIVERED, 0))
    assert story.courier.free_since == story.at


@pytest.mark.parametrize("step", RETURN)
def test_a_step_that_was_done_is_repeated_without_a_change(step: ProgressStep) -> None:
    story = a_story(S.RETURNED)
    decision = story.report(step)
    assert told(story, decision) == "repeated"
    assert must(decision).changes == ()


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (S.DELIVERED, P.RETURN_STARTED),
        (S.DELIVERED, P.RETURNED),
        (S.RETURNING, P.DELIVERED),
        (S.RETURNED, P.DELIVERED),
    ],
)
def test_what_can_never_be_true_any_more_is_refused(
    status: OrderStatus, step: ProgressStep
) -> None:
    refusal = a_story(status).report(step)
    assert refusal == Refusal(code="order_state", detail={"status": status.value})


def test_an_order_that_is_not_his_is_refused() -> None:
    story, other = a_story(S.ASSIGNED), a_story(S.ASSIGNED)
    for order_id, known in (
        (other.order.id, story.held | other.held),
        (other.order.id, story.held),
        (OrderId(new_id()), story.held),
    ):
        command = ReportProgress(
            courier_id=story.courier.id, order_id=order_id, step=P.REACHED_SHOP
        )
        carrying = Carrying(story.courier, known, parameters=story.zone.parameters, now=NOON)
        assert carrying.report(command) == Refusal(
            code="not_your_order", detail={"order_id": order_id}
        )


def test_a_report_before_its_turn_is_kept_and_done_in_its_turn() -> None:
    story = a_story(S.ASSIGNED)
    decision = story.report(P.PICKED_UP, device_at=NOON + 5)
    assert told(story, decision) == "kept"
    (change,) = must(decision).changes
    assert change.events == (
        ReportKept(at=NOON, device_at=NOON + 5, order_id=story.order.id, step=P.PICKED_UP),
    )
    assert story.status() is S.ASSIGNED
    story.at += MINUTE_MS
    decision = must(story.report(P.REACHED_SHOP, device_at=NOON + 3))
    assert story.status() is S.PICKED_UP
    assert story.order.picked_up_at == NOON + 5
    assert story.courier.early == ()
    order_change, courier_change = decision.changes
    assert [one.device_at for one in order_change.events] == [NOON + 3, NOON + 5]
    assert order_change.thing.version == 4
    assert courier_change.thing.version == story.courier.version


def test_the_same_early_report_is_kept_once() -> None:
    story = a_story(S.ASSIGNED)
    must(story.report(P.PICKED_UP, device_at=NOON))
    again = story.report(P.PICKED_UP, device_at=NOON)
    assert told(story, again) == "kept"
    assert must(again).changes == ()
    assert len(story.courier.early) == 1


def test_a_report_said_twice_before_its_turn_does_not_outlive_its_order() -> None:
    story = a_story(S.ASSIGNED, orders=2)
    must(story.report(P.DELIVERED, 0, device_at=NOON + 1))
    must(story.report(P.DELIVERED, 0, device_at=NOON + 2))
    for step in DELIVERY[:3]:
        must(story.report(step, 0))
    assert story.status(0) is S.DELIVERED
    assert story.courier.early == ()
    must(story.report(P.PICKED_UP, 1))
    assert story.status(1) is S.PICKED_UP


def test_kept_reports_are_bounded() -> None:
    story = a_story(S.ASSIGNED)
    for index in range(EARLY_MAX):
        assert told(story, story.report(P.PICKED_UP, device_at=NOON + index)) == "kept"
    refusal = story.report(P.DELIVERED)
    assert refusal == Refusal(code="too_many_early_reports", detail={"limit": EARLY_MAX})
    assert told(story, story.report(P.PICKED_UP, device_at=NOON)) == "kept"
    must(story.report(P.REACHED_SHOP))
    assert story.status() is S.PICKED_UP


def test_a_wrong_pin_is_refused_and_counted() -> None:
    story = a_story(S.AT_DOOR)
    before = story.order
    decision = story.report(P.DELIVERED, pin=WRONG)
    assert refused(decision) == Refusal(code="wrong_pin", detail={"tries_left": 4})
    assert story.status() is S.AT_DOOR
    assert story.order.pin_tries == 1
    assert story.order.version == before.version + 1
    assert story.events_of(story.order.id)[-1] == PinMistaken(at=NOON)
    must(story.report(P.DELIVERED, pin=PIN))
    assert story.status() is S.DELIVERED


def test_after_too_many_wrong_pins_even_the_right_one_is_locked_out() -> None:
    story = with_parameters(S.AT_DOOR, pin_tries_max=2)
    assert refused(story.report(P.DELIVERED, pin=WRONG)).detail == {"tries_left": 1}
    assert refused(story.report(P.DELIVERED, pin=WRONG)).detail == {"tries_left": 0}
    locked = story.report(P.DELIVERED, pin=PIN)
    assert locked == Refusal(code="pin_locked", detail={"order_id": story.order.id})
    assert story.order.pin_tries == 2
    must(story.report(P.ATTEMPT_FAILED))
    must(story.report(P.RETURN_STARTED))


def test_wrong_pins_that_were_kept_count_and_lock_as_well() -> None:
    story = with_parameters(S.ASSIGNED, pin_tries_max=2)
    for index, pin in enumerate((WRONG, "1111", PIN)):
        must(story.report(P.DELIVERED, pin=pin, device_at=NOON + index))
    for step in DELIVERY[:3]:
        must(story.report(step))
    assert story.status() is S.AT_DOOR
    assert story.order.pin_tries == 2
    assert story.courier.early == ()
    assert refused(story.report(P.DELIVERED)).code == "pin_locked"


def test_a_right_pin_after_a_wrong_one_opens_also_when_both_were_kept() -> None:
    story = a_story(S.ASSIGNED)
    for pin in (WRONG, PIN):
        must(story.report(P.DELIVERED, pin=pin))
    for step in DELIVERY[:3]:
        must(story.report(step))
    assert story.status() is S.DELIVERED
    assert story.order.pin_tries == 1


def test_who_ends_his_duty_stops_when_his_last_order_is_done() -> None:
    story = a_story(S.AT_DOOR, orders=2)
    story.go_off()
    assert story.courier.status is CourierStatus.ENDING
    must(story.report(P.DELIVERED, 0))
    assert story.duty() is Duty.ENDING
    decision = must(story.report(P.DELIVERED, 1))
    assert story.duty() is Duty.OFF
    assert decision.changes[-1].events == (
        RouteChanged(at=NOON, stops=0),
        WentOffDuty(at=NOON),
    )


def test_who_ends_his_duty_takes_no_kept_report_with_him() -> None:
    story = a_story(S.PICKED_UP)
    for index in range(3):
        must(story.report(P.DELIVERED, device_at=NOON + index))
    story.go_off()
    must(story.report(P.REACHED_DOOR))
    assert story.duty() is Duty.OFF
    assert story.courier.early == ()


def test_a_phone_cannot_report_from_the_future_or_from_before_the_order_was_his() -> None:
    story = a_story(S.ASSIGNED, at=NOON)
    story.at = NOON + MINUTE_MS
    must(story.report(P.REACHED_SHOP, device_at=NOON + HOUR_MS))
    assert story.courier.route[0].arrived_at == story.at
    must(story.report(P.PICKED_UP, device_at=NOON - HOUR_MS))
    assert story.order.picked_up_at == NOON
    must(story.report(P.REACHED_DOOR))
    must(story.report(P.DELIVERED, device_at=NOON + HOUR_MS))
    assert story.order.ended_at == story.at
    assert story.courier.leaves_at <= story.at + story.zone.parameters.door_leave_s * SECOND_MS
    assert story.events_of(story.order.id)[-1].device_at == NOON + HOUR_MS


def test_the_right_pin_proves_the_second_try_whose_arrival_was_overtaken() -> None:
    story = a_story(S.ATTEMPT_FAILED)
    must(story.report(P.DELIVERED))
    assert story.status() is S.DELIVERED
    assert told(story, story.report(P.REACHED_DOOR)) == "repeated"


def test_a_wrong_pin_after_a_failed_attempt_counts_at_the_door() -> None:
    story = a_story(S.ATTEMPT_FAILED)
    assert refused(story.report(P.DELIVERED, pin=WRONG)).code == "wrong_pin"
    assert (story.status(), story.order.pin_tries) == (S.AT_DOOR, 1)


def test_a_return_proves_the_second_failure_that_was_overtaken() -> None:
    story = a_story(S.ATTEMPT_FAILED)
    must(story.report(P.REACHED_DOOR))
    must(story.report(P.RETURN_STARTED))
    assert story.status() is S.RETURNING
    assert story.order.failed_attempts == 2
    assert told(story, story.report(P.ATTEMPT_FAILED)) == "repeated"


def test_a_return_without_any_failed_attempt_waits_for_one() -> None:
    story = a_story(S.AT_DOOR)
    assert told(story, story.report(P.RETURN_STARTED)) == "kept"
    must(story.report(P.ATTEMPT_FAILED))
    assert story.status() is S.RETURNING
