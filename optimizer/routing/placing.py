"""The cheapest place for a request in a route whose times only windows bound, in compiled code."""

from typing import NamedTuple

from optimizer.compiled import compiled
from optimizer.routing.arrays import (
    CLOSE,
    EARLY,
    END,
    LATE,
    MASS,
    NEVER,
    NODE,
    OPEN,
    PACE,
    POWER,
    ROOM,
    SERVICE,
    SIZE,
    START,
    Instance,
    Ints,
)
from optimizer.routing.state import BEGIN, LATEST, LENGTH, ON_MASS, ON_SIZE, STOP, State


class Tour(NamedTuple):
    """A route, with what its vehicle needs to know of the instance: its row, tables at its pace.

    detours: room to note what a delivery costs before each place.
    """

    stops: Ints
    vehicle: Ints
    seconds: Ints
    cost: Ints
    legs: Ints
    length: int
    detours: Ints


@compiled
def tour_of(inst: Instance, state: State, v: int) -> Tour:
    """A vehicle's route."""
    vehicle = inst.vehicles[v]
    return Tour(
        inst.stops,
        vehicle,
        inst.seconds[vehicle[PACE]],
        inst.cost[vehicle[PACE]],
        state.legs[v],
        state.routes[v, LENGTH],
        state.detours,
    )


@compiled
def cheapest_place(tour: Tour, p: int, d: int, limit: int) -> tuple[int, int, int]:
    """What pick-up and delivery cost where they are cheapest, and the places before which that is.

    First where the delivery alone would fit and what that costs, then the pick-ups from the last
    one back: most are seen to be too dear before their times are computed. If it costs no less than
    the limit, no places are told, and what is told for the cost may be too small.
    """
    low, end, least = _drive_by(tour, d, limit)
    if least >= limit:
        return least, -1, -1
    best, before, after = limit, -1, -1
    high, least = end, NEVER
    for i in range(high, -1, -1):
        end, least = _reach(tour, i, low, end, least, p)
        if end < low or _is_too_soon(tour, i, p):
            break
        if _may_begin(tour, i, p):
            cost, j = _fetch(tour, i, low, end, p, d, least, best)
            if j >= 0:
                best, before, after = cost, i, j
    return best, before, after


@compiled
def _drive_by(tour: Tour, d: int, limit: int) -> tuple[int, int, int]:
    """Before which places, first and last, the delivery alone would fit, and the least detour.

    Notes what each costs; where it does not fit, or costs no less than the limit, `NEVER`.
    """
    stops, detours, least = tour.stops, tour.detours, NEVER
    low = _first(tour, LATEST, stops[d, EARLY] + stops[d, SERVICE])
    high = _first(tour, BEGIN, stops[d, LATE] + 1)
    for k in range(low, high + 1):
        detours[k] = _detour(tour, k, stops[d, NODE], stops[d, NODE])
        least = min(least, detours[k])
    if least >= limit:
        return low, high, least
    for k in range(low, high + 1):
        if detours[k] >= limit or not _fits(tour, k, *_left(tour, k), d):
            detours[k] = NEVER
    return low, high, least


@compiled
def _first(tour: Tour, column: int, bound: int) -> int:
    """The first place with at least so much in a column that never falls along a route."""
    low, high = 0, tour.length
    while low < high:
        middle = (low + high) // 2
        if tour.legs[middle, column] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _detour(tour: Tour, k: int, first: int, last: int) -> int:
    """What it costs to drive to one node and then to another before place `k`."""
    cost, legs, stops = tour.cost, tour.legs, tour.stops
    at = stops[legs[k - 1, STOP], NODE] if k > 0 else tour.vehicle[START]
    after = stops[legs[k, STOP], NODE] if k < tour.length else tour.vehicle[END]
    way = cost[at, first] + cost[first, last]
    return int(way if after < 0 else way + cost[last, after] - cost[at, after])


@compiled
def _left(tour: Tour, k: int) -> tuple[int, int]:
    """When the vehicle leaves for place `k`, and from where."""
    if k == 0:
        return tour.vehicle[OPEN], tour.vehicle[START]
    before = tour.legs[k - 1, STOP]
    return tour.legs[k - 1, BEGIN] + tour.stops[before, SERVICE], tour.stops[before, NODE]


