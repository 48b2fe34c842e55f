"""The H3 grid: which cell a point lies in, what lies around it, and which actor it belongs to."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import h3
import numpy as np
from numpy.typing import NDArray

from engine.kernel.ids import CellId
from engine.kernel.place import Point

RESOLUTION_MAX = 15
# Squares of a thousandth of a degree: a number for each, with room for those from west to east.
_SQUARES_EAST = 1_000_000
_SQUARES_MAX = 2**17


def cell_at(point: Point, resolution: int) -> CellId:
    """The cell of `resolution` (0 to 15) that holds the point."""
    return CellId(h3.latlng_to_cell(point.lat, point.lng, resolution))


def numbers_near(
    lat: NDArray[np.float64], lng: NDArray[np.float64], resolution: int
) -> NDArray[np.uint64]:
    """The numbers of the cells that hold these points, rounded to thousandths of a degree.

    To tell roughly who is near whom: what was looked up once is not looked up again.
    """
    squares = (np.rint(lat * 1000) * _SQUARES_EAST + np.rint(lng * 1000)).tolist()
    known = _numbers_known(resolution)
    if len(known) > _SQUARES_MAX:
        known.clear()
    for square in set(squares) - known.keys():
        north = round(square / _SQUARES_EAST)
        point = north / 1000, (square - north * _SQUARES_EAST) / 1000
        known[square] = h3.str_to_int(h3.latlng_to_cell(*point, resolution))
    return np.array([known[square] for square in squares], dtype=np.uint64)


@cache
def _numbers_known(_resolution: int) -> dict[float, int]:
    """The number of the cell at the middle of each square that was asked for."""
    return {}


def is_cell(text: str) -> bool:
    """Whether `text` names an H3 cell."""
    return bool(h3.is_valid_cell(text))


def resolution_of(cell: CellId) -> int:
    """The resolution of a cell."""
    return int(h3.get_resolution(cell))


def ancestor(cell: CellId, resolution: int) -> CellId:
    """The cell itself or its parent at a coarser resolution."""
    return (
        cell if resolution_of(cell) <= resolution else CellId(h3.cell_to_parent(cell, resolution))
    )


def centre_of(cell: CellId) -> Point:
    """The centre of a cell."""
    lat, lng = h3.cell_to_latlng(cell)
    return Point(lat=lat, lng=lng)


@lru_cache(maxsize=4096)
def disk(cell: CellId, rings: int) -> frozenset[CellId]:
    """The cell and all cells at most `rings` steps away."""
    return frozenset(CellId(c) for c in h3.grid_disk(cell, rings))


def steps_between(a: CellId, b: CellId) -> int:
    """Grid steps between two cells of one resolution."""
    return int(h3.grid_distance(a, b))


def edge_length_m(resolution: int) -> float:
    """Mean edge length of a cell of `resolution`."""
    return float(h3.average_hexagon_edge_length(resolution, unit="m"))


def boundary_of(cell: CellId) -> tuple[Point, ...]:
    """The corners of a cell."""
    return tuple(Point(lat=lat, lng=lng) for lat, lng in h3.cell_to_boundary(cell))


def cells_in_polygon(corners: Sequence[Point], resolution: int) -> tuple[CellId, ...]:
    """The cells whose centres lie in the polygon, in order of their names."""
    shape = h3.LatLngPoly([(p.lat, p.lng) for p in corners])
    return tuple(sorted(CellId(c) for c in h3.h3shape_to_cells(shape, resolution)))


def middle_cell(cells: Iterable[CellId]) -> CellId:
    """The cell nearest to the mean of the centres: a zone's anchor."""
    ordered = sorted(cells)
    centres = [centre_of(c) for c in ordered]
    mean_lat = sum(p.lat for p in centres) / len(centres)
    mean_lng = sum(p.lng for p in centres) / len(centres)
    return min(
        zip(ordered, centres, strict=True),
        key=lambda pair: ((pair[1].lat - mean_lat) ** 2 + (pair[1].lng - mean_lng) ** 2, pair[0]),
    )[0]
