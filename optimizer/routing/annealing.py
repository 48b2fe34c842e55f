"""The search in compiled code: ruin, recreate, and accept by simulated annealing."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled, compiled_entry
from optimizer.routing.arrays import NEVER, PER_VEHICLE, UNSERVED, Instance, Ints
from optimizer.routing.chance import Stream, below, share
from optimizer.routing.insertion import refresh
from optimizer.routing.pool import Pool, note
from optimizer.routing.recreate import BY_CHANCE, BY_REGRET, Manner, recreate, total
from optimizer.routing.ruin import RUINS, ruin
from optimizer.routing.state import (
    LENGTH,
    STOP,
    State,
    Undo,
    copy_numbers,
    copy_route,
    empty_state,
    empty_undo,
)

_BLINK = 0.01
_ORDERS = 6
_REGRET = 0.03
_OPENING = 0.1
_REACT = 0.1
_SEGMENT = 100
_LEAST = 0.05
# What a round earns its way of ruining: a new best solution, a better one, an accepted one.
_NEW_BEST, _BETTER, _ACCEPTED = 9.0, 4.0, 1.0


class Search(NamedTuple):
    """Everything a search remembers between two calls.

    notes: room to list requests in. lines, lengths: the stops of the best solution, by vehicle.
    costs: of the present solution and of the best. merit, tried, earned: of each way of ruining.
    """

    state: State
    undo: Undo
    trial: Ints
    notes: Ints
    lines: Ints
    lengths: Ints
    costs: Ints
    merit: NDArray[np.float64]
    tried: NDArray[np.float64]
    earned: NDArray[np.float64]
    stream: Stream
    pool: Pool


def search_of(instance: Instance, stream: Stream, pool: Pool) -> Search:
    """A search that has not begun."""
    state = empty_state(instance)
    everything = int(instance.unserved.sum())
    return Search(
        state=state,
        undo=empty_undo(instance),
        trial=np.zeros_like(state.legs[0]),
        notes=np.zeros(3 * len(state.where) + 2, dtype=np.int64),
        lines=np.zeros(state.legs.shape[:2], dtype=np.int64),
        lengths=np.zeros(len(state.routes), dtype=np.int64),
        costs=np.array([everything, everything], dtype=np.int64),
        merit=np.ones(RUINS),
        tried=np.zeros(RUINS),
        earned=np.zeros(RUINS),
        stream=stream,
        pool=pool,
    )


@compiled_entry
def remember(s: Search, cost: int) -> None:
    """The present solution is the best one."""
    s.costs[1] = cost
    for v in range(len(s.lengths)):
        length = s.state.routes[v, LENGTH]
        s.lengths[v] = length
        for k in range(length):
            s.lines[v, k] = s.state.legs[v, k, STOP]


@compiled_entry
def recall(inst: Instance, s: Search) -> None:
    """The best solution is the present one."""
    for r in range(len(s.state.where)):
        s.state.where[r] = min(s.state.where[r], UNSERVED)
    for v in range(len(s.lengths)):
        length = s.lengths[v]
        for k in range(length):
            s.state.legs[v, k, STOP] = s.lines[v, k]
            s.state.where[s.lines[v, k] % len(s.state.where)] = v
        s.state.routes[v, LENGTH] = length
        refresh(inst, s.state, v)
    s.costs[0] = s.costs[1] = total(inst, s.state)


def construct(inst: Instance, s: Search) -> None:
    """Insert what is not served by regret; the beginning of a search."""
    manner = Manner(BY_REGRET, 0.0, 0, float(NEVER))
    recreate(inst, s.state, s.undo, s.trial, s.notes, s.stream, manner)
    s.undo.touched[:] = 0
    s.costs[0] = total(inst, s.state)
    remember(s, int(s.costs[0]))


@compiled_entry
def anneal(inst: Instance, s: Search, rounds: int, heat: float) -> None:
    """So many rounds at one temperature, in units of cost."""
    for n in range(rounds):
        if n % _SEGMENT == 0:
            _learn(s)
        kind = _choose(s)
        s.tried[kind] += 1.0
        limit = s.costs[0] - heat * math.log(1.0 - share(s.stream))
        cost = _change(inst, s, kind, limit)
        if cost < limit:
            _accept(inst, s, cost, kind)
        else:
            _restore(s)


@compiled
def _learn(s: Search) -> None:
    """Ways of ruining that earned more are chosen more often."""
    for kind in range(RUINS):
        if s.tried[kind] > 0.0:
            earned = s.earned[kind] / s.tried[kind]
            s.merit[kind] += _REACT * (earned - s.merit[kind])
    s.tried[:] = 0.0
    s.earned[:] = 0.0


@compiled
def _choose(s: Search) -> int:
    everything = 1e-9
    for kind in range(RUINS):
        everything += s.merit[kind]
    least = _LEAST * everything
    at = share(s.stream) * (everything + RUINS * least)
    for kind in range(RUINS - 1):
        at -= s.merit[kind] + least
        if at < 0.0:
            return kind
    return RUINS - 1


@compiled
def _change(inst: Instance, s: Search, kind: int, limit: float) -> int:
    """Ruin and recreate the present solution; what it costs then, `NEVER` = impossible.

    What costs no less than the limit may be left half done.
    """
    copy_numbers(s.state.where, s.undo.where)
    ruin(inst, s.state, s.undo, s.notes, s.stream, kind)
    for v in range(len(s.undo.touched)):
        if s.undo.touched[v] and not refresh(inst, s.state, v):
            return NEVER
    order = max(BY_CHANCE, below(s.stream, _ORDERS + 2) - 2)
    if share(s.stream) < _REGRET:
        order = BY_REGRET
    gift = inst.prices[PER_VEHICLE] if share(s.stream) < _OPENING else 0
    manner = Manner(order, _BLINK, gift, limit)
    return recreate(inst, s.state, s.undo, s.trial, s.notes, s.stream, manner)


@compiled
def _accept(inst: Instance, s: Search, cost: int, kind: int) -> None:
    for v in range(len(s.undo.touched)):
        if s.undo.touched[v]:
            note(inst, s.pool, s.state, v)
    s.undo.touched[:] = 0
    if cost < s.costs[1]:
        s.earned[kind] += _NEW_BEST
        remember(s, cost)
    elif cost < s.costs[0]:
        s.earned[kind] += _BETTER
    elif cost > s.costs[0]:
        s.earned[kind] += _ACCEPTED
    s.costs[0] = cost


@compiled
def _restore(s: Search) -> None:
    for v in range(len(s.undo.touched)):
        if s.undo.touched[v]:
            s.undo.touched[v] = 0
            copy_route(s.undo.routes, s.undo.legs, s.state.routes, s.state.legs, v)
    copy_numbers(s.undo.where, s.state.where)
