"""A routing problem as arrays of integers, the form that compiled code works on.

Requests and vehicles are numbered by id, so that the order in which they came changes nothing.
Stop `r` is the pick-up of request `r`, stop `r + R` its delivery, R being the number of requests.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.routing.problem import FOREVER_S, Request, RoutingProblem, Vehicle

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Columns of a stop. SIZE and MASS are what the load changes by, negative at a delivery.
NODE, EARLY, LATE, DUE, SERVICE, SIZE, MASS = range(7)
# Columns of a vehicle. KIND is equal for vehicles that differ in nothing but their id; a PLAIN one
# has no rests, and no stop can be late.
START, END, OPEN, CLOSE, ROOM, POWER, PACE, KIND, FIRST_REST, LAST_REST, PLAIN = range(11)
# Columns of a rest.
REST_EARLY, REST_LATE, REST_LENGTH = range(3)
# Fixed costs.
PER_VEHICLE, PER_LATE_SECOND = range(2)

NEVER = 1 << 60
# A plain 0 or -1 would have every function that it reaches compiled twice, as a constant and as a
# number.
NONE: Any = np.int64(0)
NOBODY: Any = np.int64(-1)
NO_END = -1
# Where a request is that no vehicle has, and one that no vehicle can ever have.
UNSERVED, HOPELESS = -1, -2
NEAR = 60


class Instance(NamedTuple):
    """What does not change during a search.

    seconds, cost: [pace, origin, destination]. allowed: [request, vehicle]. near: for each request
    the others, most alike first. keys: orders of insertion, [order, request].
    """

    stops: Ints
    vehicles: Ints
    rests: Ints
    seconds: Ints
    cost: Ints
    prices: Ints
    unserved: Ints
    allowed: Flags
    near: Ints
    keys: Ints


class Named(NamedTuple):
    """The instance, and what its rows are."""

    instance: Instance
    requests: tuple[Request, ...]
    vehicles: tuple[Vehicle, ...]


def arrays_of(problem: RoutingProblem) -> Named:
    """The problem as arrays."""
    requests = tuple(sorted(problem.requests, key=lambda one: one.id))
    kinds = _kinds(problem.vehicles)
    # Equal vehicles stand together: of those that have no work yet only the first is looked at.
    vehicles = tuple(sorted(problem.vehicles, key=lambda one: (kinds[_traits(one)], one.id)))
    paces = sorted({one.pace_permille for one in vehicles}) or [1000]
    seconds = np.stack([-(-problem.seconds * pace // 1000) for pace in paces]).astype(np.int64)
    far = problem.seconds if problem.distances is None else problem.distances
    stops = _stops(requests)
    late = bool((stops[:, DUE] < FOREVER_S).any()) if requests else False
    instance = Instance(
        stops=stops,
        vehicles=_vehicles(vehicles, kinds, paces, late=late),
        rests=_rests(vehicles),
        seconds=seconds,
        cost=problem.weights.time * seconds + problem.weights.distance * far[None, :, :],
        prices=np.array([problem.weights.vehicle, problem.weights.lateness], dtype=np.int64),
        unserved=np.array(
            [
                problem.weights.unserved if one.unserved is None else one.unserved
                for one in requests
            ],
            dtype=np.int64,
        ),
        allowed=_allowed(requests, vehicles),
        near=_near(stops, problem.seconds),
        keys=_keys(stops, problem.seconds, vehicles),
    )
    return Named(instance, requests, vehicles)


def _traits(vehicle: Vehicle) -> tuple[object, ...]:
    return (
        vehicle.start,
        vehicle.end,
        vehicle.shift_start_s,
        vehicle.shift_end_s,
        vehicle.volume,
        vehicle.weight,
        tuple(sorted(vehicle.skills)),
        vehicle.pace_permille,
        vehicle.rests,
    )


def _kinds(vehicles: tuple[Vehicle, ...]) -> dict[tuple[object, ...], int]:
    first: dict[tuple[object, ...], str] = {}
    for vehicle in sorted(vehicles, key=lambda one: one.id):
        first.setdefault(_traits(vehicle), vehicle.id)
    return {traits: kind for kind, traits in enumerate(sorted(first, key=lambda one: first[one]))}


def _stops(requests: tuple[Request, ...]) -> Ints:
    rows = [
        (s.node, s.earliest_s, s.latest_s, s.due_s, s.service_s, sign * r.volume, sign * r.weight)
        for sign in (1, -1)
        for r in requests
        for s in [r.pickup if sign > 0 else r.delivery]
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 7)


def _vehicles(
    vehicles: tuple[Vehicle, ...],
    kinds: dict[tuple[object, ...], int],
    paces: list[int],
    *,
    late: bool,
) -> Ints:
    rows, rest = [], 0
    for one in vehicles:
        rows.append(
            (
                one.start,
                NO_END if one.end is None else one.end,
                one.shift_start_s,
                one.shift_end_s,
                one.volume,
                one.weight,
                paces.index(one.pace_permille),
                kinds[_traits(one)],
                rest,
                rest + len(one.rests),
                not one.rests and not late,
            )
        )
        rest += len(one.rests)
    return np.array(rows, dtype=np.int64).reshape(-1, 11)


def _rests(vehicles: tuple[Vehicle, ...]) -> Ints:
    rows = [(r.earliest_s, r.latest_s, r.duration_s) for one in vehicles for r in one.rests]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _allowed(requests: tuple[Request, ...], vehicles: tuple[Vehicle, ...]) -> Flags:
    rows = [
        [
            one.skills <= vehicle.skills
            and one.volume <= vehicle.volume
            and one.weight <= vehicle.weight
            for vehicle in vehicles
        ]
        for one in requests
    ]
    return np.array(rows, dtype=np.bool_).reshape(len(requests), len(vehicles))


def _near(stops: Ints, seconds: Ints) -> Ints:
    """For each request those that can share a trip with it, by ways and by the clock."""
    count = len(stops) // 2
    pickup, delivery = stops[:count, NODE], stops[count:, NODE]
    apart = np.abs(stops[:count, EARLY][:, None] - stops[:count, EARLY][None, :])
    apart += np.abs(_ends(stops[count:])[:, None] - _ends(stops[count:])[None, :])
    ways = seconds[np.ix_(pickup, pickup)] + seconds[np.ix_(delivery, delivery)]
    ways = ways + ways.T
    unlike = 4 * ways + apart
    np.fill_diagonal(unlike, -1)
    return np.argsort(unlike, axis=1, kind="stable")[:, 1 : NEAR + 1].astype(np.int64)


def _ends(stops: Ints) -> Ints:
    ends: Ints = np.minimum(stops[:, LATE], stops[:, DUE])
    return np.where(ends >= FOREVER_S, stops[:, EARLY], ends)


def _keys(stops: Ints, seconds: Ints, vehicles: tuple[Vehicle, ...]) -> Ints:
    """Numbers by which requests are sorted before they are inserted, smallest first."""
    count = len(stops) // 2
    first, last = stops[:count], stops[count:]
    starts = np.array([one.start for one in vehicles] or [0], dtype=np.int64)
    far = seconds[starts[:, None], first[:, NODE]].min(axis=0, initial=NEVER)
    way = seconds[first[:, NODE], last[:, NODE]]
    return np.stack(
        [
            -(first[:, SIZE] + first[:, MASS]),
            -(far + way),
            far + way,
            _ends(last) - first[:, EARLY],
            first[:, EARLY],
            _ends(last),
        ]
    ).astype(np.int64)