@compiled
def _fits(tour: Tour, k: int, t: int, at: int, d: int) -> bool:
    """Whether who leaves `at` at `t` can be at a delivery and then at place `k` in time."""
    stops, seconds, node = tour.stops, tour.seconds, tour.stops[d, NODE]
    begin = max(t + seconds[at, node], stops[d, EARLY])
    if begin > stops[d, LATE]:
        return False
    t = begin + stops[d, SERVICE]
    if k < tour.length:
        stop = tour.legs[k, STOP]
        return bool(t + seconds[node, stops[stop, NODE]] <= tour.legs[k, LATEST])
    home = tour.vehicle[END]
    return bool((t if home < 0 else t + seconds[node, home]) <= tour.vehicle[CLOSE])


@compiled
def _is_full(tour: Tour, k: int, p: int) -> bool:
    """Whether a request has no room on board at place `k`."""
    return bool(
        tour.legs[k, ON_SIZE] > tour.vehicle[ROOM] - tour.stops[p, SIZE]
        or tour.legs[k, ON_MASS] > tour.vehicle[POWER] - tour.stops[p, MASS]
    )


@compiled
def _reach(tour: Tour, i: int, low: int, end: int, least: int, p: int) -> tuple[int, int]:
    """How far a request can be on board from place `i` on, and the least detour after it.

    end, least: the same for place `i + 1`.
    """
    if i == tour.length:
        return end, least
    if _is_full(tour, i, p):
        return i, NEVER
    return end, min(least, tour.detours[i + 1]) if low <= i + 1 <= end else least


@compiled
def _is_too_soon(tour: Tour, i: int, p: int) -> bool:
    """Whether the vehicle must be gone from before place `i` when the pick-up can be done."""
    done = tour.stops[p, EARLY] + tour.stops[p, SERVICE]
    return bool(i < tour.length and tour.legs[i, LATEST] < done)


@compiled
def _may_begin(tour: Tour, i: int, p: int) -> bool:
    """Whether a pick-up before place `i` is worth a look.

    It is not if it is too late, if there is no room, or if it is as good before the stop ahead.
    """
    if i == 0:
        return True
    legs, stops = tour.legs, tour.stops
    ahead = legs[i - 1, STOP]
    return not (
        legs[i - 1, BEGIN] > stops[p, LATE]
        or _is_full(tour, i - 1, p)
        or (
            stops[p, NODE] == stops[ahead, NODE]
            and stops[p, EARLY] <= stops[ahead, EARLY]
            and legs[i - 1, BEGIN] + stops[p, SERVICE] <= stops[ahead, LATE]
            and (i == 1 or not _is_full(tour, i - 2, p))
        )
    )


@compiled
def _fetch(
    tour: Tour, i: int, low: int, end: int, p: int, d: int, least: int, best: int
) -> tuple[int, int]:
    """What it costs if the pick-up is before place `i`, and the delivery's place; -1 = too dear.

    least: what the detours of the places after `i` and up to `end` cost at least. best: what is
    too dear.
    """
    stops, node = tour.stops, tour.stops[p, NODE]
    base = _detour(tour, i, node, node)
    at_once = _detour(tour, i, node, stops[d, NODE]) if i >= low else NEVER
    if min(base + least, at_once) >= best:
        return NEVER, -1
    t, at = _left(tour, i)
    begin = max(t + tour.seconds[at, node], stops[p, EARLY])
    if begin > stops[p, LATE]:
        return NEVER, -1
    t, where = begin + stops[p, SERVICE], -1
    if at_once < best and _fits(tour, i, t, node, d):
        best, where = at_once, i
    if base + least < best:
        delta, j = _walk(tour, i, low, end, t, p, d, best - base)
        if j >= 0:
            best, where = base + delta, j
    return best, where


@compiled
def _walk(
    tour: Tour, i: int, low: int, end: int, t: int, p: int, d: int, best: int
) -> tuple[int, int]:
    """The cheapest place after `i`, from `low` to `end`, of a delivery, if it is below `best`.

    The pick-up is before place `i` and left at `t`. Where it made nothing later, the detours hold.
    """
    stops, legs, detours, at, where = tour.stops, tour.legs, tour.detours, tour.stops[p, NODE], -1
    for k in range(i, end):
        stop = legs[k, STOP]
        begin = max(t + tour.seconds[at, stops[stop, NODE]], stops[stop, EARLY])
        if begin <= legs[k, BEGIN]:
            for m in range(max(k + 1, low), end + 1):
                if detours[m] < best:
                    best, where = detours[m], m
            break
        t, at = begin + stops[stop, SERVICE], stops[stop, NODE]
        if begin > legs[k, LATEST] or t > stops[d, LATE]:
            break
        if k + 1 >= low and detours[k + 1] < best and _fits(tour, k + 1, t, at, d):
            best, where = detours[k + 1], k + 1
    return best, where
