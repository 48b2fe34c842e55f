"""Putting requests back into a solution, in compiled code."""

from optimizer.compiled import compiled
from optimizer.routing.arrays import NEVER, NOBODY, UNSERVED, Instance, Ints
from optimizer.routing.chance import Stream, below, share
from optimizer.routing.insertion import LENGTH, State, Undo, insert, is_twin, place_in
from optimizer.routing.ruin import keep

# Orders of insertion: by chance, by one of the keys of the instance, or by regret.
BY_CHANCE, BY_REGRET = -1, -2


@compiled
def recreate(
    inst: Instance,
    state: State,
    undo: Undo,
    trial: Ints,
    missing: Ints,
    stream: Stream,
    order: int,
    blink: float,
    gift: int,
) -> None:
    """Insert what is not served, each where it is cheapest; what has no place stays out.

    missing: room to list it in. blink: the probability of overlooking a route, so that not the same
    is found again. gift: taken from the price of a vehicle that has no work yet.
    """
    count = _missing(state, missing)
    if order == BY_REGRET:
        _by_regret(inst, state, undo, trial, missing, count, stream, blink, gift)
        return
    if order == BY_CHANCE:
        _shuffle(missing, count, stream)
    else:
        _sort(missing, count, inst.keys[order])
    for n in range(count):
        r = missing[n]
        v, _, _ = _cheapest(inst, state, trial, r, stream, blink, gift)
        if v >= 0:
            keep(state, undo, v)
            insert(inst, state, r, v)


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
    inst: Instance, state: State, trial: Ints, r: int, stream: Stream, blink: float, gift: int
) -> tuple[int, int, int]:
    """The best vehicle for a request, -1 if none is worth it, its cost and that of the next."""
    where, best, second = NOBODY, inst.unserved[r], inst.unserved[r]
    for v in range(len(inst.vehicles)):
        if not inst.allowed[r, v] or is_twin(inst, state, v):
            continue
        if blink > 0.0 and share(stream) < blink:
            continue
        delta = place_in(inst, state, trial, r, v)
        if state.routes[v, LENGTH] == 0:
            delta -= gift
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
    blink: float,
    gift: int,
) -> None:
    """Whoever would lose most by being second comes first (regret-2)."""
    while count > 0:
        chosen, vehicle, most = NOBODY, NOBODY, -NEVER
        for n in range(count):
            v, best, second = _cheapest(inst, state, trial, left[n], stream, blink, gift)
            if v >= 0 and second - best > most:
                chosen, vehicle, most = n, v, second - best
        if chosen < 0:
            return
        keep(state, undo, vehicle)
        insert(inst, state, left[chosen], vehicle)
        count -= 1
        left[chosen] = left[count]
