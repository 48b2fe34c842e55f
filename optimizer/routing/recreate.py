"""Putting requests back into a solution, in compiled code."""

from typing import NamedTuple

from optimizer.compiled import compiled, compiled_entry
from optimizer.routing.arrays import HOPELESS, NEVER, NOBODY, UNSERVED, Instance, Ints
from optimizer.routing.chance import Stream, below, share
from optimizer.routing.insertion import insert, is_twin, place_in
from optimizer.routing.state import COST, LENGTH, State, Undo, keep

# Orders of insertion: by chance, by one of the keys of the instance, or by regret.
BY_CHANCE, BY_REGRET = -1, -2


class Manner(NamedTuple):
    """How to insert.

    blink: the probability of overlooking a route, so that not the same is found again. gift: taken
    from the price of a vehicle that has no work yet. limit: once the solution costs as much, the
    rest is not tried.
    """

    order: int
    blink: float
    gift: int
    limit: float


@compiled_entry
def recreate(
    inst: Instance,
    state: State,
    undo: Undo,
    trial: Ints,
    missing: Ints,
    stream: Stream,
    manner: Manner,
) -> int:
    """Insert what is not served, each where it is cheapest; what the solution costs then.

    What has no place stays out. missing: room to list requests in.
    """
    count = _missing(state, missing)
    cost = _cost(inst, state)
    if manner.order == BY_REGRET:
        _by_regret(inst, state, undo, trial, missing, count, stream, manner)
        return total(inst, state)
    if manner.order == BY_CHANCE:
        _shuffle(missing, count, stream)
    else:
        _sort(missing, count, inst.keys[manner.order])
    for n in range(count):
        if cost >= manner.limit:
            break
        r = missing[n]
        v, _, _ = _cheapest(inst, state, trial, r, stream, manner)
        if v >= 0:
            keep(state, undo, v)
            cost -= state.routes[v, COST]
            insert(inst, state, r, v)
            cost += state.routes[v, COST]
        else:
            cost += inst.unserved[r]
    return cost


@compiled_entry
def total(inst: Instance, state: State) -> int:
    """What the present solution costs."""
    cost = _cost(inst, state)
    for r in range(len(state.where)):
        if state.where[r] == UNSERVED:
            cost += inst.unserved[r]
    return cost


@compiled
def _cost(inst: Instance, state: State) -> int:
    """What the present solution costs if everything else could be served for nothing."""
    cost = 0
    for v in range(len(state.routes)):
        cost += state.routes[v, COST]
    for r in range(len(state.where)):
        if state.where[r] == HOPELESS:
            cost += inst.unserved[r]
    return cost


@compiled
def _missing(state: State, missing: Ints) -> int:
    count = 0
    for r in range(len(state.where)):
        if state.where[r] == UNSERVED:
            missing[count] = r
            count += 1
    return count


@compiled
def _shuffle(numbers: Ints, count: int, stream: Stream) -> None:
    for n in range(count - 1, 0, -1):
        other = below(stream, n + 1)
        numbers[n], numbers[other] = numbers[other], numbers[n]


@compiled
def _sort(numbers: Ints, count: int, key: Ints) -> None:
    """Put few numbers into the order of their keys."""
    for n in range(1, count):
        number, k = numbers[n], n
        while k > 0 and key[numbers[k - 1]] > key[number]:
            numbers[k] = numbers[k - 1]
            k -= 1
        numbers[k] = number


@compiled
def _cheapest(
    inst: Instance,
    state: State,
    trial: Ints,
    r: int,
    stream: Stream,
    manner: Manner,
) -> tuple[int, int, int]:
    """The best vehicle for a request, -1 if none is worth it, its cost and that of the next.

    That of the next is what regret asks for; else it may be too small.
    """
    where, best, second = NOBODY, inst.unserved[r], inst.unserved[r]
    for v in range(len(inst.vehicles)):
        if not inst.allowed[r, v] or is_twin(inst, state, v):
            continue
        if manner.blink > 0.0 and share(stream) < manner.blink:
            continue
        limit = second if manner.order == BY_REGRET else best
        delta = place_in(inst, state, trial, r, v, limit)
        if state.routes[v, LENGTH] == 0:
            delta -= manner.gift
        if delta < best:
            where, best, second = v, delta, best
        elif delta < second:
            second = delta
    return where, best, second


@compiled
def _by_regret(
    inst: Instance,
    state: State,
    undo: Undo,
    trial: Ints,
    left: Ints,
    count: int,
    stream: Stream,
    manner: Manner,
) -> None:
    """Whoever would lose most by being second comes first (regret-2)."""
    while count > 0:
        chosen, vehicle, most = NOBODY, NOBODY, -NEVER
        for n in range(count):
            v, best, second = _cheapest(inst, state, trial, left[n], stream, manner)
            if v >= 0 and second - best > most:
                chosen, vehicle, most = n, v, second - best
        if chosen < 0:
            return
        keep(state, undo, vehicle)
        insert(inst, state, left[chosen], vehicle)
        count -= 1
        left[chosen] = left[count]
