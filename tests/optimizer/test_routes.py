"""What must hold of routes as columns: they say what the routes said."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from optimizer.problem import JobTable, Problem, Route, Trip, VehicleTable
from optimizer.routes import RouteTable, carriers, kept_by
from tests.optimizer.problems import towns

names = st.sampled_from("abcdef")
times = st.integers(-1000, 1000)


@st.composite
def trips(draw: st.DrawFn) -> Trip:
    jobs = draw(st.lists(names, max_size=3).map(tuple))
    return Trip(
        group=draw(names),
        jobs=jobs,
        leave_s=draw(times),
        pickup_s=draw(times),
        deliveries_s=tuple(draw(times) for _ in jobs),
    )


routes = st.lists(
    st.builds(Route, vehicle=names, trips=st.lists(trips(), max_size=3).map(tuple)), max_size=5
).map(tuple)


@given(routes)
def test_columns_say_what_the_routes_said(told: tuple[Route, ...]) -> None:
    table = RouteTable.of(told)
    assert tuple(table) == told
    assert table[:] == told
    assert [table[at] for at in range(len(told))] == list(told)
    assert pickle.loads(pickle.dumps(table)) == told
    assert RouteTable.of(table) is table


@given(routes, st.dictionaries(names, trips(), max_size=3))
def test_what_is_begun_comes_first(told: tuple[Route, ...], first: dict[str, Trip]) -> None:
    each = {route.vehicle: route.trips for route in told}
    known = tuple(Route(vehicle=vehicle, trips=chain) for vehicle, chain in each.items())
    begun = RouteTable.of(known).beginning_with(first)
    assert {route.vehicle: route.trips for route in begun} == each | {
        vehicle: (trip, *each.get(vehicle, ())) for vehicle, trip in first.items()
    }


@given(towns())
def test_who_has_a_job_is_known_by_name_and_by_place(problem: Problem) -> None:
    vehicles, jobs = VehicleTable.of(problem.vehicles), JobTable.of(problem.jobs)
    for order in (vehicles, VehicleTable.of(problem.vehicles[::-1])):
        kept = kept_by(problem.incumbent, order, jobs).tolist()
        told = {jobs.ids[j]: order.ids[v] for j, v in enumerate(kept) if v >= 0}
        expected = carriers(problem)
        assert told == {job: who for job, who in expected.items() if job in jobs.at}
