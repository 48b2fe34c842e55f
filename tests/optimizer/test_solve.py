"""What must hold of every plan."""

import dataclasses
import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from optimizer.problem import (
    MatrixTravel,
    Plan,
    Policy,
    Problem,
    Reason,
    Vehicle,
    Weights,
)
from optimizer.routes import promises
from optimizer.solve import solve
from optimizer.timing import Timetable
from optimizer.verify import verify
from tests.optimizer.problems import SERVICE, a_job, a_problem, a_route, a_street, towns

T = TypeVar("T")


@given(towns())
def test_the_verifier_accepts_every_plan(problem: Problem) -> None:
    assert verify(problem, solve(problem)) == ()


@given(towns())
def test_every_job_is_planned_or_has_a_reason(problem: Problem) -> None:
    plan = solve(problem)
    planned = [job for route in plan.routes for trip in route.trips for job in trip.jobs]
    assert sorted([*planned, *plan.unassigned]) == sorted(job.id for job in problem.jobs)
    assert all(isinstance(reason, Reason) for reason in plan.unassigned.values())


@given(towns(), st.integers(0, 20))
def test_no_plan_is_worse_than_its_incumbent(problem: Problem, rounds: int) -> None:
    first = solve(problem)
    policy = dataclasses.replace(problem.policy, rounds_max=rounds)
    # What was promised may be carried whatever the candidates say, but only where it was promised.
    holders = {
        job: (route.vehicle,) for route in first.routes for trip in route.trips for job in trip.jobs
    }
    candidates = {
        job: tuple(dict.fromkeys((*able, *holders.get(job, ()))))
        for job, able in problem.candidates.items()
    }
    again = dataclasses.replace(
        problem, incumbent=first.routes, policy=policy, candidates=candidates, seed=7
    )
    assert solve(again).cost <= Timetable(again).cost(first.routes) <= first.cost


@given(towns(), st.integers(0, 1000))
def test_the_order_of_the_input_changes_nothing(problem: Problem, seed: int) -> None:
    chance = random.Random(seed)

    def mixed(things: Sequence[T]) -> tuple[T, ...]:
        return tuple(chance.sample(things, len(things)))

    routes = {route.vehicle: route for route in problem.incumbent}
    plain = dataclasses.replace(problem, incumbent=tuple(routes.values()))
    other = dataclasses.replace(
        plain,
        vehicles=mixed(plain.vehicles),
        jobs=mixed(plain.jobs),
        candidates={job: mixed(plain.candidates[job]) for job in mixed(tuple(plain.candidates))},
        incumbent=mixed(plain.incumbent),
    )
    assert solve(other) == solve(plain)


@given(towns())
def test_the_names_of_places_change_nothing(problem: Problem) -> None:
    assert isinstance(problem.travel, MatrixTravel)
    seconds = problem.travel.seconds[::-1, ::-1]
    last = len(seconds) - 1
    renamed = dataclasses.replace(
        problem,
        travel=MatrixTravel(seconds=seconds),
        vehicles=tuple(structs.replace(each, node=last - each.node) for each in problem.vehicles),
        jobs=tuple(
            structs.replace(each, pickup=last - each.pickup, delivery=last - each.delivery)
            for each in problem.jobs
        ),
    )
    assert solve(renamed) == solve(problem)


def test_a_vehicle_carries_what_lies_on_its_way() -> None:
    van = Vehicle(id="van", node=0, capacity=2)
    jobs = [a_job("near", 1, 3), a_job("far", 1, 5)]
    plan = solve(a_problem([van], jobs))
    assert [trip.jobs for trip in plan.routes[0].trips] == [("near", "far")]


def test_a_trip_leaves_as_late_as_it_may() -> None:
    van = Vehicle(id="van", node=0)
    plan = solve(a_problem([van], [a_job("gift", 3, 5, ready_s=1200)]))
    trip = plan.routes[0].trips[0]
    assert trip.pickup_s == 1200
    assert trip.leave_s == 1200 - SERVICE.pickup_before_s - 3 * 60
    assert trip.deliveries_s == (1200 + SERVICE.pickup_after_s + 120 + SERVICE.delivery_before_s,)


def test_with_one_vehicle_trips_follow_each_other() -> None:
    van = Vehicle(id="van", node=0)
    plan = solve(a_problem([van], [a_job("one", 1, 2), a_job("two", 3, 4)]))
    assert [trip.jobs for trip in plan.routes[0].trips] == [("one",), ("two",)]


def test_a_better_match_for_all_beats_the_nearest_for_one() -> None:
    vans = [Vehicle(id="a", node=4), Vehicle(id="b", node=12)]
    jobs = [a_job("left", 0, 1), a_job("right", 8, 9)]
    plan = solve(a_problem(vans, jobs))
    assert {route.vehicle: route.trips[0].jobs for route in plan.routes} == {
        "a": ("left",),
        "b": ("right",),
    }


