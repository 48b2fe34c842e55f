"""When visits take place if every vehicle is as early as it can be: for lines of other solvers."""

from collections.abc import Sequence
from itertools import pairwise

from optimizer.routing.library import Lines
from optimizer.routing.problem import (
    Reason,
    Route,
    RoutingPlan,
    RoutingProblem,
    Side,
    Stop,
    Vehicle,
    Visit,
)


def plan_from(problem: RoutingProblem, lines: Lines) -> RoutingPlan:
    """The lines with times and their cost; whether they are possible the verifier tells."""
    stops = {
        (one.id, side): one.pickup if side is Side.PICKUP else one.delivery
        for one in problem.requests
        for side in Side
    }
    served = {visit.request for line in lines.values() for visit in line}
    unserved = {one.id: Reason.NO_ROOM for one in problem.requests if one.id not in served}
    cost = problem.weights.unserved * len(unserved)
    routes = []
    for vehicle in sorted(problem.vehicles, key=lambda one: one.id):
        line = lines.get(vehicle.id, [])
        if line:
            found = [stops[visit.request, visit.side] for visit in line]
            routes.append(_route(problem, vehicle, line, found))
            cost += problem.weights.vehicle + _seconds(problem, vehicle, found)
    return RoutingPlan(routes=tuple(routes), unserved=unserved, cost=cost)


def _route(
    problem: RoutingProblem, vehicle: Vehicle, line: Sequence[Visit], stops: Sequence[Stop]
) -> Route:
    at, t, visits = vehicle.start, vehicle.shift_start_s, []
    for visit, stop in zip(line, stops, strict=True):
        begin = max(t + int(problem.seconds[at, stop.node]), stop.earliest_s)
        at, t = stop.node, begin + stop.service_s
        visits.append(
            Visit(request=visit.request, side=visit.side, begin_s=begin, end_s=t, latest_s=begin)
        )
    return Route(
        vehicle=vehicle.id,
        visits=tuple(visits),
        rests_s=(),
        leave_s=vehicle.shift_start_s,
        over_s=t if vehicle.end is None else t + int(problem.seconds[at, vehicle.end]),
    )


def _seconds(problem: RoutingProblem, vehicle: Vehicle, stops: Sequence[Stop]) -> int:
    nodes = [vehicle.start, *(one.node for one in stops)]
    if vehicle.end is not None:
        nodes.append(vehicle.end)
    return sum(int(problem.seconds[a, b]) for a, b in pairwise(nodes))
