"""Whole plans at once are what the definition says of each route."""

from hypothesis import given

from optimizer.problem import Problem
from optimizer.routes import RouteTable
from optimizer.schedule import Schedule
from optimizer.solve import solve
from optimizer.timing import Timetable
from tests.optimizer.problems import a_problem, towns


@given(towns())
def test_columns_tell_what_the_definition_tells_of_each_route(problem: Problem) -> None:
    plan, timetable = solve(problem), Timetable(problem)
    chains = {route.vehicle: [trip.jobs for trip in route.trips] for route in plan.routes}
    schedule = Schedule(problem, RouteTable.of(tuple(plan.routes)))
    vehicles = {one.id: one for one in problem.vehicles}
    told = [
        (vehicles[route.vehicle], timed)
        for route in plan.routes
        for timed in timetable.chain(vehicles[route.vehicle], chains[route.vehicle])
    ]
    trips = [timed.trip for _, timed in told]
    assert trips == [trip for route in plan.routes for trip in route.trips]
    assert schedule.arrival_s.tolist() == [timed.arrival_s for _, timed in told]
    assert schedule.free_s.tolist() == [timed.free_s for _, timed in told]
    assert schedule.driving_s.tolist() == [timed.driving_s for _, timed in told]
    assert schedule.leave_s.tolist() == [trip.leave_s for trip in trips]
    assert schedule.pickup_s.tolist() == [trip.pickup_s for trip in trips]
    assert schedule.delivery_s.tolist() == [one for trip in trips for one in trip.deliveries_s]
    extras = [extra_s for one in told for extra_s in timetable.extras_s(*one)]
    assert schedule.extra_s.tolist() == extras
    assert schedule.cost() == timetable.cost(plan.routes)


def test_nothing_planned_costs_nothing() -> None:
    assert Schedule(a_problem([], []), RouteTable.of(())).cost() == 0
