"""Why this one, why not the next, why nobody."""

import pytest
from hypothesis import given

from optimizer.problem import Alternative, Policy, Problem, Reason, Vehicle, Weights
from optimizer.routes import Considered
from optimizer.solve import solve
from optimizer.timing import Timetable
from tests.optimizer.problems import a_job, a_problem, a_route, towns

GIFT = a_job("gift", 5, 8)
PLAIN = Policy(weights=Weights(idle=0))


@pytest.mark.parametrize(
    ("other", "policy", "reason"),
    [
        (Vehicle(id="other", node=11), PLAIN, Reason.FARTHER),
        (Vehicle(id="other", node=5, free_at_s=900), PLAIN, Reason.BUSY),
        (Vehicle(id="other", node=4, latest_pickup_s=60), PLAIN, Reason.SHIFT_ENDS),
        (
            Vehicle(id="other", node=4, idle_since_s=0),
            Policy(weights=Weights(idle=1000)),
            Reason.SHORTER_IDLE,
        ),
        (
            Vehicle(id="other", node=5, idle_since_s=-600),
            Policy(weights=Weights(idle=0, stability=100_000)),
            Reason.KEPT,
        ),
    ],
)
def test_the_runner_up_is_told_why(other: Vehicle, policy: Policy, reason: Reason) -> None:
    chosen = Vehicle(id="chosen", node=4, idle_since_s=-600)
    incumbent = (a_route("chosen", ("gift",)),)
    plan = solve(a_problem([chosen, other], [GIFT], policy=policy, incumbent=incumbent))
    assert plan.routes[0].vehicle == "chosen"
    (told,) = plan.rankings["gift"]
    assert (told.vehicle, told.reason) == ("other", reason)
    assert (told.extra_cost is None) == (reason is Reason.SHIFT_ENDS)


def test_a_runner_up_costs_the_difference() -> None:
    near, far = Vehicle(id="near", node=5), Vehicle(id="far", node=8)
    plan = solve(a_problem([near, far], [GIFT], policy=PLAIN))
    price = (3 * 60) * (PLAIN.weights.waiting + PLAIN.weights.travel)
    assert plan.rankings["gift"] == (
        Alternative(vehicle="far", extra_cost=price, reason=Reason.FARTHER),
    )


def test_everybody_who_could_have_had_it_is_told_of_best_first() -> None:
    vans = [Vehicle(id=f"van {n}", node=5 + n) for n in range(6)]
    plan = solve(a_problem(vans, [GIFT], policy=PLAIN))
    assert [told.vehicle for told in plan.rankings["gift"]] == [f"van {n}" for n in range(1, 6)]


@pytest.mark.parametrize(
    ("van", "job", "policy", "reason"),
    [
        (Vehicle(id="van", node=0), a_job("gift", 1, 2, size=2), PLAIN, Reason.FULL),
        (
            Vehicle(id="van", node=0, capacity_g=9),
            a_job("gift", 1, 2, weight_g=10),
            PLAIN,
            Reason.FULL,
        ),
        (Vehicle(id="van", node=9, latest_pickup_s=60), GIFT, PLAIN, Reason.SHIFT_ENDS),
        (
            Vehicle(id="van", node=9),
            GIFT,
            Policy(weights=Weights(unassigned=0, unassigned_age=0)),
            Reason.TOO_LATE,
        ),
    ],
)
def test_a_job_left_out_is_told_why(
    van: Vehicle, job: object, policy: Policy, reason: Reason
) -> None:
    plan = solve(a_problem([van], [job], policy=policy))  # type: ignore[list-item]
    assert plan.unassigned == {"gift": reason}
    (told,) = plan.rankings["gift"]
    assert (told.vehicle, told.reason) == ("van", reason)


def test_without_candidates_there_is_none() -> None:
    plan = solve(a_problem([Vehicle(id="van", node=0)], [GIFT], candidates={}))
    assert plan.unassigned == {"gift": Reason.NO_CANDIDATE}
    assert plan.rankings == {"gift": ()}


def test_the_vehicle_may_be_needed_more_elsewhere() -> None:
    van = Vehicle(id="van", node=0)
    jobs = [a_job("dear", 1, 2, weight=9), GIFT]
    plan = solve(a_problem([van], jobs, policy=Policy(trips_max=1)))
    assert plan.unassigned == {"gift": Reason.BETTER_ELSEWHERE}


@given(towns())
def test_no_alternative_would_have_been_better(problem: Problem) -> None:
    plan = solve(problem)
    carrier = {
        job: route.vehicle for route in plan.routes for trip in route.trips for job in trip.jobs
    }
    known = {vehicle.id for vehicle in problem.vehicles}
    assert set(plan.rankings) == {job.id for job in problem.jobs}
    for job, ranking in plan.rankings.items():
        extras = [told.extra_cost for told in ranking]
        possible = [extra for extra in extras if extra is not None]
        assert possible == sorted(possible)
        assert job in plan.unassigned or all(extra >= 0 for extra in possible)
        assert extras[: len(possible)] == possible
        assert not {carrier.get(job)} & {told.vehicle for told in ranking}
        others = {*problem.candidates.get(job, ())} & known - {carrier.get(job)}
        assert others <= {told.vehicle for told in ranking}
    assert Timetable(problem).cost(plan.routes) == plan.cost


@given(towns())
def test_everybody_who_may_have_a_job_was_considered_for_it(problem: Problem) -> None:
    plan = solve(problem)
    considered, here = Considered(plan), {one.id for one in problem.vehicles}
    carrier = {
        job: route.vehicle for route in plan.routes for trip in route.trips for job in trip.jobs
    }
    assert set(considered) == {one.id for one in problem.jobs}
    assert len(considered) == len(problem.jobs)
    for job, whom in considered.items():
        others = tuple(one.vehicle for one in plan.rankings[job])
        assert whom == (*([carrier[job]] if job in carrier else []), *others)
        assert set(whom) >= here & set(problem.candidates.get(job, ()))
    assert considered.get("gone") is None
