"""Trips that fetch from several neighbouring shops."""

import dataclasses

import pytest
from hypothesis import given
from msgspec import structs

from optimizer.neighbours import may_join, visited
from optimizer.problem import Plan, Policy, Problem, Route, Trip, Vehicle
from optimizer.routes import RouteTable, promises
from optimizer.solve import solve
from optimizer.timing import Timetable
from optimizer.verify import verify
from tests.optimizer.problems import SERVICE, a_job, a_problem, a_route, towns

VAN = Vehicle(id="van", node=0, capacity=4)
BESIDE = (("shop 3", "shop 4"),)
# From the handover in one shop to that in the next, a block of a minute away.
BETWEEN_S = SERVICE.pickup_after_s + 60 + SERVICE.pickup_before_s


def test_the_next_shop_costs_its_way_and_its_own_service() -> None:
    jobs = [a_job("one", 3, 8), a_job("two", 4, 6)]
    timetable = Timetable(a_problem([VAN], jobs, neighbours=BESIDE))
    (timed,) = timetable.chain(VAN, [("two", "one")])
    first_s = 3 * 60 + SERVICE.pickup_before_s
    pickup_s = first_s + BETWEEN_S
    to_door_s = SERVICE.pickup_after_s + 2 * 60 + SERVICE.delivery_before_s
    assert timed.trip.group == "shop 3"
    assert timed.trip.pickup_s == pickup_s
    assert timed.trip.leave_s == 0
    assert timed.trip.deliveries_s[0] == pickup_s + to_door_s
    assert timed.driving_s == (3 + 1 + 2 + 2) * 60
    assert timetable.extras_s(VAN, timed)[0] == BETWEEN_S


def test_shops_are_visited_as_they_are_ready_and_only_the_last_is_waited_for() -> None:
    jobs = [a_job("late", 3, 8, ready_s=3000), a_job("soon", 4, 9, ready_s=600)]
    timetable = Timetable(a_problem([VAN], jobs, neighbours=BESIDE))
    (timed,) = timetable.chain(VAN, [("late", "soon")])
    assert timed.trip.group == "shop 4"
    assert timed.trip.pickup_s == 3000
    assert timed.trip.leave_s == 3000 - BETWEEN_S - SERVICE.pickup_before_s - 4 * 60
    assert visited(jobs, "shop 3") == ("shop 3", "shop 4")


@pytest.mark.parametrize(("neighbours", "trips"), [((), 2), (BESIDE, 1)])
def test_neighbours_share_a_trip(neighbours: tuple[tuple[str, str], ...], trips: int) -> None:
    jobs = [a_job("one", 3, 14), a_job("two", 4, 15)]
    problem = a_problem([VAN], jobs, neighbours=neighbours)
    plan = solve(problem)
    assert verify(problem, plan) == ()
    assert len(plan.routes[0].trips) == trips


def test_all_shops_of_a_trip_are_neighbours_of_one_another() -> None:
    jobs = [a_job(f"job {n}", n, 14) for n in (3, 4, 5)]
    chain = (("shop 3", "shop 4"), ("shop 4", "shop 5"))
    problem = a_problem([VAN], jobs, neighbours=chain)
    (route,) = solve(problem).routes
    groups = [{job[-1] for job in trip.jobs} for trip in route.trips]
    assert {"3", "5"} not in groups
    assert len(groups) == 2
    pairs = frozenset(chain) | {(b, a) for a, b in chain}
    assert may_join("shop 4", ["shop 3", "shop 5"], pairs)
    assert not may_join("shop 3", ["shop 4", "shop 5"], pairs)


def test_a_trip_to_strangers_is_no_plan() -> None:
    jobs = [a_job("one", 3, 14), a_job("two", 4, 15)]
    plan = solve(a_problem([VAN], jobs, neighbours=BESIDE))
    found = verify(a_problem([VAN], jobs), plan)
    assert [one.code for one in found] == ["mixed_groups"]


def test_a_trip_that_names_another_first_shop_is_no_plan() -> None:
    problem = a_problem([VAN], [a_job("one", 3, 14), a_job("two", 4, 15)], neighbours=BESIDE)
    plan = solve(problem)
    (route,) = plan.routes
    other = structs.replace(route.trips[0], group="shop 4")
    wrong = Plan(
        routes=(Route(vehicle="van", trips=(other,)),),
        unassigned={},
        cost=plan.cost,
        rankings=plan.rankings,
    )
    assert [one.code for one in verify(problem, wrong)] == ["mixed_groups"]


def test_whoever_is_bound_for_a_shop_goes_there_first_and_may_fetch_next_door() -> None:
    van = Vehicle(id="van", node=4, capacity=4, bound_for="shop 4")
    jobs = [a_job("first", 4, 14, ready_s=300), a_job("next door", 3, 15, ready_s=60)]
    problem = a_problem([van], jobs, neighbours=BESIDE, incumbent=(a_route("van", ("first",)),))
    plan = solve(problem)
    assert verify(problem, plan) == ()
    (trip,) = plan.routes[0].trips
    assert trip.group == "shop 4"
    assert set(trip.jobs) == {"first", "next door"}


def test_what_was_promised_next_door_is_promised() -> None:
    van = Vehicle(id="van", node=4, capacity=1, bound_for="shop 4", latest_pickup_s=0)
    jobs = [a_job("first", 4, 14), a_job("next door", 3, 15)]
    problem = a_problem(
        [van],
        jobs,
        neighbours=BESIDE,
        incumbent=(a_route("van", ("first", "next door")),),
        policy=Policy(bundle_size_max=1, bundle_extra_s_max=0, rounds_max=5),
    )
    assert promises(problem) == {"van": ("first", "next door")}
    plan = solve(problem)
    assert verify(problem, plan) == ()
    assert plan.routes[0].trips[0].jobs == ("first", "next door")
    assert promises(dataclasses.replace(problem, neighbours=())) == {"van": ("first",)}


@given(towns())
def test_neighbours_that_are_gone_change_nothing(problem: Problem) -> None:
    alone = dataclasses.replace(problem, neighbours=())
    gone = dataclasses.replace(problem, neighbours=(("gone", "shop 0"), ("shop 1", "shop 1")))
    assert solve(gone) == solve(alone)


@given(towns())
def test_every_trip_tells_its_first_shop(problem: Problem) -> None:
    plan, jobs = solve(problem), {job.id: job for job in problem.jobs}
    bound = {vehicle.id: vehicle.bound_for for vehicle in problem.vehicles}
    held = promises(problem)
    for route in plan.routes:
        for place, trip in enumerate(route.trips):
            is_bound = place == 0 and route.vehicle in held
            told = [jobs[job] for job in trip.jobs]
            shops = visited(told, bound[route.vehicle] if is_bound else None)
            assert trip.group == shops[0]


def test_columns_of_routes_keep_the_first_shop() -> None:
    trip = Trip(group="shop 3", jobs=("a", "b"), leave_s=1, pickup_s=2, deliveries_s=(3, 4))
    assert RouteTable.of((Route(vehicle="van", trips=(trip,)),)).trip(0) == trip
