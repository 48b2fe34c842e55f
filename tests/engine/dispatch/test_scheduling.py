"""When gifts for later windows join the waiting orders."""

from dataclasses import replace as changed

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Break, Duty
from engine.dispatch import scheduling
from engine.dispatch.scheduling import (
    Shift,
    crew,
    release_bounds,
    releases,
    routing_problem_of,
    shift_of,
)
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.geo.zone import Zone
from engine.kernel.place import Place, Point
from engine.kernel.skills import Skill
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS
from engine.orders.order import Gift, Order, OrderStatus, Window
from optimizer.routing.problem import Reason, Rest, Route, RoutingPlan, Side, Visit
from tests.builders import CORNER, DOOR, NOON, SHOP, a_courier, a_zone, an_order

LEAD_S = 1800


def a_gift(zone: Zone, *, opens_min: int = 360, long_min: int = 120, door: Point = DOOR) -> Order:
    opens = NOON + opens_min * MINUTE_MS
    window = Window(start=opens, end=opens + long_min * MINUTE_MS)
    order = an_order(OrderStatus.SCHEDULED, zone=zone)
    ready_at = window.start - HOUR_MS
    return replace(
        order,
        window=window,
        ready_at=ready_at,
        release_at=ready_at - LEAD_S * SECOND_MS,
        due_at=window.end,
        door=Place(point=door),
    )


def a_plan(*lines: list[tuple[Order, Side, int]]) -> RoutingPlan:
    """Visits at so many minutes from noon, a route a line."""
    return RoutingPlan(
        routes=tuple(
            Route(
                vehicle=str(number),
                visits=tuple(
                    Visit(request=order.id, side=side, begin_s=minute * 60)
                    for order, side, minute in line
                ),
                rests_s=(),
                leave_s=0,
                over_s=0,
            )
            for number, line in enumerate(lines)
        ),
        unserved={},
        cost=0,
    )


def test_orders_of_one_trip_are_released_together_and_the_next_trip_later() -> None:
    zone = a_zone()
    one, two, three = (a_gift(zone) for _ in range(3))
    plan = a_plan(
        [
            (one, Side.PICKUP, 340),
            (two, Side.PICKUP, 345),
            (one, Side.DELIVERY, 365),
            (two, Side.DELIVERY, 375),
            (three, Side.PICKUP, 390),
            (three, Side.DELIVERY, 410),
        ]
    )
    found = releases(zone, (one, two, three), plan, now=NOON)
    assert found[one.id] == found[two.id] == NOON + 340 * MINUTE_MS - LEAD_S * SECOND_MS
    assert found[three.id] == NOON + 390 * MINUTE_MS - LEAD_S * SECOND_MS


def test_an_order_that_the_plan_leaves_out_is_released_as_without_a_plan() -> None:
    zone = a_zone()
    order = a_gift(zone)
    plan = RoutingPlan(routes=(), unserved={order.id: Reason.NO_ROOM}, cost=0)
    assert releases(zone, (order,), plan, now=NOON) == {order.id: order.release_at}


@given(st.integers(0, 1000), st.integers(1, 600), st.integers(181, 1000))
def test_whatever_the_plan_says_a_release_is_within_its_bounds(
    minute: int, long_min: int, opens_min: int
) -> None:
    zone = a_zone()
    order = a_gift(zone, opens_min=opens_min, long_min=long_min)
    plan = a_plan([(order, Side.PICKUP, minute), (order, Side.DELIVERY, minute + 1)])
    first, last = release_bounds(zone, order)
    assert order.release_at == first <= last
    assert first <= releases(zone, (order,), plan, now=NOON)[order.id] <= last


def test_the_last_release_leaves_the_lead_and_the_whole_way_before_the_window_ends() -> None:
    zone = a_zone(parameters=ZoneParameters(shop_service_s=100, door_service_s=60))
    order = a_gift(zone, door=SHOP)
    assert order.window is not None
    _, last = release_bounds(zone, order)
    assert last == order.window.end - (100 + 60 + LEAD_S) * SECOND_MS


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(181, 900), st.integers(10, 240)), min_size=1, max_size=8))
def test_the_problem_says_what_the_orders_say(windows: list[tuple[int, int]]) -> None:
    zone = a_zone()
    orders = [a_gift(zone, opens_min=opens, long_min=long) for opens, long in windows]
    problem = routing_problem_of(zone, orders, crew(zone, (), orders), now=NOON)
    before_s = zone.parameters.door_service_s - zone.parameters.door_leave_s
    for order, request in zip(orders, problem.requests, strict=True):
        assert order.window is not None
        handed_over = NOON + (request.delivery.latest_s + before_s) * SECOND_MS
        assert handed_over == order.window.end
        assert NOON + request.pickup.earliest_s * SECOND_MS == order.ready_at
    assert len(problem.vehicles) == zone.parameters.schedule_crew
    assert problem.seconds.shape == (2, 2)


