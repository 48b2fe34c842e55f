"""What of the last plan still holds."""

from hypothesis import given

from optimizer.incumbent import restore
from optimizer.problem import Policy, Problem, Vehicle
from optimizer.solve import solve
from optimizer.tables import Tables
from optimizer.town import empty_chains, trips_of
from tests.optimizer.problems import a_job, a_problem, a_route, towns


def kept(problem: Problem) -> dict[str, list[tuple[str, ...]]]:
    tables = Tables(problem)
    chains = empty_chains(tables.town)
    restore(tables, chains)
    found = {vehicle: trips_of(chains, v) for v, vehicle in enumerate(tables.vehicles.ids)}
    return {
        vehicle: [tuple(tables.jobs.ids[j] for j in jobs) for jobs in trips]
        for vehicle, trips in found.items()
        if trips
    }


def test_who_and_what_is_gone_is_forgotten() -> None:
    vans = [Vehicle(id="a", node=0, capacity=3), Vehicle(id="b", node=0)]
    jobs = [a_job(id_, 1, 5) for id_ in ("one", "two", "three")]
    incumbent = (
        a_route("gone", ("one",)),
        a_route("a", ("two", "gone", "three"), ("gone",), ("one",)),
        a_route("b", ("two",)),
    )
    assert kept(a_problem(vans, jobs, incumbent=incumbent)) == {"a": [("two", "three"), ("one",)]}


def test_a_trip_that_cannot_be_done_is_left_out_of_its_chain() -> None:
    van = Vehicle(id="van", node=0, latest_pickup_s=600)
    jobs = [a_job("now", 1, 2), a_job("late", 1, 2, ready_s=900), a_job("then", 1, 2)]
    incumbent = (a_route("van", ("now",), ("late",), ("then",)),)
    assert kept(a_problem([van], jobs, incumbent=incumbent)) == {"van": [("now",), ("then",)]}


def test_a_trip_that_breaks_a_bound_is_left_out() -> None:
    van = Vehicle(id="van", node=0, capacity=2)
    jobs = [
        a_job("small", 1, 2),
        a_job("heavy", 1, 2, size=2),
        a_job("elsewhere", 3, 2),
        a_job("forbidden", 1, 2),
    ]
    allowed = {job.id: ("van",) for job in jobs} | {"forbidden": ()}
    incumbent = (
        a_route("van", ("small", "heavy"), ("small", "elsewhere"), ("forbidden",), ("elsewhere",)),
    )
    problem = a_problem([van], jobs, candidates=allowed, incumbent=incumbent)
    assert kept(problem) == {"van": [("elsewhere",)]}


def test_no_more_trips_are_kept_than_may_be_planned() -> None:
    van = Vehicle(id="van", node=0)
    jobs = [a_job("one", 1, 2), a_job("two", 1, 2)]
    incumbent = (a_route("van", ("one",), ("two",)),)
    problem = a_problem([van], jobs, incumbent=incumbent, policy=Policy(trips_max=1))
    assert kept(problem) == {"van": [("one",)]}


def test_the_trip_that_is_under_way_stays_whatever_it_breaks() -> None:
    vans = [
        Vehicle(id="a", node=1, capacity=1, bound_for="shop 1"),
        Vehicle(id="b", node=1, capacity=2, latest_pickup_s=-60, bound_for="shop 1"),
    ]
    jobs = [a_job(id_, 1, 5) for id_ in ("one", "two", "three", "four")]
    incumbent = (a_route("a", ("two", "one"), ("four",)), a_route("b", ("three",), ("two",)))
    problem = a_problem(vans, jobs, incumbent=incumbent)
    assert kept(problem) == {"a": [("two", "one"), ("four",)], "b": [("three",)]}


@given(towns())
def test_a_plan_is_kept_as_it_is(problem: Problem) -> None:
    plan = solve(problem)
    carriers = {
        job: route.vehicle for route in plan.routes for trip in route.trips for job in trip.jobs
    }
    again = a_problem(
        problem.vehicles,
        problem.jobs,
        # Who was promised a job may keep it although he is no candidate.
        candidates={
            job: tuple({*allowed, carriers.get(job, "nobody")})
            for job, allowed in problem.candidates.items()
        },
        policy=problem.policy,
        travel=problem.travel,
        service=problem.service,
        incumbent=plan.routes,
        neighbours=problem.neighbours,
    )
    assert kept(again) == {
        route.vehicle: [trip.jobs for trip in route.trips] for route in plan.routes
    }
