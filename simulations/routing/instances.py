"""Pick-up and delivery problems of a generated city, from a seed."""

import random
from dataclasses import replace

import numpy as np

from optimizer.routing.problem import Request, RoutingProblem, Stop, Table, Vehicle, Weights

# Costs are seconds: a vehicle more is worth half an hour of driving, and nothing is left out that
# can be done.
WEIGHTS = Weights(vehicle=1800, time=1, unserved=100_000)
_RADIUS_M = 12_000
_DETOUR = 1.35
_SPEED_M_S = 8.5
_HOUR_S = 3600
_LAST_WINDOW_S = 11 * _HOUR_S
_DAY_STARTS_S = 8 * _HOUR_S
_WINDOWS_S = (1800, 3600, 7200)
_EARLIER_S = 5400


def city(requests: int, seed: int) -> RoutingProblem:
    """A day from eight in the morning: shops near the centre, doors everywhere, couriers at home.

    Every gift has a window at the door of half an hour, one or two hours, and is at its shop at the
    most an hour and a half before; shifts last six to thirteen hours.
    """
    chance = random.Random(f"{requests} {seed}")
    map_ = _Map(chance)
    shops = [map_.node(0.3) for _ in range(max(4, requests // 8))]
    gifts = tuple(_request(number, shops, map_, chance) for number in range(requests))
    couriers = tuple(_vehicle(number, map_, chance) for number in range(max(4, requests // 4)))
    return RoutingProblem(
        requests=gifts,
        vehicles=couriers,
        seconds=map_.seconds(),
        weights=WEIGHTS,
        seed=seed,
    )


def hub(requests: int, seed: int) -> RoutingProblem:
    """The same city with everything fetched at one warehouse, where vans begin and end."""
    chance = random.Random(f"hub {requests} {seed}")
    map_ = _Map(chance)
    warehouse = map_.node(0.2)
    doors = [_request(number, [warehouse], map_, chance) for number in range(requests)]
    day = Stop(node=warehouse, earliest_s=0, latest_s=24 * _HOUR_S)
    return RoutingProblem(
        requests=tuple(replace(one, pickup=day) for one in doors),
        vehicles=tuple(
            Vehicle(
                id=f"v{number:04}",
                start=warehouse,
                end=warehouse,
                shift_start_s=_DAY_STARTS_S,
                shift_end_s=_DAY_STARTS_S + 14 * _HOUR_S,
                volume=20,
                weight=40,
            )
            for number in range(max(4, requests // 4))
        ),
        seconds=map_.seconds(),
        weights=WEIGHTS,
        seed=seed,
    )


class _Map:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._points: list[tuple[float, float]] = []

    def node(self, spread: float) -> int:
        """A place around the centre, as far out as the share of the radius says."""
        at = (self._chance.gauss(0, spread), self._chance.gauss(0, spread))
        self._points.append(at)
        return len(self._points) - 1

    def seconds(self) -> Table:
        """Times between all places, rounded up so that no detour is a short cut."""
        points = np.array(self._points) * _RADIUS_M
        metres = np.hypot(*np.moveaxis(points[:, None] - points[None], -1, 0)) * _DETOUR
        seconds: Table = np.ceil(metres / _SPEED_M_S).astype(np.int64)
        return seconds


def _request(number: int, shops: list[int], map_: _Map, chance: random.Random) -> Request:
    opens_s = _DAY_STARTS_S + _HOUR_S + chance.randrange(0, _LAST_WINDOW_S - 2 * _HOUR_S, 900)
    closes_s = opens_s + chance.choice(_WINDOWS_S)
    return Request(
        id=f"r{number:04}",
        pickup=Stop(
            node=chance.choice(shops),
            earliest_s=opens_s - _EARLIER_S,
            latest_s=closes_s,
            service_s=180,
        ),
        delivery=Stop(node=map_.node(0.45), earliest_s=opens_s, latest_s=closes_s, service_s=180),
        volume=chance.choice((1, 1, 1, 2, 3)),
        weight=chance.choice((1, 1, 2, 5)),
    )


def _vehicle(number: int, map_: _Map, chance: random.Random) -> Vehicle:
    starts_s = _DAY_STARTS_S + chance.choice((0, 0, 2, 4)) * _HOUR_S - _HOUR_S // 2
    return Vehicle(
        id=f"v{number:04}",
        start=map_.node(0.4),
        shift_start_s=starts_s,
        shift_end_s=starts_s + chance.choice((6, 8, 10, 13)) * _HOUR_S,
        volume=8,
        weight=20,
    )
