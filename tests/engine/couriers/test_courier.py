"""What must hold of a courier's state."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import (
    DUTY_TRANSITIONS,
    BreakAnnounced,
    BreakEnded,
    BreakRevoked,
    BreakTaken,
    CourierStatus,
    Duty,
    DutyEnding,
    ProgressStep,
    ReportKept,
    RouteChanged,
    ShiftAnnounced,
    Stop,
    StopKind,
    WentOffDuty,
    WentOnDuty,
    errands,
    evolve,
    reroute,
    without_order,
)
from engine.kernel.ids import OrderId, ZoneId
from engine.kernel.messages import Event
from engine.kernel.timing import MINUTE_MS
from engine.orders.order import OrderStatus
from tests.builders import DOOR, NOON, SHOP, a_courier, a_story, new_id

DUTY_EVENTS: Final[tuple[Event, ...]] = (
    WentOnDuty(at=NOON, zone_id=ZoneId(new_id()), shift_ends_at=None),
    ShiftAnnounced(at=NOON, zone_id=ZoneId(new_id()), shift_begins_at=NOON + 1, shift_ends_at=None),
    WentOffDuty(at=NOON),
    DutyEnding(at=NOON),
    BreakAnnounced(at=NOON, begins_at=NOON + 1, lasts_s=None),
    BreakRevoked(at=NOON),
    BreakTaken(at=NOON),
    BreakEnded(at=NOON),
)
K = StopKind
A, B, C = (OrderId(letter) for letter in "abc")


def a_stop(kind: StopKind, *orders: OrderId) -> Stop:
    return Stop(kind=kind, point=SHOP if kind is StopKind.PICKUP else DOOR, orders=orders)


def test_the_table_names_every_event_of_duty() -> None:
    assert {event for _, event in DUTY_TRANSITIONS} == {type(one) for one in DUTY_EVENTS}


@pytest.mark.parametrize("event", DUTY_EVENTS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("duty", Duty)
def test_a_change_of_duty_outside_the_table_is_a_bug(duty: Duty, event: Event) -> None:
    courier = replace(a_courier(), duty=duty)
    after = DUTY_TRANSITIONS.get((duty, type(event)))
    if after is None:
        with pytest.raises(AssertionError, match=f"{type(event).__name__} cannot follow {duty}"):
            evolve(courier, event)
    else:
        evolved = evolve(courier, event, capacity_units=9)
        assert (evolved.duty, evolved.version) == (after, courier.version + 1)
        assert evolved.capacity_units == 9


@pytest.mark.parametrize("duty", Duty)
def test_what_happens_on_the_road_leaves_duty_alone(duty: Duty) -> None:
    courier = replace(a_courier(), duty=duty)
    kept = ReportKept(at=NOON, order_id=A, step=ProgressStep.DELIVERED)
    assert evolve(courier, RouteChanged(at=NOON, stops=1), kept).duty is duty


def test_one_word_says_what_a_courier_does() -> None:
    free, asked = a_courier(), a_story(OrderStatus.OFFERED).courier
    busy = a_story(OrderStatus.ASSIGNED).courier
    ending = replace(busy, duty=Duty.ENDING)
    couriers = (a_courier(Duty.OFF), a_courier(Duty.BREAK), free, asked, busy, ending)
    assert [one.status for one in couriers] == [
        CourierStatus.OFF,
        CourierStatus.BREAK,
        CourierStatus.ON,
        CourierStatus.OFFERED,
        CourierStatus.BUSY,
        CourierStatus.ENDING,
    ]
    assert replace(busy, offer_id=asked.offer_id).status is CourierStatus.BUSY


def test_his_orders_are_named_once_in_the_order_in_which_he_meets_them() -> None:
    route = (
        a_stop(StopKind.PICKUP, B, A),
        a_stop(StopKind.DROPOFF, A),
        a_stop(StopKind.PICKUP, C),
        a_stop(StopKind.DROPOFF, B),
        a_stop(StopKind.DROPOFF, C),
    )
    assert a_courier(route=route).orders == (B, A, C)


some_order = st.sampled_from([A, B, C])
errand = st.builds(a_stop, st.sampled_from([K.PICKUP, K.DROPOFF, K.RETURN]), some_order, some_order)
routes = st.lists(errand | st.just(a_stop(K.WAIT)), max_size=6).map(tuple)


@given(routes)
def test_an_order_taken_from_a_route_is_nowhere_on_it_and_the_others_stay(
    route: tuple[Stop, ...],
) -> None:
    rest = without_order(route, A)
    left = [(stop.kind, one) for stop in rest for one in stop.orders]
    assert left == [(stop.kind, one) for stop in route for one in stop.orders if one != A]
    assert all(stop.orders for stop in errands(rest))
    assert rest.count(a_stop(K.WAIT)) == route.count(a_stop(K.WAIT))


def test_an_unchanged_route_is_no_event() -> None:
    courier = a_story(OrderStatus.ASSIGNED).courier
    change = reroute(courier, courier.route, now=NOON)
    assert change.events == ()
    assert change.thing.version == courier.version + 1


@pytest.mark.parametrize(("before", "after"), [(Duty.ON, Duty.ON), (Duty.ENDING, Duty.OFF)])
def test_the_last_stop_frees_a_courier_and_ends_a_duty_that_was_ending(
    before: Duty, after: Duty
) -> None:
    now = NOON + MINUTE_MS
    courier = replace(a_story(OrderStatus.PICKED_UP).courier, duty=before)
    change = reroute(courier, (), now=now)
    assert (change.thing.duty, change.thing.free_since) == (after, now)
    assert change.events[0] == RouteChanged(at=now, stops=0)
    assert (WentOffDuty(at=now) in change.events) is (after is Duty.OFF)


def test_a_shorter_route_is_not_yet_freedom() -> None:
    courier = replace(a_story(OrderStatus.ASSIGNED).courier, duty=Duty.ENDING)
    change = reroute(courier, courier.route[1:], now=NOON + MINUTE_MS)
    assert (change.thing.duty, change.thing.free_since) == (Duty.ENDING, NOON)
