"""What must hold when couriers rest: at once or as announced, and for as long as they said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers import breaks, duty
from engine.couriers.courier import (
    Break,
    BreakAnnounced,
    BreakEnded,
    BreakRevoked,
    BreakTaken,
    Courier,
    CourierStatus,
    Duty,
)
from engine.couriers.messages import EndBreak, FinishBreak, GoOnDuty, TakeBreak
from engine.geo.travel import VehicleKind
from engine.kernel.ids import ZoneId
from engine.kernel.messages import Decision, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant
from engine.orders.order import OrderStatus
from tests.builders import NOON, SHOP, a_courier, a_story, must, new_id

LATER = NOON + MINUTE_MS
AT_ONE = NOON + HOUR_MS


def courier_in(decision: Decision | Refusal) -> Courier:
    (change,) = must(decision).changes
    assert isinstance(change.thing, Courier)
    assert must(decision).reply == {"duty": change.thing.duty.value}
    return change.thing


def events_in(decision: Decision | Refusal) -> list[Event]:
    return [event for change in must(decision).changes for event in change.events]


def take(
    courier: Courier,
    *,
    at: Instant | None = None,
    lasts_s: int | None = None,
    now: Instant = LATER,
) -> Decision | Refusal:
    command = TakeBreak(courier_id=courier.id, begins_at=at, lasts_s=lasts_s)
    return breaks.take(courier, command, now=now)


def end(courier: Courier, *, now: Instant = LATER) -> Decision | Refusal:
    return breaks.end(courier, EndBreak(courier_id=courier.id), now=now)


def finish(courier: Courier, *, now: Instant) -> Decision:
    return breaks.finish(courier, FinishBreak(courier_id=courier.id), now=now)


def announced(at: Instant = AT_ONE, lasts_s: int | None = 600) -> Courier:
    return courier_in(take(a_courier(), at=at, lasts_s=lasts_s))


def test_a_break_begins_and_ends() -> None:
    on = a_courier()
    rest = take(on)
    resting = courier_in(rest)
    assert (resting.status, resting.version) == (CourierStatus.BREAK, on.version + 1)
    assert events_in(rest) == [BreakTaken(at=LATER)]
    assert take(resting) == Decision(reply={"duty": "break"})
    work = end(resting, now=AT_ONE)
    working = courier_in(work)
    assert working.status is CourierStatus.ON
    assert (working.free_since, working.rest) == (AT_ONE, None)
    assert events_in(work) == [BreakEnded(at=AT_ONE)]
    assert end(working) == Decision(reply={"duty": "on"})


def test_who_carries_or_is_asked_can_only_say_that_he_will_rest() -> None:
    for status in (OrderStatus.OFFERED, OrderStatus.ASSIGNED):
        courier = a_story(status).courier
        assert take(courier) == Refusal(code="courier_busy")
        later = courier_in(take(courier, at=NOON))
        assert later.rest == Break(begins_at=LATER)
        assert (later.status, later.route) == (courier.status, courier.route)


def test_who_is_not_at_work_can_neither_rest_nor_go_on() -> None:
    story = a_story(OrderStatus.PICKED_UP)
    story.go_off()
    for courier in (story.courier, a_courier(Duty.OFF)):
        no = Refusal(code="courier_state", detail={"duty": courier.duty.value})
        assert take(courier) == no
        assert take(courier, at=AT_ONE) == no
        assert end(courier) == no


def test_who_announces_a_break_works_until_then() -> None:
    decision = take(a_courier(), at=AT_ONE, lasts_s=600)
    courier = courier_in(decision)
    assert (courier.status, courier.works_until) == (CourierStatus.ON, AT_ONE)
    assert events_in(decision) == [BreakAnnounced(at=LATER, begins_at=AT_ONE, lasts_s=600)]
    assert not breaks.is_due(courier, AT_ONE - 1)
    assert breaks.is_due(courier, AT_ONE)
    assert take(courier, at=AT_ONE, lasts_s=600) == Decision(reply={"duty": "on"})
    assert courier_in(take(courier, at=AT_ONE + 1)).rest == Break(begins_at=AT_ONE + 1)


@pytest.mark.parametrize(("shift_minutes", "first"), [(30, 30), (90, 60)])
def test_he_works_until_the_first_of_shift_and_break(shift_minutes: int, first: int) -> None:
    courier = replace(announced(), shift_ends_at=NOON + shift_minutes * MINUTE_MS)
    assert courier.works_until == NOON + first * MINUTE_MS


def test_what_was_announced_can_be_taken_back() -> None:
    decision = end(announced())
    assert courier_in(decision).works_until is None
    assert events_in(decision) == [BreakRevoked(at=LATER)]


def test_who_still_carries_something_rests_after_it() -> None:
    story = a_story(OrderStatus.PICKED_UP)
    busy = courier_in(take(story.courier, at=LATER, lasts_s=600))
    assert breaks.begins_when(busy) is None
    assert not breaks.is_due(busy, AT_ONE)
    assert breaks.begins_when(replace(busy, route=())) == LATER


def test_a_break_is_as_long_as_was_said_from_when_it_begins() -> None:
    late = courier_in(breaks.begun(announced(), 600, now=AT_ONE + MINUTE_MS))
    ends_at = AT_ONE + 11 * MINUTE_MS
    assert (late.duty, breaks.ends_when(late)) == (Duty.BREAK, ends_at)
    assert late.works_until is None
    assert finish(late, now=ends_at - 1) == Decision()
    back = courier_in(finish(late, now=ends_at))
    assert (back.duty, back.free_since, back.rest) == (Duty.ON, ends_at, None)
    assert finish(back, now=ends_at) == Decision()


def test_who_rests_can_say_how_long_and_say_it_anew() -> None:
    resting = courier_in(take(a_courier()))
    assert breaks.ends_when(resting) is None
    assert finish(resting, now=AT_ONE) == Decision()
    for lasts_s in (600, 1_200):
        resting = courier_in(take(resting, lasts_s=lasts_s, now=LATER + MINUTE_MS))
        assert breaks.ends_when(resting) == LATER + 1_000 * lasts_s


@given(
    ahead_ms=st.integers(-HOUR_MS, 20 * HOUR_MS) | st.none(),
    lasts_s=st.integers(-10, 20_000) | st.none(),
)
def test_a_break_too_far_ahead_too_short_or_too_long_is_refused(
    ahead_ms: int | None, lasts_s: int | None
) -> None:
    at = None if ahead_ms is None else NOON + ahead_ms
    is_fit = (ahead_ms or 0) <= 12 * HOUR_MS and (lasts_s is None or 60 <= lasts_s <= 14_400)
    answer = take(a_courier(), at=at, lasts_s=lasts_s, now=NOON)
    if is_fit:
        assert courier_in(answer).rest is not None
    else:
        assert answer == Refusal(code="break_time", detail={"hours": 12, "minutes": 240})


def test_a_break_does_not_outlive_the_duty() -> None:
    for courier in (announced(), courier_in(take(a_courier(), lasts_s=600))):
        off = courier_in(duty.go_off(courier, now=LATER))
        assert (off.duty, off.rest) == (Duty.OFF, None)
    story = a_story(OrderStatus.PICKED_UP)
    ending = courier_in(duty.go_off(courier_in(take(story.courier, at=AT_ONE)), now=LATER))
    assert (ending.duty, ending.rest) == (Duty.ENDING, None)


def test_what_was_announced_before_the_shift_begins_with_it() -> None:
    command = GoOnDuty(
        courier_id=a_courier().id,
        zone_id=ZoneId(new_id()),
        name="Fahad",
        vehicle=VehicleKind.CAR,
        capacity_units=2,
        point=SHOP,
        shift_begins_at=AT_ONE,
    )
    courier = courier_in(take(courier_in(duty.go_on(None, command, now=NOON)), at=LATER + 1))
    assert breaks.begins_when(courier) == AT_ONE
