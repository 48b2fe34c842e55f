"""Routes in compiled code: their times, and the cheapest place for one more request."""

from typing import NamedTuple

import numpy as np

from optimizer.compiled import compiled
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

# Columns of a leg, the visit to one stop on a route: when service begins, what is on board after
# it, and when it could begin at the latest without making the rest of the route impossible.
STOP, BEGIN, ON_SIZE, ON_MASS, LATEST = range(5)
# Columns of a route.
LENGTH, COST, VERSION = range(3)
# Columns of what is known of a request's cheapest place in a route.
KNOWN, DELTA, BEFORE, AFTER = range(4)


class State(NamedTuple):
    """A solution: legs [vehicle, place], routes [vehicle], where [request] = vehicle or -1.

    known: [request, vehicle], the cheapest place found in the version of the route that it names.
    counter: the last version given; 0 = no work. line: a route under trial.
    taken: when rests begin.
    """

    legs: Ints
    routes: Ints
    where: Ints
    known: Ints
    counter: Ints
    line: Ints
    taken: Ints


class Roads(NamedTuple):
    """What one vehicle needs to know of the instance: its own row, and tables at its pace."""

    stops: Ints
    vehicle: Ints
    seconds: Ints
    cost: Ints


class Undo(NamedTuple):
    """Routes as they were before this round changed them, if `touched`."""

    legs: Ints
    routes: Ints
    where: Ints
    touched: Ints


def empty_undo(instance: Instance) -> Undo:
    """Nothing to be undone."""
    state = empty_state(instance)
    touched = np.zeros(len(state.routes), dtype=np.int64)
    return Undo(state.legs, state.routes, state.where, touched)


def empty_state(instance: Instance) -> State:
    """No request served."""
    requests, vehicles = instance.allowed.shape
    return State(
        legs=np.zeros((vehicles, 2 * requests + 2, 5), dtype=np.int64),
        routes=np.zeros((vehicles, 3), dtype=np.int64),
        where=np.full(requests, -1, dtype=np.int64),
        known=np.full((requests, vehicles, 4), -1, dtype=np.int64),
        counter=np.zeros(1, dtype=np.int64),
        line=np.zeros(2 * requests + 2, dtype=np.int64),
        taken=np.full(len(instance.rests), NEVER, dtype=np.int64),
    )


@compiled
def copy_route(routes: Ints, legs: Ints, to_routes: Ints, to_legs: Ints, v: int) -> None:
    """Copy one vehicle's route from one solution to another."""
    for column in range(routes.shape[1]):
        to_routes[v, column] = routes[v, column]
    for k in range(routes[v, LENGTH]):
        for column in range(legs.shape[2]):
            to_legs[v, k, column] = legs[v, k, column]


@compiled
def copy_numbers(numbers: Ints, to: Ints) -> None:
    """Copy a row of numbers."""
    for n in range(len(numbers)):
        to[n] = numbers[n]


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


@compiled
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
    size = mass = 0
    for k in range(length):
        size += inst.stops[legs[k, STOP], SIZE]
        mass += inst.stops[legs[k, STOP], MASS]
        legs[k, ON_SIZE], legs[k, ON_MASS] = size, mass
    vehicle = inst.vehicles[v]
    pace = vehicle[PACE]
    limit, after = vehicle[CLOSE], vehicle[END]
    for k in range(length - 1, -1, -1):
        stop = inst.stops[legs[k, STOP]]
        drive = inst.seconds[pace, stop[NODE], after] if after >= 0 else 0
        limit = min(stop[LATE], limit - drive - stop[SERVICE])
        legs[k, LATEST] = limit
        after = stop[NODE]


@compiled
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
def _deliver(roads: Roads, legs: Ints, length: int, k: int, t: int, at: int, d: int) -> int:
    """What it costs to go from `at`, left at `t`, by the delivery `d` to the stop at place `k`."""
    stops, seconds, cost = roads.stops, roads.seconds, roads.cost
    node = stops[d, NODE]
    begin = max(t + seconds[at, node], stops[d, EARLY])
    if begin > stops[d, LATE]:
        return NEVER
    t = begin + stops[d, SERVICE]
    if k < length:
        after, limit = stops[legs[k, STOP], NODE], legs[k, LATEST]
    else:
        after, limit = roads.vehicle[END], roads.vehicle[CLOSE]
    if after < 0:
        return int(cost[at, node]) if t <= limit else NEVER
    if t + seconds[node, after] > limit:
        return NEVER
    return int(cost[at, node] + cost[node, after] - cost[at, after])


