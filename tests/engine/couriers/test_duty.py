"""What must hold when couriers go on duty, rest and stop."""

import pytest

from engine.couriers import duty
from engine.couriers.courier import (
    CAPACITY_G,
    BreakEnded,
    BreakTaken,
    Courier,
    CourierStatus,
    Duty,
    DutyEnding,
    WentOffDuty,
    WentOnDuty,
)
from engine.couriers.messages import GoOnDuty
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, UserId, ZoneId
from engine.kernel.messages import Decision, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant
from engine.orders.order import OrderStatus
from tests.builders import CORNER, NOON, SHOP, a_courier, a_story, must, new_id

LATER = NOON + MINUTE_MS


def going_on(
    courier: Courier | None = None, *, zone_id: str | None = None, until: Instant | None = None
) -> GoOnDuty:
    return GoOnDuty(
        courier_id=courier.id if courier else CourierId(UserId(new_id())),
        zone_id=ZoneId(zone_id or (courier.zone_id if courier else new_id())),
        name="Fahad",
        vehicle=VehicleKind.MOTORCYCLE,
        capacity_units=2,
        point=SHOP,
        shift_ends_at=until,
    )


def courier_in(decision: Decision | Refusal) -> Courier:
    (change,) = must(decision).changes
    assert isinstance(change.thing, Courier)
    assert must(decision).reply == {"duty": change.thing.duty.value}
    return change.thing


def events_in(decision: Decision | Refusal) -> list[Event]:
    return [event for change in must(decision).changes for event in change.events]


def test_who_was_never_on_duty_becomes_a_courier() -> None:
    command = going_on(until=NOON + HOUR_MS)
    decision = duty.go_on(None, command, now=NOON)
    courier = courier_in(decision)
    assert (courier.id, courier.version, courier.status) == (
        command.courier_id,
        1,
        CourierStatus.ON,
    )
    assert (courier.vehicle, courier.capacity_units) == (VehicleKind.MOTORCYCLE, 2)
    assert (courier.capacity_g, courier.skills) == (CAPACITY_G[VehicleKind.MOTORCYCLE], ())
    assert courier.last_point == SHOP
    assert courier.free_since == courier.leaves_at == NOON
    assert events_in(decision) == [
        WentOnDuty(at=NOON, zone_id=command.zone_id, shift_ends_at=NOON + HOUR_MS)
    ]


def test_who_comes_back_starts_afresh_where_he_is_also_in_another_zone() -> None:
    off = a_courier(Duty.OFF)
    command = going_on(off, zone_id=new_id())
    courier = courier_in(duty.go_on(off, command, now=LATER))
    assert courier.version == off.version + 1
    assert courier.zone_id == command.zone_id
    assert courier.last_point == SHOP
    assert courier.free_since == courier.leaves_at == LATER


def test_saying_it_twice_renews_the_shift_and_nothing_else() -> None:
    on = a_courier()
    courier = courier_in(duty.go_on(on, going_on(on, until=LATER + HOUR_MS), now=LATER))
    assert courier.shift_ends_at == LATER + HOUR_MS
    assert courier.status is CourierStatus.ON
    assert courier.last_point == CORNER
    assert courier.free_since == courier.leaves_at == NOON


def test_who_is_busy_may_renew_his_shift_and_keeps_his_route_and_offer() -> None:
    for status in (OrderStatus.OFFERED, OrderStatus.PICKED_UP):
        before = a_story(status).courier
        courier = courier_in(duty.go_on(before, going_on(before, until=LATER), now=NOON))
        assert (courier.route, courier.offer_id) == (before.route, before.offer_id)


def test_who_was_about_to_end_may_change_his_mind() -> None:
    story = a_story(OrderStatus.PICKED_UP)
    story.go_off()
    courier = courier_in(duty.go_on(story.courier, going_on(story.courier), now=LATER))
    assert courier.status is CourierStatus.BUSY


def test_a_shift_ends_in_the_future() -> None:
    assert duty.go_on(None, going_on(until=NOON), now=NOON) == Refusal(code="shift_over")
    assert isinstance(duty.go_on(None, going_on(until=NOON + 1), now=NOON), Decision)


def test_nobody_is_on_duty_in_two_zones() -> None:
    for courier in (a_courier(), a_courier(Duty.BREAK)):
        answer = duty.go_on(courier, going_on(courier, zone_id=new_id()), now=NOON)
        assert answer == Refusal(code="busy_elsewhere", detail={"zone_id": courier.zone_id})


def test_who_rests_goes_on_by_ending_his_break() -> None:
    resting = a_courier(Duty.BREAK)
    answer = duty.go_on(resting, going_on(resting), now=NOON)
    assert answer == Refusal(code="courier_state", detail={"duty": "break"})


@pytest.mark.parametrize("before", [Duty.ON, Duty.BREAK])
def test_without_a_route_duty_ends_at_once(before: Duty) -> None:
    decision = duty.go_off(a_courier(before), now=LATER)
    assert courier_in(decision).duty is Duty.OFF
    assert events_in(decision) == [WentOffDuty(at=LATER)]


def test_with_a_route_duty_ends_after_it() -> None:
    story = a_story(OrderStatus.PICKED_UP)
    decision = duty.go_off(story.courier, now=LATER)
    assert courier_in(decision).duty is Duty.ENDING
    assert events_in(decision) == [DutyEnding(at=LATER)]


def test_stopping_twice_changes_nothing() -> None:
    ending = a_story(OrderStatus.PICKED_UP)
    ending.go_off()
    for courier in (ending.courier, a_courier(Duty.OFF)):
        decision = duty.go_off(courier, now=LATER)
        assert decision == Decision(reply={"duty": courier.duty.value})


def test_an_open_offer_is_withdrawn_before_duty_ends() -> None:
    with pytest.raises(AssertionError):
        duty.go_off(a_story(OrderStatus.OFFERED).courier, now=LATER)


def test_a_break_begins_and_ends() -> None:
    on = a_courier()
    rest = duty.take_break(on, now=LATER)
    resting = courier_in(rest)
    assert (resting.status, resting.version) == (CourierStatus.BREAK, on.version + 1)
    assert events_in(rest) == [BreakTaken(at=LATER)]
    assert duty.take_break(resting, now=LATER) == Decision(reply={"duty": "break"})
    work = duty.end_break(resting, now=LATER + HOUR_MS)
    working = courier_in(work)
    assert working.status is CourierStatus.ON
    assert working.free_since == LATER + HOUR_MS
    assert events_in(work) == [BreakEnded(at=LATER + HOUR_MS)]
    assert duty.end_break(working, now=LATER) == Decision(reply={"duty": "on"})


def test_nobody_rests_while_he_carries_or_is_asked() -> None:
    for status in (OrderStatus.OFFERED, OrderStatus.ASSIGNED):
        answer = duty.take_break(a_story(status).courier, now=NOON)
        assert answer == Refusal(code="courier_busy")


def test_who_is_not_at_work_can_neither_rest_nor_go_on() -> None:
    story = a_story(OrderStatus.PICKED_UP)
    story.go_off()
    for courier in (story.courier, a_courier(Duty.OFF)):
        no = Refusal(code="courier_state", detail={"duty": courier.duty.value})
        assert duty.take_break(courier, now=NOON) == no
        assert duty.end_break(courier, now=NOON) == no
