"""What must hold of what a vehicle's time is worth to jobs that nobody knows of yet."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.arrays import NEVER, ints
from optimizer.opportunity import AHEAD_S, second_permille, taken_cost
from optimizer.problem import Expected, Policy, Problem, Vehicle, Weights
from optimizer.solve import solve
from optimizer.verify import verify
from tests.optimizer.problems import a_job, a_problem, a_route, towns

WORTH = Weights(waiting=2, lateness=0, travel=0, idle=0, time=100)
# Ready when it is placed, ten minutes of work, and never late.
BUSY = Expected(rate=0.01, preparation=(1.0,), promised_s=NEVER, approach_s=0, work_s=600)


def a_zone(
    vehicles: int,
    expected: Expected | None = BUSY,
    weights: Weights = WORTH,
    *,
    jobs: int = 0,
    latest_pickup_s: int | None = None,
) -> Problem:
    return a_problem(
        [
            Vehicle(id=f"van {n}", node=0, latest_pickup_s=latest_pickup_s, capacity=9)
            for n in range(vehicles)
        ],
        [a_job(f"gift {n}", 0, 1) for n in range(jobs)],
        policy=Policy(rounds_max=0, weights=weights),
        expected=expected,
    )


@pytest.mark.parametrize(
    "problem",
    [
        a_zone(1, None),
        a_zone(0),
        a_zone(1, replace(BUSY, rate=0.0)),
        a_zone(1, weights=replace(WORTH, time=0)),
        a_zone(100),
        a_zone(1, latest_pickup_s=-1),
    ],
    ids=["unknown", "nobody", "nothing", "unpriced", "plenty", "gone"],
)
def test_time_is_worth_nothing_where_nothing_waits_for_it(problem: Problem) -> None:
    assert second_permille(problem) == 0


def test_a_second_lost_is_lost_by_all_that_come_after_it_without_a_pause() -> None:
    # 36 jobs are expected, of which the only vehicle begins one, two and three in the half hour.
    expected = 2 * (36 - 2) * 1000
    assert second_permille(a_zone(1)) == pytest.approx(expected, rel=0.1)
    assert second_permille(a_zone(1, weights=replace(WORTH, time=50))) == pytest.approx(
        expected / 2, rel=0.1
    )


def test_the_time_of_several_is_worth_as_much_as_each_has_to_do() -> None:
    # Eighteen jobs each, and on average two of them begun.
    assert second_permille(a_zone(2)) == pytest.approx(2 * (18 - 2) * 1000, rel=0.15)


def test_what_would_be_late_counts_its_lateness_too() -> None:
    late = replace(WORTH, lateness=4)
    assert second_permille(a_zone(1, weights=late)) == second_permille(a_zone(1))
    at_once = a_zone(1, replace(BUSY, promised_s=0), late)
    assert second_permille(at_once) == pytest.approx(3 * second_permille(a_zone(1)), rel=1e-4)


def test_what_is_known_keeps_others_waiting_but_is_not_counted_itself() -> None:
    """The plan's cost tells what known jobs lose."""
    quiet = replace(BUSY, rate=0.0005)
    assert second_permille(a_zone(2, quiet, jobs=12)) > second_permille(a_zone(2, quiet))
    assert second_permille(a_zone(1, jobs=60)) == second_permille(a_zone(1, jobs=30))


def test_what_somebody_is_under_way_for_keeps_nobody_waiting() -> None:
    known = a_zone(2, jobs=12)
    bound = Vehicle(id="van 0", node=0, capacity=12, bound_for="shop 0")
    settled = replace(
        known,
        vehicles=(bound, *known.vehicles[1:]),
        incumbent=(a_route("van 0", tuple(job.id for job in known.jobs)),),
    )
    assert second_permille(settled) == second_permille(a_zone(2)) != second_permille(known)
    one_is_open = replace(settled, jobs=(*settled.jobs, a_job("new", 0, 1)))
    assert second_permille(one_is_open) == second_permille(a_zone(2, jobs=1))


def test_who_goes_home_leaves_the_queue_to_those_who_stay() -> None:
    stays, goes = Vehicle(id="a", node=0), Vehicle(id="b", node=0, latest_pickup_s=600)
    one_goes = replace(a_zone(2), vehicles=(stays, goes))
    assert second_permille(one_goes) > second_permille(a_zone(2))


def test_no_job_is_left_out_because_time_is_dear() -> None:
    """Ten thousand orders an hour are expected of one van."""
    dear = replace(BUSY, rate=3.0, promised_s=0)
    weights = replace(WORTH, waiting=100, lateness=100, time=200)
    problem = a_problem(
        [Vehicle(id="van", node=0)],
        [a_job("far", 0, 19)],
        policy=Policy(weights=weights),
        expected=dear,
    )
    assert solve(problem).unassigned == {}
    assert second_permille(problem) * AHEAD_S // 1000 < weights.unassigned


@given(towns())
def test_the_order_of_input_does_not_matter(problem: Problem) -> None:
    again = replace(
        problem, vehicles=tuple(reversed(problem.vehicles)), jobs=tuple(reversed(problem.jobs))
    )
    assert second_permille(again) == second_permille(problem)


whole = st.integers(-2 * AHEAD_S, 3 * AHEAD_S)


@given(st.integers(0, 10**6), st.one_of(st.just(NEVER), whole), whole, whole, whole)
def test_time_costs_the_same_in_parts_and_as_columns(
    permille: int, latest_s: int, one: int, other: int, third: int
) -> None:
    from_s, on_s, to_s = sorted((one, other, third))
    cost = taken_cost(permille, latest_s, from_s, to_s)
    parts = (from_s, on_s), (on_s, to_s)
    assert cost == sum(taken_cost(permille, latest_s, *part) for part in parts)
    assert 0 <= cost <= permille * min(AHEAD_S, to_s - from_s) // 1000 + 1
    columns = taken_cost(permille, *(ints([n]) for n in (latest_s, from_s, to_s)))
    assert columns.tolist() == [cost]


def test_time_after_the_last_pickup_costs_nothing() -> None:
    assert taken_cost(5000, 600, 0, 900) == taken_cost(5000, NEVER, 0, 600) == 3000
    assert taken_cost(5000, 600, 700, 900) == 0
    assert taken_cost(5000, NEVER, AHEAD_S, 2 * AHEAD_S) == 0


@pytest.mark.parametrize(("percent", "trips"), [(0, 2), (100, 1)])
def test_where_time_is_dear_more_is_carried_together(percent: int, trips: int) -> None:
    """Two vans in the shop, two gifts for one door, the second ready five minutes later."""
    problem = a_problem(
        [Vehicle(id=name, node=0, capacity=9) for name in "ab"],
        [a_job("first", 0, 8), a_job("second", 0, 8, ready_s=300)],
        policy=Policy(weights=replace(WORTH, time=percent)),
        expected=BUSY,
    )
    plan = solve(problem)
    assert verify(problem, plan) == ()
    assert sum(len(route.trips) for route in plan.routes) == trips
