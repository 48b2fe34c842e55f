"""What must hold when couriers go on duty, rest and stop."""

import pytest

from engine.couriers import duty
from engine.couriers.courier import (
    CAPACITY_G,
    Courier,
    CourierStatus,
    Duty,
    DutyEnding,
    ShiftAnnounced,
    WentOffDuty,
    WentOnDuty,
)
from engine.couriers.handing_over import hand_over
from engine.couriers.messages import BeginShift, GoOnDuty, HandOver
from engine.couriers.prepositioning import is_idle
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, UserId, ZoneId
from engine.kernel.messages import Decision, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant
from engine.orders.order import OrderStatus
from tests.builders import CORNER, NOON, SHOP, a_courier, a_story, must, new_id, take_break

LATER = NOON + MINUTE_MS


def going_on(
    courier: Courier | None = None,
    *,
    zone_id: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> GoOnDuty:
    return GoOnDuty(
        courier_id=courier.id if courier else CourierId(UserId(new_id())),
        zone_id=ZoneId(zone_id or (courier.zone_id if courier else new_id())),
        name="Fahad",
        vehicle=VehicleKind.MOTORCYCLE,
        capacity_units=2,
        point=SHOP,
        shift_begins_at=since,
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


def announced(courier: Courier | None = None) -> Courier:
    return courier_in(duty.go_on(courier, going_on(courier, since=LATER), now=NOON))


def test_who_announces_his_shift_is_free_when_and_where_it_begins() -> None:
    command = going_on(since=LATER, until=NOON + HOUR_MS)
    decision = duty.go_on(None, command, now=NOON)
    courier = courier_in(decision)
    assert (courier.status, courier.shift.begins_at) == (CourierStatus.ON, LATER)
    assert (courier.last_point, courier.leaves_at, courier.free_since) == (SHOP, LATER, LATER)
    assert not is_idle(courier, LATER - 1)
    assert is_idle(courier, LATER)
    assert events_in(decision) == [
        ShiftAnnounced(
            at=NOON,
            zone_id=command.zone_id,
            shift_begins_at=LATER,
            shift_ends_at=NOON + HOUR_MS,
        )
    ]


def test_an_announced_shift_is_duty_from_its_begin_on() -> None:
    courier = announced()
    command = BeginShift(courier_id=courier.id)
    assert duty.begin_shift(courier, command, now=LATER - 1) == Decision()
    decision = duty.begin_shift(courier, command, now=LATER)
    (change,) = decision.changes
    assert isinstance(change.thing, Courier)
    assert events_in(decision) == [
        WentOnDuty(at=LATER, zone_id=courier.zone_id, shift_ends_at=None)
    ]
    assert (change.thing.shift.begins_at, change.thing.leaves_at) == (None, LATER)
    assert duty.begin_shift(change.thing, command, now=LATER) == Decision()


def test_who_comes_before_he_said_begins_at_once_where_he_is() -> None:
    courier = announced()
    courier = courier_in(duty.go_on(courier, going_on(courier), now=NOON + 1))
    assert (courier.shift.begins_at, courier.leaves_at) == (None, NOON + 1)


def test_an_announcement_may_be_changed_or_withdrawn() -> None:
    courier = announced()
    moved = courier_in(duty.go_on(courier, going_on(courier, since=LATER + 1), now=NOON + 1))
    assert (moved.shift.begins_at, moved.leaves_at) == (LATER + 1, LATER + 1)
    off = courier_in(duty.go_off(moved, now=NOON + 2))
    assert off.duty is Duty.OFF
    resting = courier_in(take_break(courier, now=NOON + 2))
    assert resting.shift.begins_at is None
    for one in (off, resting):
        assert duty.begin_shift(one, BeginShift(courier_id=one.id), now=LATER) == Decision()


def test_who_is_at_work_announces_nothing() -> None:
    for courier in (a_courier(), a_story(OrderStatus.PICKED_UP).courier):
        decision = duty.go_on(courier, going_on(courier, since=LATER), now=NOON)
        assert courier_in(decision).shift.begins_at is None
        assert [type(one) for one in events_in(decision)] == [WentOnDuty]


def test_a_begin_that_has_passed_is_now() -> None:
    courier = courier_in(duty.go_on(None, going_on(since=NOON - 1), now=NOON))
    assert (courier.shift.begins_at, courier.leaves_at) == (None, NOON)


@pytest.mark.parametrize(
    ("since", "until"),
    [(NOON + duty.AHEAD_MAX_MS + 1, None), (LATER, LATER), (LATER, NOON + 1)],
    ids=["too far ahead", "ends when it begins", "ends before it begins"],
)
def test_a_shift_that_cannot_be_is_not_announced(since: Instant, until: Instant | None) -> None:
    answer = duty.go_on(None, going_on(since=since, until=until), now=NOON)
    assert answer == Refusal(code="shift_begin", detail={"minutes": 120})


def test_who_is_handed_over_before_his_shift_begins_it_no_sooner() -> None:
    courier = announced()
    zone_id = ZoneId(new_id())
    command = HandOver(courier_id=courier.id, zone_id=zone_id, point=CORNER)
    moved = courier_in(hand_over(courier, command, now=NOON + 1))
    assert (moved.zone_id, moved.last_point, moved.leaves_at) == (zone_id, CORNER, LATER)