def test_those_on_duty_count_before_those_who_are_only_expected() -> None:
    zone = a_zone(parameters=ZoneParameters(schedule_crew=3))
    bike = Shift(
        id="bike",
        point=CORNER,
        starts_at=NOON + MINUTE_MS,
        ends_at=NOON + HOUR_MS,
        vehicle=VehicleKind.BICYCLE,
        capacity_units=2,
    )
    order = a_gift(zone)
    shifts = crew(zone, (bike,), (order,))
    assert [one.id for one in shifts] == ["bike", "expected 000", "expected 001"]
    first = routing_problem_of(zone, (order,), shifts, now=NOON).vehicles[0]
    assert (first.shift_start_s, first.shift_end_s, first.volume) == (60, 3600, 2)
    assert first.pace_permille > 1000
    assert len(crew(zone, (bike,) * 5, (order,))) == 5


def test_a_courier_on_duty_is_free_where_his_route_ends() -> None:
    zone = a_zone()
    courier = replace(a_courier(zone=zone), shift_ends_at=NOON + HOUR_MS)
    shift = scheduling.shift_of(courier, None, zone.parameters, now=NOON)
    assert (shift.id, shift.ends_at) == (courier.id, NOON + HOUR_MS)
    assert (shift.point, shift.capacity_units) == (courier.last_point, courier.capacity_units)


def test_gifts_are_planned_around_a_break() -> None:
    zone = a_zone()
    courier = replace(a_courier(zone=zone), rest=Break(begins_at=NOON + HOUR_MS, lasts_s=900))
    order = a_gift(zone, opens_min=30)
    shift = scheduling.shift_of(courier, None, zone.parameters, now=NOON)
    (vehicle,) = routing_problem_of(zone, (order,), (shift,), now=NOON).vehicles
    assert vehicle.rests == (Rest(earliest_s=3600, latest_s=5400, duration_s=900),)
    resting = replace(courier, duty=Duty.BREAK, rest=Break(begins_at=NOON, lasts_s=900))
    back = scheduling.shift_of(resting, None, zone.parameters, now=NOON)
    assert (back.starts_at, back.rest) == (NOON + 900 * SECOND_MS, None)


def test_the_orders_whose_release_is_nearest_are_planned() -> None:
    zone = a_zone()
    late, soon = a_gift(zone, opens_min=600), a_gift(zone, opens_min=400)
    assert scheduling.soonest([late, an_order(zone=zone), soon]) == (soon, late)
    many = [late] * scheduling.ORDERS_MAX
    assert scheduling.soonest([*many, soon])[0] == soon
    assert len(scheduling.soonest([*many, soon])) == scheduling.ORDERS_MAX


def test_a_visit_of_another_trip_does_not_move_the_first() -> None:
    zone = a_zone()
    order = a_gift(zone)
    plan = a_plan([(order, Side.PICKUP, 340), (order, Side.DELIVERY, 365)])
    assert releases(zone, (order,), changed(plan, cost=1), now=NOON) == releases(
        zone, (order,), plan, now=NOON
    )


def test_a_gift_is_planned_only_for_who_may_carry_it() -> None:
    zone = a_zone()
    gift = Gift(
        description="cake",
        weight_g=12_000,
        skills=(Skill.COLD,),
        vehicles=(VehicleKind.CAR, VehicleKind.MOTORCYCLE),
    )
    order = replace(a_gift(zone), gift=gift)
    fit = a_courier(zone=zone, capacity_g=12_000, skills=(Skill.COLD, Skill.HEAVY))
    others = (
        replace(fit, capacity_g=11_999),
        replace(fit, skills=(Skill.HEAVY,)),
        replace(fit, vehicle=VehicleKind.BICYCLE),
    )
    shifts = [shift_of(one, None, zone.parameters, now=NOON) for one in (fit, *others)]
    problem = routing_problem_of(zone, [order], shifts, now=NOON)
    (request,) = problem.requests
    able = [
        request.weight <= one.weight and request.skills <= one.skills for one in problem.vehicles
    ]
    assert able == [True, False, False, False]
