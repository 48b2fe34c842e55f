"""Routes in compiled code: their times, and one more request put where it is cheapest."""

from optimizer.compiled import compiled, compiled_entry
from optimizer.routing.arrays import (
    CLOSE,
    DUE,
    EARLY,
    END,
    FIRST_REST,
    KIND,
    LAST_REST,
    LATE,
    MASS,
    NEVER,
    NODE,
    OPEN,
    PACE,
    PER_LATE_SECOND,
    PER_VEHICLE,
    PLAIN,
    POWER,
    REST_EARLY,
    REST_LATE,
    REST_LENGTH,
    ROOM,
    SERVICE,
    SIZE,
    START,
    Instance,
    Ints,
)
from optimizer.routing.placing import cheapest_place, tour_of
from optimizer.routing.state import (
    ABOARD,
    AFTER,
    BEFORE,
    BEGIN,
    COST,
    DELTA,
    KNOWN,
    LATEST,
    LENGTH,
    ON_MASS,
    ON_SIZE,
    STOP,
    VERSION,
    State,
)


@compiled
def _begin(
    inst: Instance,
    taken: Ints,
    rest: int,
    last: int,
    leave: int,
    drive: int,
    early: int,
    service: int,
) -> tuple[int, int]:
    """When a service can begin, and the next rest; a rest is put off while that is free."""
    arrive = leave + drive
    while rest < last:
        opens, closes = inst.rests[rest, REST_EARLY], inst.rests[rest, REST_LATE]
        if arrive > closes:
            start = max(leave, opens)
            if start > closes:
                return NEVER, rest
            leave = start + inst.rests[rest, REST_LENGTH]
            arrive = leave + drive
        else:
            start = max(arrive, opens)
            rested = start + inst.rests[rest, REST_LENGTH]
            if rested > early and max(arrive, early) + service <= closes:
                break
            leave, arrive, drive = rested, rested, 0
        taken[rest] = start
        rest += 1
    return max(arrive, early), rest


@compiled_entry
def timed(
    inst: Instance, v: int, line: Ints, length: int, legs: Ints, taken: Ints
) -> tuple[int, int]:
    """The cost of a vehicle's visits to these stops, and when it is over; NEVER = impossible.

    Writes into `legs` when service begins, and into `taken` when the rests do.
    """
    vehicle = inst.vehicles[v]
    pace, at, t = vehicle[PACE], vehicle[START], vehicle[OPEN]
    rest, last = vehicle[FIRST_REST], vehicle[LAST_REST]
    cost = inst.prices[PER_VEHICLE]
    for k in range(length):
        stop = inst.stops[line[k]]
        node = stop[NODE]
        drive = inst.seconds[pace, at, node]
        begin, rest = _begin(inst, taken, rest, last, t, drive, stop[EARLY], stop[SERVICE])
        if begin > stop[LATE]:
            return NEVER, NEVER
        cost += inst.cost[pace, at, node]
        if begin > stop[DUE]:
            cost += inst.prices[PER_LATE_SECOND] * (begin - stop[DUE])
        legs[k, BEGIN] = begin
        t = begin + stop[SERVICE]
        at = node
    if vehicle[END] >= 0:
        cost += inst.cost[pace, at, vehicle[END]]
        drive = inst.seconds[pace, at, vehicle[END]]
        t, rest = _begin(inst, taken, rest, last, t, drive, t, 0)
    if t > vehicle[CLOSE]:
        return NEVER, NEVER
    return cost, t


@compiled
def _load_and_slack(inst: Instance, v: int, legs: Ints, length: int) -> None:
    size = mass = aboard = 0
    for k in range(length):
        stop = legs[k, STOP]
        size += inst.stops[stop, SIZE]
        mass += inst.stops[stop, MASS]
        aboard += 1 if stop < len(inst.stops) // 2 else -1
        legs[k, ON_SIZE], legs[k, ON_MASS], legs[k, ABOARD] = size, mass, aboard
    vehicle = inst.vehicles[v]
    pace = vehicle[PACE]
    limit, after = vehicle[CLOSE], vehicle[END]
    for k in range(length - 1, -1, -1):
        stop = inst.stops[legs[k, STOP]]
        drive = inst.seconds[pace, stop[NODE], after] if after >= 0 else 0
        limit = min(stop[LATE], limit - drive - stop[SERVICE])
        legs[k, LATEST] = limit
        after = stop[NODE]


