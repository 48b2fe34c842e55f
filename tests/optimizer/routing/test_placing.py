"""The quick search for the cheapest place beside trying every place."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.routing.annealing import construct, search_of
from optimizer.routing.arrays import HOPELESS, NEVER, Instance, arrays_of
from optimizer.routing.chance import stream_of
from optimizer.routing.insertion import place_in, timed
from optimizer.routing.pool import empty_pool
from optimizer.routing.problem import FOREVER_S, RoutingProblem
from optimizer.routing.state import BEFORE, COST, LENGTH, STOP, State
from tests.optimizer.routing.problems import routing_problems

pytestmark = pytest.mark.xdist_group("routing")


@settings(deadline=None, max_examples=100)
@given(routing_problems(), st.sampled_from([NEVER, 900, 300]))
def test_the_place_found_is_the_cheapest_of_all(problem: RoutingProblem, limit: int) -> None:
    instance = arrays_of(_plain(problem)).instance
    search = search_of(instance, stream_of(0), empty_pool(len(instance.unserved)))
    held_back = range(0, len(instance.unserved), 3)
    search.state.where[list(held_back)] = HOPELESS
    construct(instance, search)
    for v in np.flatnonzero(search.state.routes[:, LENGTH]):
        for r in filter(lambda one: instance.allowed[one, v], held_back):
            _compare(instance, search.state, r, int(v), limit)


def _plain(problem: RoutingProblem) -> RoutingProblem:
    """Without rests and lateness, and with a capacity that is felt."""
    on_time = [
        replace(
            one,
            pickup=replace(one.pickup, due_s=FOREVER_S),
            delivery=replace(one.delivery, due_s=FOREVER_S),
        )
        for one in problem.requests
    ]
    rested = [replace(one, rests=(), volume=3) for one in problem.vehicles]
    return replace(problem, requests=tuple(on_time), vehicles=tuple(rested))


def _compare(instance: Instance, state: State, r: int, v: int, limit: int) -> None:
    d = r + len(state.where)
    cost = place_in(instance, state, np.zeros_like(state.legs[v]), r, v, limit)
    before, after = state.known[r, v, BEFORE:].tolist()
    length = int(state.routes[v, LENGTH])
    line = state.legs[v, :length, STOP].tolist()
    costs = {
        (i, j): _cost(instance, state, v, [*line[:i], r, *line[i:j], d, *line[j:]])
        for i in range(length + 1)
        for j in range(i, length + 1)
    }
    least = min(costs.values())
    least -= int(state.routes[v, COST]) if least < NEVER else 0
    if least < limit:
        assert cost == least
        assert costs[before, after] == min(costs.values())
    else:
        assert limit <= cost <= max(least, limit)
        assert before == after == -1


def _cost(instance: Instance, state: State, v: int, line: list[int]) -> int:
    """What the route costs with these stops, `NEVER` if it is impossible."""
    loads = instance.stops[line, 5:].cumsum(axis=0)
    if (loads > instance.vehicles[v, 4:6]).any():
        return NEVER
    stops = np.array(line, dtype=np.int64)
    legs = np.zeros_like(state.legs[v])
    return int(timed(instance, v, stops, len(line), legs, state.taken)[0])