def test_of_equals_the_one_idle_longest_goes() -> None:
    vans = [
        Vehicle(id="a", node=1, idle_since_s=-60),
        Vehicle(id="b", node=1, idle_since_s=-3600),
    ]
    plan = solve(a_problem(vans, [a_job("gift", 1, 5)]))
    assert plan.routes[0].vehicle == "b"


@pytest.mark.parametrize(("stability", "carrier"), [(0, "near"), (100_000, "far")])
def test_a_job_changes_its_vehicle_only_when_it_pays(stability: int, carrier: str) -> None:
    vans = [Vehicle(id="near", node=1), Vehicle(id="far", node=4)]
    policy = Policy(weights=Weights(stability=stability))
    incumbent = (a_route("far", ("gift",)),)
    plan = solve(a_problem(vans, [a_job("gift", 1, 5)], policy=policy, incumbent=incumbent))
    assert plan.routes[0].vehicle == carrier


def test_a_trip_under_way_may_be_joined() -> None:
    vans = [Vehicle(id="a", node=8, capacity=2, bound_for="shop 8"), Vehicle(id="b", node=18)]
    jobs = [a_job("first", 8, 10), a_job("second", 8, 11)]
    plan = solve(a_problem(vans, jobs, incumbent=(a_route("a", ("first",)),)))
    assert [trip.jobs for trip in plan.routes[0].trips] == [("first", "second")]


def test_what_two_under_way_to_one_shop_carry_may_be_exchanged() -> None:
    vans = [
        Vehicle(id="late", node=8, free_at_s=900, bound_for="shop 8"),
        Vehicle(id="soon", node=8, free_at_s=60, bound_for="shop 8"),
    ]
    jobs = [a_job("ready", 8, 10), a_job("not yet", 8, 11, ready_s=1500)]
    incumbent = (a_route("late", ("ready",)), a_route("soon", ("not yet",)))
    plan = solve(a_problem(vans, jobs, incumbent=incumbent))
    assert {route.vehicle: route.trips[0].jobs for route in plan.routes} == {
        "late": ("not yet",),
        "soon": ("ready",),
    }


@given(towns())
def test_nobody_under_way_is_redirected(problem: Problem) -> None:
    plan = solve(problem)
    first = {route.vehicle: route.trips[0].group for route in plan.routes}
    bound = {vehicle.id: vehicle.bound_for for vehicle in problem.vehicles}
    for vehicle in promises(problem):
        assert first[vehicle] == bound[vehicle]


def test_a_day_of_nothing_is_planned_too() -> None:
    assert solve(a_problem([], [])) == Plan(routes=(), unassigned={}, cost=0)


def test_without_time_the_incumbent_is_kept_and_the_rest_waits() -> None:
    vans = [Vehicle(id="van", node=0)]
    jobs = [a_job(f"gift {n:02}", 1, 2) for n in range(20)]
    problem = a_problem(vans, jobs, incumbent=(a_route("van", ("gift 07",)),))
    plan = solve(problem, elapsed_s=lambda: 9.0)
    assert verify(problem, plan) == ()
    assert plan.routes[0].trips[0].jobs == ("gift 07",)
    assert plan.unassigned["gift 08"] is Reason.OUT_OF_TIME


def test_the_rounds_bound_the_work_of_a_caller_without_a_clock() -> None:
    rng = np.random.default_rng(5)
    vans = [Vehicle(id=f"van {n}", node=int(rng.integers(20)), capacity=3) for n in range(6)]
    jobs = [
        a_job(f"gift {n:02}", int(rng.integers(4)), int(rng.integers(20)), ready_s=60 * n)
        for n in range(30)
    ]
    costs = [
        solve(a_problem(vans, jobs, policy=Policy(rounds_max=rounds, trips_max=8))).cost
        for rounds in (0, 20, 20)
    ]
    assert costs[0] >= costs[1] == costs[2]


def test_many_trips_may_be_planned_ahead() -> None:
    van = Vehicle(id="van", node=0)
    jobs = [a_job(f"gift {n}", n % 3, 5) for n in range(12)]
    policy = Policy(bundle_size_max=1, trips_max=12)
    plan = solve(a_problem([van], jobs, policy=policy, travel=a_street()))
    assert len(plan.routes[0].trips) == 12


def test_a_number_that_the_search_has_no_room_for_is_an_error_and_not_another_number() -> None:
    heavy = a_problem([Vehicle(id="van", node=0)], [a_job("a", 1, 2, weight_g=2**31)])
    with pytest.raises(ValueError, match="same_value"):
        solve(heavy)