@compiled_entry
def refresh(inst: Instance, state: State, v: int) -> bool:
    """Compute a route anew after its stops were changed; False = it is impossible now."""
    length = state.routes[v, LENGTH]
    state.routes[v, VERSION] = state.routes[v, COST] = 0
    if length == 0:
        return True
    state.counter[0] += 1
    state.routes[v, VERSION] = state.counter[0]
    legs = state.legs[v]
    for k in range(length):
        state.line[k] = legs[k, STOP]
    cost, _ = timed(inst, v, state.line, length, legs, state.taken)
    state.routes[v, COST] = cost
    _load_and_slack(inst, v, legs, length)
    return cost < NEVER


@compiled
def _line_with(state: State, v: int, length: int, r: int, i: int, j: int) -> None:
    """The route with the pick-up before place `i` and the delivery before what was place `j`."""
    legs, line = state.legs[v], state.line
    n = 0
    for k in range(length + 1):
        if k == i:
            line[n] = r
            n += 1
        if k == j:
            line[n] = r + len(state.where)
            n += 1
        if k < length:
            line[n] = legs[k, STOP]
            n += 1


@compiled
def _place_timed(
    inst: Instance, state: State, v: int, length: int, r: int, trial: Ints
) -> tuple[int, int, int]:
    """The cheapest place of a request when rests or lateness make the whole route count."""
    vehicle, legs = inst.vehicles[v], state.legs[v]
    pickup = inst.stops[r]
    best, before, after = NEVER, -1, -1
    for i in range(length + 1):
        for j in range(i, length + 1):
            if j > 0 and (
                legs[j - 1, ON_SIZE] + pickup[SIZE] > vehicle[ROOM]
                or legs[j - 1, ON_MASS] + pickup[MASS] > vehicle[POWER]
            ):
                break
            _line_with(state, v, length, r, i, j)
            cost, _ = timed(inst, v, state.line, length + 2, trial, state.taken)
            if cost - state.routes[v, COST] < best:
                best, before, after = cost - state.routes[v, COST], i, j
    return (best, before, after) if best < NEVER // 2 else (NEVER, -1, -1)


@compiled_entry
def place_in(inst: Instance, state: State, trial: Ints, r: int, v: int, limit: int) -> int:
    """What the cheapest place of a request in a route costs; what was found is remembered.

    What is told of a place that costs no less than the limit is no less than the limit.
    """
    known = state.known[r, v]
    if known[KNOWN] != state.routes[v, VERSION] or (known[BEFORE] < 0 and known[DELTA] < limit):
        length = state.routes[v, LENGTH]
        if inst.vehicles[v, PLAIN]:
            best, before, after = cheapest_place(
                tour_of(inst, state, v), r, r + len(state.where), NEVER if length == 0 else limit
            )
            if length == 0 and best < NEVER:
                best += _opening(inst, v)
        else:
            best, before, after = _place_timed(inst, state, v, length, r, trial)
        known[KNOWN], known[DELTA] = state.routes[v, VERSION], best
        known[BEFORE], known[AFTER] = before, after
    return int(known[DELTA])


@compiled
def _opening(inst: Instance, v: int) -> int:
    """What a vehicle costs that has no work yet: who stays idle does not drive home either."""
    pace, start, end = inst.vehicles[v, PACE], inst.vehicles[v, START], inst.vehicles[v, END]
    home = inst.cost[pace, start, end] if end >= 0 else 0
    return int(inst.prices[PER_VEHICLE] + home)


@compiled
def is_twin(inst: Instance, state: State, v: int) -> bool:
    """Whether the vehicle before is the same in all but its name, and neither has work."""
    return (
        v > 0
        and state.routes[v, LENGTH] == 0
        and state.routes[v - 1, LENGTH] == 0
        and inst.vehicles[v, KIND] == inst.vehicles[v - 1, KIND]
    )


@compiled
def insert(inst: Instance, state: State, r: int, v: int) -> bool:
    """Put a request where it is cheapest in a route that was asked before."""
    length = state.routes[v, LENGTH]
    _line_with(state, v, length, r, state.known[r, v, BEFORE], state.known[r, v, AFTER])
    for k in range(length + 2):
        state.legs[v, k, STOP] = state.line[k]
    state.routes[v, LENGTH] = length + 2
    state.where[r] = v
    return refresh(inst, state, v)
