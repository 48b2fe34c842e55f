"""The last plan as the beginning of a search: what is still possible is kept."""

from collections.abc import Iterable

from optimizer.routing.annealing import Search
from optimizer.routing.arrays import HOPELESS, MASS, POWER, ROOM, SIZE, Instance, Named
from optimizer.routing.insertion import refresh
from optimizer.routing.problem import RoutingProblem, Side, Visit
from optimizer.routing.state import LENGTH, STOP


def adopt(problem: RoutingProblem, named: Named, search: Search) -> None:
    """Give the vehicles the visits that they have in the incumbent."""
    numbers = {one.id: r for r, one in enumerate(named.requests)}
    for v, vehicle in enumerate(named.vehicles):
        visits = problem.incumbent.get(vehicle.id, ())
        line = list(_stops(visits, numbers))
        while line and not _try(named.instance, search, v, line):
            last = line[-1] % len(numbers)
            line = [stop for stop in line if stop % len(numbers) != last]
        for stop in line:
            search.state.where[stop % len(numbers)] = v


def _stops(visits: Iterable[Visit], numbers: dict[str, int]) -> Iterable[int]:
    """The visits as stops, without those that came alone, twice or in the wrong order."""
    ends = {one.request: n for n, one in enumerate(visits) if one.side is Side.DELIVERY}
    begun: dict[str, int] = {}
    for n, one in enumerate(visits):
        if one.side is Side.PICKUP and one.request in numbers and ends.get(one.request, -1) > n:
            begun.setdefault(one.request, n)
    for n, one in enumerate(visits):
        if begun.get(one.request) == n:
            yield numbers[one.request]
        elif one.request in begun and ends[one.request] == n:
            yield numbers[one.request] + len(numbers)


def _try(instance: Instance, search: Search, v: int, line: list[int]) -> bool:
    """Put the line into the vehicle's route; whether it is possible, else the route is empty."""
    state, requests = search.state, len(search.state.where)
    state.routes[v, LENGTH] = len(line) if _may(instance, search, v, line) else 0
    for k, stop in enumerate(line):
        state.legs[v, k, STOP] = stop
    if state.routes[v, LENGTH] and refresh(instance, state, v):
        return True
    assert all(stop < 2 * requests for stop in line)
    state.routes[v, LENGTH] = 0
    refresh(instance, state, v)
    return False


def _may(instance: Instance, search: Search, v: int, line: list[int]) -> bool:
    size = mass = 0
    room, power = instance.vehicles[v, [ROOM, POWER]]
    for stop in line:
        r = stop % len(search.state.where)
        size += instance.stops[stop, SIZE]
        mass += instance.stops[stop, MASS]
        taken = search.state.where[r] >= 0 or search.state.where[r] == HOPELESS
        if taken or not instance.allowed[r, v] or size > room or mass > power:
            return False
    return True
