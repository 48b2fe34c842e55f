"""A solution of the search as a plan: times, rests, and a reason for what is left out."""

from collections.abc import Sequence

import numpy as np

from optimizer.routing.arrays import NEVER, NODE, PACE, SERVICE, Named
from optimizer.routing.insertion import place_in, refresh, timed
from optimizer.routing.problem import (
    Reason,
    Route,
    RoutingPlan,
    Side,
    Visit,
)
from optimizer.routing.state import BEGIN, LATEST, LENGTH, STOP, State, empty_state


def plan_of(named: Named, lines: Sequence[Sequence[int]], rounds: int) -> RoutingPlan:
    """The plan that sends each vehicle to its stops."""
    count = len(named.requests)
    served = {stop % count for line in lines for stop in line}
    state = empty_state(named.instance)
    routes, cost = [], 0
    for v, line in enumerate(lines):
        if line:
            route, price = _route(named, state, v, line)
            routes.append(route)
            cost += price
    left = [r for r in range(count) if r not in served]
    return RoutingPlan(
        routes=tuple(sorted(routes, key=lambda one: one.vehicle)),
        unserved={named.requests[r].id: _reason(named, r) for r in left},
        cost=cost + sum(int(named.instance.unserved[r]) for r in left),
        rounds=rounds,
    )


def _route(named: Named, state: State, v: int, line: Sequence[int]) -> tuple[Route, int]:
    instance, vehicle, count = named.instance, named.vehicles[v], len(named.requests)
    legs = state.legs[v]
    legs[: len(line), STOP] = line
    state.routes[v, LENGTH] = len(line)
    refresh(instance, state, v)
    state.taken[:] = NEVER
    stops = np.array(line, dtype=np.int64)
    cost, over_s = timed(instance, v, stops, len(line), legs, state.taken)
    assert cost < NEVER, f"the search left {vehicle.id} an impossible route"
    visits = tuple(
        Visit(
            request=named.requests[stop % count].id,
            side=Side.PICKUP if stop < count else Side.DELIVERY,
            begin_s=int(legs[k, BEGIN]),
            end_s=int(legs[k, BEGIN] + instance.stops[stop, SERVICE]),
            latest_s=int(legs[k, BEGIN] if vehicle.rests else legs[k, LATEST]),
        )
        for k, stop in enumerate(line)
    )
    rests = tuple(sorted(int(one) for one in state.taken if one < NEVER))
    first = visits[0].begin_s
    pace, node = instance.vehicles[v, PACE], instance.stops[line[0], NODE]
    drive_s = int(instance.seconds[pace, vehicle.start, node])
    rested = any(one < first for one in rests)
    route = Route(
        vehicle=vehicle.id,
        visits=visits,
        rests_s=rests,
        leave_s=vehicle.shift_start_s if rested else first - drive_s,
        over_s=int(over_s),
    )
    return route, int(cost)


def _reason(named: Named, r: int) -> Reason:
    request, instance = named.requests[r], named.instance
    skilled = [one for one in named.vehicles if request.skills <= one.skills]
    if not skilled:
        return Reason.NO_SKILL
    if not instance.allowed[r].any():
        return Reason.TOO_BIG
    idle = empty_state(instance)
    costs = (
        place_in(instance, idle, np.zeros_like(idle.legs[0]), r, v, NEVER)
        for v in np.flatnonzero(instance.allowed[r]).tolist()
    )
    alone = min(costs)
    if alone >= NEVER:
        return Reason.WINDOW
    return Reason.TOO_DEAR if alone >= instance.unserved[r] else Reason.NO_ROOM
