"""The verifier finds every planted fault."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from msgspec import structs

from optimizer.problem import (
    Alternative,
    Plan,
    Policy,
    Problem,
    Rankings,
    Reason,
    Route,
    Trip,
    Vehicle,
)
from optimizer.solve import solve
from optimizer.timing import Timetable
from optimizer.verify import verify
from tests.optimizer.problems import a_job, a_problem, a_route, towns

VANS = (
    Vehicle(id="a", node=0, latest_pickup_s=3600, capacity=3, capacity_g=9_000),
    Vehicle(id="b", node=9, latest_pickup_s=3600, capacity=3),
    Vehicle(id="bound", node=4, capacity=3, bound_for="shop 6"),
)
JOBS = (
    a_job("one", 1, 3),
    a_job("two", 1, 4),
    a_job("three", 6, 8),
    a_job("heavy", 6, 9, size=4),
    a_job("late", 6, 9, ready_s=4000),
    a_job("promised", 6, 9),
    a_job("dense", 6, 9, weight_g=9_001),
)
POLICY = Policy(trips_max=2, bundle_size_max=2, bundle_extra_s_max=300)
PROBLEM = a_problem(
    VANS,
    JOBS,
    policy=POLICY,
    incumbent=(a_route("bound", ("promised",)),),
    candidates={
        "one": ("a", "b"),
        "two": ("a", "b"),
        "three": ("a", "bound"),
        "heavy": ("a",),
        "late": ("a", "b"),
        "dense": ("a",),
        "promised": ("bound",),
    },
)


def told(*routes: Route, problem: Problem = PROBLEM) -> Plan:
    """The plan of these chains with true times, cost and reasons for the rest."""
    timetable = Timetable(problem)
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    timed = tuple(
        Route(
            vehicle=route.vehicle,
            trips=tuple(
                each.trip
                for each in timetable.chain(
                    vehicles[route.vehicle], [trip.jobs for trip in route.trips]
                )
            ),
        )
        for route in routes
    )
    planned = {job for route in routes for trip in route.trips for job in trip.jobs}
    left = {job.id: Reason.BETTER_ELSEWHERE for job in problem.jobs if job.id not in planned}
    return Plan(routes=timed, unassigned=left, cost=timetable.cost(timed))


BOUND = a_route("bound", ("promised",))
GOOD = told(a_route("a", ("one", "two"), ("three",)), BOUND)


def codes(plan: Plan, problem: Problem = PROBLEM) -> set[str]:
    return {violation.code for violation in verify(problem, plan)}


def retimed(**change: object) -> Plan:
    """The good plan with a lie about its first trip."""
    first = structs.replace(GOOD.routes[0].trips[0], **change)
    route = structs.replace(GOOD.routes[0], trips=(first, *GOOD.routes[0].trips[1:]))
    return replace(GOOD, routes=(route, *GOOD.routes[1:]))


def test_a_true_plan_passes() -> None:
    assert verify(PROBLEM, GOOD) == ()


@pytest.mark.parametrize(
    ("routes", "code"),
    [
        ([a_route("a", ("heavy",))], "over_capacity"),
        ([a_route("a", ("late",))], "shift_ends"),
        ([a_route("a", ("dense",))], "too_heavy"),
        ([a_route("b", ("three",))], "not_candidate"),
        ([a_route("a", ("one", "three"))], "mixed_groups"),
        ([a_route("a", ("one",), ("two",), ("three",))], "too_many_trips"),
        ([a_route("a", ("three", "heavy", "late"))], "bundle_too_big"),
        ([a_route("a", ("three", "late"))], "bundle_too_slow"),
        ([a_route("a", ("one",), ("one",))], "job_twice"),
        ([a_route("a", ("one",)), a_route("a", ("two",))], "vehicle_twice"),
        ([a_route("a")], "empty_trip"),
    ],
)
def test_a_broken_rule_is_found(routes: Sequence[Route], code: str) -> None:
    assert code in codes(told(*routes, BOUND))


@pytest.mark.parametrize(
    "lie",
    [
        {"pickup_s": GOOD.routes[0].trips[0].pickup_s - 1},
        {"leave_s": GOOD.routes[0].trips[0].leave_s + 1},
        {"deliveries_s": tuple(each - 1 for each in GOOD.routes[0].trips[0].deliveries_s)},
        {"deliveries_s": GOOD.routes[0].trips[0].deliveries_s[:1]},
        {"jobs": ("two", "one")},
    ],
)
def test_a_lie_about_times_is_found(lie: dict[str, object]) -> None:
    assert "wrong_times" in codes(retimed(**lie))


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (replace(GOOD, cost=GOOD.cost - 1), "wrong_cost"),
        (
            replace(GOOD, routes=(structs.replace(GOOD.routes[0], vehicle="x"), BOUND)),
            "unknown_vehicle",
        ),
        (replace(GOOD, unassigned={**GOOD.unassigned, "x": Reason.FULL}), "unknown_job"),
        (replace(GOOD, unassigned={}), "job_missing"),
        (
            replace(GOOD, unassigned={**GOOD.unassigned, "one": Reason.FULL}),
            "planned_and_unassigned",
        ),
        (replace(GOOD, routes=GOOD.routes[:1]), "redirected"),
        (
            replace(
                GOOD,
                rankings=Rankings.of(
                    {"three": (Alternative(vehicle="b", extra_cost=1, reason=Reason.FARTHER),)}
                ),
            ),
            "ranks_no_candidate",
        ),
    ],
)
def test_a_planted_fault_is_found(plan: Plan, code: str) -> None:
    assert code in codes(plan)


def test_an_empty_trip_is_found() -> None:
    nothing = Trip(group="", jobs=(), leave_s=0, pickup_s=0, deliveries_s=())
    plan = replace(GOOD, routes=(Route(vehicle="a", trips=(nothing,)), *GOOD.routes[1:]))
    assert "empty_trip" in codes(plan)


def test_what_was_promised_may_be_late_but_not_moved_behind_another_shop() -> None:
    hurried = structs.replace(VANS[2], latest_pickup_s=-600, capacity=0)
    jobs = (*JOBS, a_job("slow", 6, 9, ready_s=900))
    problem = replace(PROBLEM, vehicles=(*VANS[:2], hurried), jobs=jobs)
    problem = replace(problem, candidates={**PROBLEM.candidates, "slow": ("bound",)})
    assert codes(told(BOUND, problem=problem), problem) == set()
    joined = a_route("bound", ("promised", "slow"))
    assert codes(told(joined, problem=problem), problem) >= {"shift_ends", "over_capacity"}
    behind = a_route("bound", ("one",), ("promised",))
    assert "redirected" in codes(told(behind, problem=problem), problem)


@given(towns(vehicles_max=3, jobs_max=5))
def test_a_plan_that_promises_a_second_too_early_is_refused(problem: Problem) -> None:
    plan = solve(problem)
    for at, route in enumerate(plan.routes):
        trip = structs.replace(route.trips[-1], pickup_s=route.trips[-1].pickup_s - 1)
        routes = list(plan.routes)
        routes[at] = structs.replace(route, trips=(*route.trips[:-1], trip))
        assert "wrong_times" in codes(replace(plan, routes=tuple(routes)), problem)
