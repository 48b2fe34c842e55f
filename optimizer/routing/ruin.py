"""Taking requests out of a solution, in compiled code.

Strings of neighbouring stops as in slack induction by string removals (Christiaens & Vanden
Berghe 2020); related requests, whole routes and scattered ones as in Ropke & Pisinger (2006). Or
none at all, but two vehicles go on with each other's work (`tails`).
"""

from optimizer.compiled import compiled
from optimizer.routing.arrays import NONE, Instance, Ints
from optimizer.routing.chance import Stream, below, share
from optimizer.routing.state import LENGTH, STOP, State, Undo, keep
from optimizer.routing.tails import swap_tails

STRINGS, RELATED, ROUTE, SCATTERED, TAILS = range(5)
RUINS = 5
_STRING_MAX = 10
_REMOVED = 10
_SPLIT = 0.5
_SKIP_MORE = 0.5


@compiled
def ruin(inst: Instance, state: State, undo: Undo, out: Ints, stream: Stream, kind: int) -> int:
    """Take requests out and write them into `out`; how many. Their routes are to be refreshed."""
    served = _count(state.where, 0)
    if served == 0:
        return 0
    first = below(stream, len(state.where))
    while state.where[first] < 0:
        first = below(stream, len(state.where))
    if kind == STRINGS:
        return _strings(inst, state, undo, out, stream, first, served)
    if kind == ROUTE:
        return _route(inst, state, undo, out, stream, first)
    if kind == TAILS:
        swap_tails(inst, state, undo, stream, state.where[first])
        return 0
    wanted = 1 + below(stream, min(served, 2 * _REMOVED))
    count = take(state, undo, out, NONE, first)
    if kind == RELATED:
        return _related(inst, state, undo, out, stream, first, wanted)
    return _scattered(state, undo, out, stream, count, wanted)


@compiled
def _count(numbers: Ints, least: int) -> int:
    """How many of them are at least so great."""
    found = 0
    for n in range(len(numbers)):
        if numbers[n] >= least:
            found += 1
    return found


@compiled
def take(state: State, undo: Undo, out: Ints, count: int, r: int) -> int:
    """Take one request out of its route and append it to `out`; how many are there now."""
    v = state.where[r]
    keep(state, undo, v)
    legs, length, n = state.legs[v], state.routes[v, LENGTH], 0
    for k in range(length):
        stop = legs[k, STOP]
        if stop != r and stop != r + len(state.where):
            legs[n, STOP] = stop
            n += 1
    state.routes[v, LENGTH] = n
    state.where[r] = -1
    out[count] = r
    return count + 1


@compiled
def _strings(
    inst: Instance, state: State, undo: Undo, out: Ints, stream: Stream, first: int, served: int
) -> int:
    used = max(1, _count(state.routes[:, LENGTH], 1))
    longest = max(1.0, min(float(_STRING_MAX), 2.0 * served / used))
    strings = 1 + int(share(stream) * max(1.0, 4.0 * _REMOVED / (1.0 + longest) - 1.0))
    count = _string(state, undo, out, stream, first, NONE, longest)
    done = 1
    for n in range(inst.near.shape[1]):
        r = inst.near[first, n]
        if done >= strings:
            break
        v = state.where[r]
        if v >= 0 and undo.touched[v] == 0:
            count = _string(state, undo, out, stream, r, count, longest)
            done += 1
    return count


@compiled
def _string(
    state: State, undo: Undo, out: Ints, stream: Stream, r: int, count: int, longest: float
) -> int:
    """Take what has a stop in a stretch of the route around a stop of `r`."""
    v = state.where[r]
    legs, length = state.legs[v], state.routes[v, LENGTH]
    wanted = 1 + below(stream, int(min(longest, float(length))))
    around = r if share(stream) < 0.5 else r + len(state.where)
    at = 0
    while legs[at, STOP] != around:
        at += 1
    spared = 0
    if share(stream) < _SPLIT:
        while wanted + spared < length and share(stream) < _SKIP_MORE:
            spared += 1
    span = min(length, wanted + spared)
    low = max(0, at - span + 1)
    start = low + below(stream, min(at, length - span) - low + 1)
    gap = start + below(stream, wanted + 1)
    before = count
    for k in range(start, start + span):
        if spared and gap <= k < gap + spared:
            continue
        out[count] = legs[k, STOP] % len(state.where)
        count += 1
    return _take_all(state, undo, out, before, count)


@compiled
def _take_all(state: State, undo: Undo, out: Ints, before: int, count: int) -> int:
    """Take what is noted in `out`, of which some stand there twice."""
    kept = before
    for n in range(before, count):
        r = out[n]
        if state.where[r] >= 0:
            kept = take(state, undo, out, kept, r)
    return kept


@compiled
def _related(
    inst: Instance, state: State, undo: Undo, out: Ints, stream: Stream, first: int, wanted: int
) -> int:
    """Take the most alike of one that is taken already, with some left out by chance."""
    count = 1
    for n in range(inst.near.shape[1]):
        r = inst.near[first, n]
        if count > wanted:
            break
        if state.where[r] >= 0 and share(stream) < 0.8:
            count = take(state, undo, out, count, r)
    return count


@compiled
def _route(inst: Instance, state: State, undo: Undo, out: Ints, stream: Stream, first: int) -> int:
    """Take everything from one route, and some of what is alike from its neighbours."""
    v, count = state.where[first], NONE
    while state.routes[v, LENGTH] > 0:
        count = take(state, undo, out, count, state.legs[v, 0, STOP])
    for n in range(min(inst.near.shape[1], below(stream, _REMOVED))):
        r = inst.near[first, n]
        if state.where[r] >= 0:
            count = take(state, undo, out, count, r)
    return int(count)


@compiled
def _scattered(state: State, undo: Undo, out: Ints, stream: Stream, count: int, wanted: int) -> int:
    """Take some by chance."""
    for _ in range(wanted):
        r = below(stream, len(state.where))
        if state.where[r] >= 0:
            count = take(state, undo, out, count, r)
    return count
