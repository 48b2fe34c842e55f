"""Two vehicles go on with each other's work, in compiled code: 2-opt* where both are empty.

What one vehicle does after a moment at which it has nothing on board is work that any other may do
(Potvin & Rousseau 1995 for plain delivery).
"""

from optimizer.compiled import compiled
from optimizer.routing.arrays import (
    CLOSE,
    END,
    NOBODY,
    NODE,
    OPEN,
    PACE,
    POWER,
    ROOM,
    SERVICE,
    START,
    Instance,
)
from optimizer.routing.chance import Stream, below, share
from optimizer.routing.state import (
    ABOARD,
    BEGIN,
    LATEST,
    LENGTH,
    ON_MASS,
    ON_SIZE,
    STOP,
    State,
    Undo,
    keep,
)

_TRIES = 10
_IDLE = 0.1


@compiled
def swap_tails(inst: Instance, state: State, undo: Undo, stream: Stream, v: int) -> None:
    """Have a vehicle and another swap what they do after moments at which both are empty.

    Their routes are to be refreshed. Nothing changes if there are no such moments that look
    possible.
    """
    w = _another(state, stream, v)
    if w < 0:
        return
    a, b = _moments(inst, state, stream, v, w)
    if a < 0 or not (_may_have(inst, state, v, a, w) and _may_have(inst, state, w, b, v)):
        return
    keep(state, undo, v)
    keep(state, undo, w)
    _follow(state, undo, v, a, w, b)
    _follow(state, undo, w, b, v, a)


@compiled
def _another(state: State, stream: Stream, v: int) -> int:
    """A vehicle by chance, seldom an idle one; -1 if only `v` was met."""
    for _ in range(_TRIES):
        w = below(stream, len(state.routes))
        if w != v and (state.routes[w, LENGTH] > 0 or share(stream) < _IDLE):
            return w
    return int(NOBODY)


@compiled
def _moments(inst: Instance, state: State, stream: Stream, v: int, w: int) -> tuple[int, int]:
    """Before which places to swap, chosen by chance from all that look possible; -1 = none."""
    found, a, b = 0, -1, -1
    n, m = state.routes[v, LENGTH], state.routes[w, LENGTH]
    for i in range(n + 1):
        if not _is_empty(state, v, i):
            continue
        for j in range(m + 1):
            if i + j in (0, n + m) or not _is_empty(state, w, j):
                continue
            if _may_follow(inst, state, v, i, w, j) and _may_follow(inst, state, w, j, v, i):
                found += 1
                if below(stream, found) == 0:
                    a, b = i, j
    return a, b


@compiled
def _is_empty(state: State, v: int, k: int) -> bool:
    """Whether the vehicle has nothing on board before place `k`."""
    return bool(k == 0 or state.legs[v, k - 1, ABOARD] == 0)


@compiled
def _may_follow(inst: Instance, state: State, v: int, i: int, w: int, j: int) -> bool:
    """Whether what `w` does from place `j` on can follow what `v` does before place `i`."""
    vehicle = inst.vehicles[v]
    at, t = vehicle[START], vehicle[OPEN]
    if i > 0:
        ahead = state.legs[v, i - 1, STOP]
        at, t = inst.stops[ahead, NODE], state.legs[v, i - 1, BEGIN] + inst.stops[ahead, SERVICE]
    after, limit = vehicle[END], vehicle[CLOSE]
    if j < state.routes[w, LENGTH]:
        after, limit = inst.stops[state.legs[w, j, STOP], NODE], state.legs[w, j, LATEST]
    return bool(after < 0 or t + inst.seconds[vehicle[PACE], at, after] <= limit)


@compiled
def _may_have(inst: Instance, state: State, v: int, i: int, w: int) -> bool:
    """Whether `w` is allowed, and has room for, everything that `v` does from place `i` on."""
    vehicle, legs = inst.vehicles[w], state.legs[v]
    for k in range(i, state.routes[v, LENGTH]):
        if (
            not inst.allowed[legs[k, STOP] % len(state.where), w]
            or legs[k, ON_SIZE] > vehicle[ROOM]
            or legs[k, ON_MASS] > vehicle[POWER]
        ):
            return False
    return True


@compiled
def _follow(state: State, undo: Undo, v: int, i: int, w: int, j: int) -> None:
    """Write what `w` did from place `j` on behind what `v` does before place `i`."""
    length = undo.routes[w, LENGTH]
    for k in range(j, length):
        stop = undo.legs[w, k, STOP]
        state.legs[v, i + k - j, STOP] = stop
        state.where[stop % len(state.where)] = v
    state.routes[v, LENGTH] = i + length - j