@compiled
def _walk(roads: Roads, legs: Ints, length: int, i: int, t: int, p: int, d: int) -> tuple[int, int]:
    """The cheapest place of the delivery once the pick-up is before place `i`, left at `t`."""
    stops, seconds = roads.stops, roads.seconds
    at = stops[p, NODE]
    room = roads.vehicle[ROOM] - stops[p, SIZE]
    power = roads.vehicle[POWER] - stops[p, MASS]
    best, where = _deliver(roads, legs, length, i, t, at, d), i
    for k in range(i, length):
        stop = legs[k, STOP]
        begin = max(t + seconds[at, stops[stop, NODE]], stops[stop, EARLY])
        if begin > legs[k, LATEST] or legs[k, ON_SIZE] > room or legs[k, ON_MASS] > power:
            break
        t, at = begin + stops[stop, SERVICE], stops[stop, NODE]
        if t > stops[d, LATE]:
            break
        delta = _deliver(roads, legs, length, k + 1, t, at, d)
        if delta < best:
            best, where = delta, k + 1
    return best, where


@compiled
def _pick_up(roads: Roads, legs: Ints, length: int, i: int, p: int) -> tuple[int, int]:
    """What the pick-up before place `i` costs, and when it is left; NEVER = impossible."""
    stops, seconds, cost, vehicle = roads.stops, roads.seconds, roads.cost, roads.vehicle
    at, t = vehicle[START], vehicle[OPEN]
    if i > 0:
        before = legs[i - 1, STOP]
        at, t = stops[before, NODE], legs[i - 1, BEGIN] + stops[before, SERVICE]
        if (
            legs[i - 1, ON_SIZE] + stops[p, SIZE] > vehicle[ROOM]
            or legs[i - 1, ON_MASS] + stops[p, MASS] > vehicle[POWER]
        ):
            return NEVER, t
    node = stops[p, NODE]
    begin = max(t + seconds[at, node], stops[p, EARLY])
    if begin > stops[p, LATE]:
        return NEVER, begin
    after = stops[legs[i, STOP], NODE] if i < length else vehicle[END]
    extra = cost[at, node]
    if after >= 0:
        extra += cost[node, after] - cost[at, after]
    return extra, begin + stops[p, SERVICE]


@compiled
def _is_as_good_before(stops: Ints, p: int, other: int) -> bool:
    """Whether a pick-up before another stop of the same place needs no look at the place after."""
    return bool(stops[p, NODE] == stops[other, NODE] and stops[p, EARLY] <= stops[other, EARLY])


@compiled
def _place_plain(roads: Roads, legs: Ints, length: int, p: int, d: int) -> tuple[int, int, int]:
    """The cheapest place of a request in a route whose times only its windows bound."""
    best, before, after = NEVER, -1, -1
    for i in range(length + 1):
        if i > 0 and legs[i - 1, BEGIN] > roads.stops[p, LATE]:
            break
        if i > 0 and _is_as_good_before(roads.stops, p, legs[i - 1, STOP]):
            continue
        base, t = _pick_up(roads, legs, length, i, p)
        if base >= best:
            continue
        delta, j = _walk(roads, legs, length, i, t, p, d)
        if delta < NEVER and base + delta < best:
            best, before, after = base + delta, i, j
    return best, before, after


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


@compiled
def place_in(inst: Instance, state: State, trial: Ints, r: int, v: int) -> int:
    """What the cheapest place of a request in a route costs; what was found is remembered."""
    known = state.known[r, v]
    if known[KNOWN] != state.routes[v, VERSION]:
        length = state.routes[v, LENGTH]
        if inst.vehicles[v, PLAIN]:
            pace = inst.vehicles[v, PACE]
            roads = Roads(inst.stops, inst.vehicles[v], inst.seconds[pace], inst.cost[pace])
            d = r + len(state.where)
            best, before, after = _place_plain(roads, state.legs[v], length, r, d)
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
