"""Problems in the format of Li & Lim (2003), with which pick-up and delivery is compared.

The first line holds the number of vehicles, their capacity and their speed; every other one a
place: number, x, y, demand, window, service time, and the number of its pick-up and its delivery,
0 for what it is itself. Place 0 is the depot of all vehicles.
"""

from pathlib import Path

import numpy as np

from optimizer.routing.problem import Request, RoutingProblem, Stop, Table, Vehicle, Weights

# Distances are real numbers; a hundredth is the unit, as in the published results.
_SCALE = 100
# Fewer vehicles first, then less distance: no detour is worth a vehicle.
_WEIGHTS = Weights(vehicle=10_000_000, time=1, unserved=1_000_000_000)
_COLUMNS = 9


class BadFile(Exception):
    """The file is not of the format; the text says where."""


def read(path: Path) -> RoutingProblem:
    """The problem of a file."""
    rows = _rows(path)
    places = {int(row[0]): row for row in rows[1:]}
    if 0 not in places or any(len(row) != _COLUMNS for row in places.values()):
        raise BadFile(f"{path}: a line for each place with {_COLUMNS} numbers, the depot as 0")
    numbers = sorted(places)
    node = {number: at for at, number in enumerate(numbers)}
    stops = {number: _stop(node[number], places[number]) for number in numbers}
    pickups = [number for number in numbers if number and int(places[number][8])]
    if any(int(places[number][8]) not in places for number in pickups):
        raise BadFile(f"{path}: a pick-up names a delivery that is not there")
    vehicles, capacity = int(rows[0][0]), int(rows[0][1])
    close_s = stops[0].latest_s
    return RoutingProblem(
        requests=tuple(
            Request(
                id=f"{number:05}",
                pickup=stops[number],
                delivery=stops[int(places[number][8])],
                volume=int(places[number][3]),
            )
            for number in pickups
        ),
        vehicles=tuple(
            Vehicle(id=f"v{v:04}", start=0, end=0, shift_end_s=close_s, volume=capacity)
            for v in range(vehicles)
        ),
        seconds=_seconds([places[number] for number in numbers]),
        weights=_WEIGHTS,
    )


def _rows(path: Path) -> list[list[float]]:
    try:
        lines = path.read_text("utf-8").splitlines()
        rows = [[float(word) for word in line.split()] for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: {error}") from None
    if not rows or len(rows[0]) < 2:
        raise BadFile(f"{path}: the first line names the vehicles and their capacity")
    return rows


def _stop(node: int, row: list[float]) -> Stop:
    return Stop(
        node=node,
        earliest_s=round(row[4] * _SCALE),
        latest_s=round(row[5] * _SCALE),
        service_s=round(row[6] * _SCALE),
    )


def _seconds(places: list[list[float]]) -> Table:
    at = np.array([row[1:3] for row in places])
    apart = np.hypot(*np.moveaxis(at[:, None] - at[None], -1, 0))
    seconds: Table = np.ceil(apart * _SCALE - 1e-6).astype(np.int64)
    return seconds
