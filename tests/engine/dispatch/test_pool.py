"""What must hold of a tick as a problem for the optimizer."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Duty
from engine.dispatch.pool import is_available, policy_of
from engine.dispatch.proposals import stops_of
from engine.dispatch.underway import UnderWay
from engine.dispatch.waiting_list import group_of
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import GreatCircle, Speeds, TravelProfile, VehicleKind
from engine.geo.zone import Zone
from engine.kernel.ids import OfferId, ZoneId
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import Gift, Lapse, Lapsed, Order, OrderStatus
from optimizer.solve import solve
from optimizer.verify import verify
from tests.builders import (
    CORNER,
    DOOR,
    NOON,
    SHOP,
    a_courier,
    a_fix,
    a_story,
    a_zone,
    an_order,
    new_id,
)
from tests.engine.dispatch.ticks import problem_of

ZONE = a_zone()


@pytest.mark.parametrize(
    ("fields", "can"),
    [
        ({}, True),
        ({"shift_ends_at": NOON + 1}, True),
        ({"shift_ends_at": NOON}, False),
        ({"offer_id": OfferId(new_id())}, False),
        ({"zone_id": ZoneId(new_id())}, False),
        ({"duty": Duty.OFF}, False),
        ({"duty": Duty.BREAK}, False),
        ({"duty": Duty.ENDING}, False),
        ({"route": a_story(OrderStatus.ASSIGNED).courier.route}, True),
    ],
)
def test_who_is_free_or_will_be_may_be_planned(fields: dict[str, Any], *, can: bool) -> None:
    assert is_available(a_courier(zone=ZONE, **fields), ZONE, NOON) is can


def test_orders_become_jobs_in_seconds_from_now() -> None:
    order = an_order(
        zone=ZONE,
        gift=Gift(description="Cake", size_units=3),
        placed_at=NOON - 90 * SECOND_MS,
        ready_at=NOON + 600 * SECOND_MS,
        due_at=NOON + 3000 * SECOND_MS,
    )
    neighbour = an_order(zone=ZONE)
    (job, same_shop) = problem_of(ZONE, [order, neighbour], [], now=NOON).jobs
    assert (job.id, job.size) == (order.id, 3)
    assert (job.placed_s, job.ready_s, job.due_s) == (-90, 600, 3000)
    assert job.group == same_shop.group
    assert job.pickup == same_shop.pickup != job.delivery


def test_couriers_become_vehicles_from_where_and_when_they_are_free() -> None:
    free = a_courier(
        zone=ZONE,
        shift_ends_at=NOON + 3600 * SECOND_MS,
        free_since=NOON - 300 * SECOND_MS,
        capacity_units=2,
    )
    busy = a_story(OrderStatus.ASSIGNED, zone=ZONE).courier
    vehicles = {one.id: one for one in problem_of(ZONE, [], [busy, free], now=NOON).vehicles}
    assert vehicles[free.id].free_at_s == 0
    assert vehicles[free.id].latest_pickup_s == 3600
    assert vehicles[free.id].idle_since_s == -300
    assert vehicles[free.id].capacity == 2
    assert vehicles[free.id].pace_permille == 1000
    assert vehicles[busy.id].free_at_s > 600
    assert vehicles[busy.id].latest_pickup_s is None
    assert vehicles[busy.id].node != vehicles[free.id].node


def test_who_was_seen_elsewhere_starts_there() -> None:
    courier = a_courier(zone=ZONE)
    order = an_order(zone=ZONE)
    seen = {courier.id: a_fix(SHOP, NOON)}
    problem = problem_of(ZONE, [order], [courier], seen=seen, now=NOON)
    way = np.array([problem.vehicles[0].node]), np.array([problem.jobs[0].pickup])
    assert problem.travel.between(*way).tolist() == [0]


def test_a_slower_vehicle_has_a_slower_pace() -> None:
    speeds = Speeds(car=36, motorcycle=72, bicycle=18, foot=3.6)
    zone = a_zone(parameters=ZoneParameters(travel=TravelProfile(speeds_kmh=speeds)))
    couriers = [a_courier(zone=zone, vehicle=kind) for kind in VehicleKind]
    paces = {one.id: one.pace_permille for one in problem_of(zone, [], couriers, now=NOON).vehicles}
    assert [paces[one.id] for one in couriers] == [1000, 500, 2000, 10_000]


def test_travel_between_nodes_is_the_zones_travel_by_car() -> None:
    order, courier = an_order(zone=ZONE), a_courier(zone=ZONE)
    problem = problem_of(ZONE, [order], [courier], now=NOON)
    (job,), (vehicle,) = problem.jobs, problem.vehicles
    origins, ends = np.array([vehicle.node, job.pickup]), np.array([job.pickup, job.delivery])
    travel = GreatCircle(ZONE.parameters.travel)
    assert problem.travel.between(origins, ends).tolist() == [
        travel.one_s(CORNER, SHOP, vehicle=VehicleKind.CAR, at=NOON),
        travel.one_s(SHOP, DOOR, vehicle=VehicleKind.CAR, at=NOON),
    ]


def test_the_same_tick_is_the_same_problem() -> None:
    orders = [an_order(zone=ZONE) for _ in range(4)]
    couriers = [a_courier(zone=ZONE) for _ in range(3)]
    one = problem_of(ZONE, orders, couriers, now=NOON)
    other = problem_of(ZONE, orders[::-1], couriers[::-1], now=NOON)
    assert (one.jobs, one.vehicles) == (other.jobs, other.vehicles)
    assert list(one.candidates.items()) == list(other.candidates.items())


@pytest.mark.parametrize("percent", [0, 100, 250])
def test_whose_shift_ends_sooner_is_as_if_he_were_idle_for_longer(percent: int) -> None:
    zone = a_zone(parameters=ZoneParameters(shift_end_idle_percent=percent))
    ends_min = {600: 60, 90: 60, 60: 60, 20: 20, 1: 1}
    couriers = {
        minutes: a_courier(zone=zone, shift_ends_at=NOON + minutes * 60 * SECOND_MS)
        for minutes in ends_min
    }
    endless = a_courier(zone=zone)
    problem = problem_of(zone, [], [*couriers.values(), endless], now=NOON)
    idle_since_s = {one.id: one.idle_since_s for one in problem.vehicles}
    for minutes, counted_min in ends_min.items():
        assert idle_since_s[couriers[minutes].id] == counted_min * 60 * percent // 100
    assert idle_since_s[endless.id] == 3600 * percent // 100


@pytest.mark.parametrize(("apart_m", "are_beside"), [(0, False), (110, False), (112, True)])
def test_shops_near_each_other_are_neighbours(apart_m: int, *, are_beside: bool) -> None:
    zone = a_zone(parameters=ZoneParameters(shops_apart_m_max=apart_m))
    beside = Point(lat=SHOP.lat + 0.001, lng=SHOP.lng)
    far = Point(lat=SHOP.lat, lng=SHOP.lng + 0.01)
    orders = [a_gift_of(zone, shop) for shop in (SHOP, beside, far, SHOP)]
    problem = problem_of(zone, orders, [a_courier(zone=zone)], now=NOON)
    wanted = {group_of(SHOP), group_of(beside)}
    assert [set(pair) for pair in problem.neighbours] == ([wanted] if are_beside else [])


def test_a_trip_to_neighbours_is_kept_when_the_zone_wants_no_more_of_them() -> None:
    zone, beside = a_zone(), Point(lat=SHOP.lat + 0.001, lng=SHOP.lng)
    orders = [a_gift_of(zone, shop) for shop in (SHOP, beside)]
    courier = a_courier(zone=zone, route=stops_of(orders), capacity_units=2)
    trip = UnderWay((SHOP, beside), tuple(one.id for one in orders), NOON)
    problem = problem_of(zone, orders, [courier], under_way={courier.id: trip}, now=NOON)
    plan = solve(problem)
    assert verify(problem, plan) == ()
    assert set(plan.routes[0].trips[0].jobs) == {one.id for one in orders}


@pytest.mark.parametrize(("cash_max", "alone"), [(10_000, True), (400_000, False)])
def test_cash_of_neighbours_is_no_more_than_a_courier_may_hold(
    cash_max: int, *, alone: bool
) -> None:
    parameters = ZoneParameters(shops_apart_m_max=200, cash_held_halalas_max=cash_max)
    zone, beside = a_zone(parameters=parameters), Point(lat=SHOP.lat + 0.001, lng=SHOP.lng)
    orders = [
        replace(a_gift_of(zone, shop), is_cash=True, total_halalas=6_000, paid_halalas=0)
        for shop in (SHOP, beside)
    ]
    problem = problem_of(zone, orders, [a_courier(zone=zone)], now=NOON)
    apart = {job.group for job in problem.jobs} - {
        group for pair in problem.neighbours for group in pair
    }
    assert bool(apart) is alone


def a_gift_of(zone: Zone, shop: Point) -> Order:
    order = an_order(zone=zone)
    return replace(order, shop=replace(order.shop, point=shop))


def test_who_declined_is_no_candidate() -> None:
    yes, no = a_courier(zone=ZONE), a_courier(zone=ZONE)
    declined = Lapsed(courier_id=no.id, reason=Lapse.DECLINED, at=NOON)
    order = an_order(zone=ZONE, lapsed=(declined,))
    assert problem_of(ZONE, [order], [yes, no], now=NOON).candidates == {order.id: (yes.id,)}


def test_the_zones_parameters_are_the_optimizers_policy() -> None:
    parameters = ZoneParameters(
        waiting_weight=1,
        lateness_weight=2,
        travel_weight=3,
        idle_weight=4,
        stability_weight=5,
        bundle_size_max=6,
        bundle_extra_s=7,
        trips_max=5,
        search_rounds_per_order=8,
        search_rounds_max=9,
        shop_service_s=181,
        door_service_s=60,
    )
    policy = policy_of(parameters)
    weights = policy.weights
    assert (weights.waiting, weights.lateness, weights.travel) == (1, 2, 3)
    assert (weights.idle, weights.stability) == (4, 5)
    assert (policy.bundle_size_max, policy.bundle_extra_s_max, policy.trips_max) == (6, 7, 5)
    assert (policy.rounds_per_job, policy.rounds_max) == (8, 9)
    service = problem_of(a_zone(parameters=parameters), [], [], now=NOON).service
    assert (service.pickup_before_s, service.pickup_after_s) == (90, 91)
    assert (service.delivery_before_s, service.delivery_after_s) == (30, 30)


@given(st.integers(0, 5), st.integers(0, 4), st.integers(1, 3))
def test_a_tick_can_be_solved_and_its_plan_keeps_the_rules(
    orders: int, couriers: int, capacity: int
) -> None:
    waiting = [an_order(zone=ZONE) for _ in range(orders)]
    free = [a_courier(zone=ZONE, capacity_units=capacity) for _ in range(couriers)]
    if couriers:
        free[0] = replace(free[0], leaves_at=NOON + 10 * MINUTE_MS)
    problem = problem_of(ZONE, waiting, free, now=NOON)
    plan = solve(problem)
    assert verify(problem, plan) == ()
    if couriers:
        planned = {job for route in plan.routes for trip in route.trips for job in trip.jobs}
        assert planned | set(plan.unassigned) == {one.id for one in waiting}
