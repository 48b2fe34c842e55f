"""What must hold of when a courier will be where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, ProgressStep, Stop, StopKind
from engine.dispatch.eta import walk
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Speeds, TravelProfile
from engine.kernel.ids import OrderId
from engine.kernel.place import Point, distance_m
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import OrderStatus
from tests.builders import NOON, a_courier, a_fix, a_story, a_zone, must

# Ten metres a second along the equator: one step is a minute.
PROFILE = TravelProfile(detour=1.0, speeds_kmh=Speeds(car=36.0))
PARAMETERS = ZoneParameters(travel=PROFILE, shop_service_s=120, door_service_s=60)
_METRE = 1 / distance_m(Point(lat=0.0, lng=0.0), Point(lat=0.0, lng=1.0))
A, B = OrderId("a"), OrderId("b")


def at_minute(minutes: float) -> Point:
    """The place that many minutes of driving down the road."""
    return Point(lat=0.0, lng=minutes * 600 * _METRE)


def a_stop(kind: StopKind, minutes: float, *orders: OrderId, **fields: int) -> Stop:
    return Stop(kind=kind, point=at_minute(minutes), orders=orders, **fields)


def on_the_road(*route: Stop, leaves_at: int = NOON) -> Courier:
    return a_courier(last_point=at_minute(0), leaves_at=leaves_at, route=route)


def minutes(instant: int) -> float:
    return (instant - NOON) / MINUTE_MS


def test_a_route_is_walked_stop_by_stop() -> None:
    courier = on_the_road(
        a_stop(StopKind.PICKUP, 5, A, B),
        a_stop(StopKind.DROPOFF, 8, A),
        a_stop(StopKind.DROPOFF, 10, B),
    )
    walked = walk(courier, None, PARAMETERS, now=NOON)
    # In the shop from 5 to 7; at the doors from 10 and from 13, half a minute before each handover.
    assert {one: minutes(at) for one, at in walked.doors.items()} == {A: 10.5, B: 13.5}
    assert minutes(walked.free_at) == 14
    assert walked.free_point == at_minute(10)


def test_a_courier_waits_for_a_gift_that_is_not_ready() -> None:
    ready_at = NOON + 20 * MINUTE_MS
    courier = on_the_road(
        a_stop(StopKind.PICKUP, 5, A, ready_at=ready_at), a_stop(StopKind.DROPOFF, 8, A)
    )
    walked = walk(courier, None, PARAMETERS, now=NOON)
    assert minutes(walked.doors[A]) == 20 + 1 + 3 + 0.5


def test_a_return_is_walked_too_and_is_no_delivery() -> None:
    courier = on_the_road(a_stop(StopKind.RETURN, 5, A))
    walked = walk(courier, None, PARAMETERS, now=NOON)
    assert walked.doors == {}
    assert minutes(walked.free_at) == 7


def test_who_has_arrived_needs_no_way() -> None:
    arrived_at = NOON - 2 * MINUTE_MS
    courier = on_the_road(
        a_stop(StopKind.PICKUP, 5, A, arrived_at=arrived_at), a_stop(StopKind.DROPOFF, 8, A)
    )
    walked = walk(courier, None, PARAMETERS, now=NOON)
    assert minutes(walked.doors[A]) == 0 + 1 + 3 + 0.5


def test_who_arrived_at_a_later_stop_first_still_has_the_others_ahead() -> None:
    courier = on_the_road(
        a_stop(StopKind.DROPOFF, 5, A), a_stop(StopKind.DROPOFF, 8, B, arrived_at=NOON)
    )
    walked = walk(courier, None, PARAMETERS, now=NOON)
    assert {one: minutes(at) for one, at in walked.doors.items()} == {B: 0.5, A: 1 + 3 + 0.5}
    assert (minutes(walked.free_at), walked.free_point) == (5, at_minute(5))


def test_what_has_not_happened_does_not_lie_in_the_past() -> None:
    courier = on_the_road(a_stop(StopKind.DROPOFF, 5, A))
    late = NOON + 60 * MINUTE_MS
    walked = walk(courier, None, PARAMETERS, now=late)
    assert walked.doors[A] == late + 30 * SECOND_MS
    assert walked.free_at == late + 60 * SECOND_MS


@pytest.mark.parametrize(
    ("seen_minute", "seen_at_minute", "arrives"),
    [
        (None, None, 5),  # by the timetable
        (2, 2, 5),  # as the timetable says
        (1.5, 2, 5),  # half a minute late is no news
        (0, 3, 8),  # stuck
        (4, 1, 2),  # ahead of time
        (0, -1, 5),  # seen before he left
    ],
)
def test_what_was_seen_of_a_courier_corrects_the_timetable(
    seen_minute: float | None, seen_at_minute: int | None, arrives: float
) -> None:
    seen = None
    if seen_minute is not None and seen_at_minute is not None:
        seen = a_fix(at_minute(seen_minute), NOON + seen_at_minute * MINUTE_MS)
    courier = on_the_road(a_stop(StopKind.DROPOFF, 5, A))
    walked = walk(courier, seen, PARAMETERS, now=NOON)
    assert minutes(walked.doors[A]) == arrives + 0.5


def test_who_is_free_is_where_he_was_seen_last_since_he_left() -> None:
    leaves_at = NOON - MINUTE_MS
    courier = on_the_road(leaves_at=leaves_at)
    for seen, point in (
        (None, at_minute(0)),
        (a_fix(at_minute(9), leaves_at - 1), at_minute(0)),
        (a_fix(at_minute(9), leaves_at), at_minute(9)),
    ):
        walked = walk(courier, seen, PARAMETERS, now=NOON)
        assert (walked.free_at, walked.free_point, walked.doors) == (NOON, point, {})


def test_who_still_says_goodbye_is_free_when_he_leaves() -> None:
    courier = on_the_road(leaves_at=NOON + MINUTE_MS)
    assert walk(courier, None, PARAMETERS, now=NOON).free_at == NOON + MINUTE_MS


@given(st.integers(0, 3), st.integers(0, 100), st.integers(0, 3))
def test_every_order_on_board_has_a_time_at_its_door_and_it_comes_before_freedom(
    picked_up: int, wait_min: int, at_door: int
) -> None:
    story = a_story(OrderStatus.COURIER_AT_SHOP, orders=3, zone=a_zone())
    for index in range(picked_up):
        must(story.report(ProgressStep.PICKED_UP, index))
    for index in range(min(at_door, picked_up)):
        must(story.report(ProgressStep.REACHED_DOOR, index))
    now = NOON + wait_min * MINUTE_MS
    walked = walk(story.courier, None, story.zone.parameters, now=now)
    assert set(walked.doors) == {one.id for one in story.orders}
    assert all(now <= at <= walked.free_at for at in walked.doors.values())
    later = walk(story.courier, None, story.zone.parameters, now=now + MINUTE_MS)
    assert all(later.doors[one] >= at for one, at in walked.doors.items())


def test_a_slower_vehicle_arrives_later() -> None:
    story = a_story(OrderStatus.ASSIGNED)
    by_car = walk(story.courier, None, story.zone.parameters, now=NOON)
    on_foot = replace(story.courier, vehicle=type(story.courier.vehicle).FOOT)
    walked = walk(on_foot, None, story.zone.parameters, now=NOON)
    assert walked.doors[story.order.id] > by_car.doors[story.order.id]


@pytest.mark.parametrize(
    ("seen_minute", "seen_at_minute", "now_minute", "free"),
    [
        (None, None, 0, (5, 5)),  # by the timetable
        (3.5, 2, 2, (3.5, 5)),  # ahead of the timetable
        (0, 4, 4, (9, 5)),  # he has not left yet
    ],
)
def test_who_drives_to_a_waiting_point_is_free_there_when_he_arrives(
    seen_minute: float | None, seen_at_minute: int | None, now_minute: int, free: tuple[float, int]
) -> None:
    seen = None
    if seen_minute is not None and seen_at_minute is not None:
        seen = a_fix(at_minute(seen_minute), NOON + seen_at_minute * MINUTE_MS)
    courier = on_the_road(a_stop(StopKind.WAIT, 5))
    walked = walk(courier, seen, PARAMETERS, now=NOON + now_minute * MINUTE_MS)
    assert (minutes(walked.free_at), walked.free_point) == (free[0], at_minute(free[1]))
    assert not walked.doors


def test_a_trip_after_a_waiting_point_begins_there() -> None:
    courier = on_the_road(
        a_stop(StopKind.WAIT, 5), a_stop(StopKind.PICKUP, 7, A), a_stop(StopKind.DROPOFF, 9, A)
    )
    walked = walk(courier, None, PARAMETERS, now=NOON)
    assert minutes(walked.doors[A]) == 5 + 2 + 2 + 2 + 0.5
