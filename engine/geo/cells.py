"""The H3 grid: which cell a point lies in, what lies around it, and which actor it belongs to."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import h3
import numpy as np
from h3.api import basic_int
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
    squares = np.rint(lat * 1000).astype(np.int64) * _SQUARES_EAST
    squares += np.rint(lng * 1000).astype(np.int64)
    known = _known(resolution)
    numbers = known.number_of(squares)
    (unknown,) = np.nonzero(numbers == 0)
    known.learn(np.unique(squares[unknown]))
    numbers[unknown] = known.number_of(squares[unknown])
    return numbers


class _Known:
    """The number of the cell at the middle of each square that was asked for, in order."""

    def __init__(self, resolution: int) -> None:
        self._resolution = resolution
        self._forget()

    def _forget(self) -> None:
        # The last one is beyond all squares, so that each has one that is not before it.
        self._squares = np.array([np.iinfo(np.int64).max])
        self._numbers = np.zeros(1, dtype=np.uint64)

    def number_of(self, squares: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The numbers of their cells, 0 = not known."""
        at = np.searchsorted(self._squares, squares)
        return np.where(self._squares[at] == squares, self._numbers[at], np.uint64(0))

    def learn(self, squares: NDArray[np.int64]) -> None:
        """Look up the cells of these, which are in order; too many known are forgotten before."""
        if len(self._squares) + len(squares) > _SQUARES_MAX:
            self._forget()
        numbers = [self._number(one) for one in squares.tolist()]
        at = np.searchsorted(self._squares, squares)
        self._squares = np.insert(self._squares, at, squares)
        self._numbers = np.insert(self._numbers, at, np.array(numbers, dtype=np.uint64))

    def _number(self, square: int) -> int:
        north = round(square / _SQUARES_EAST)
        east = square - north * _SQUARES_EAST
        return int(basic_int.latlng_to_cell(north / 1000, east / 1000, self._resolution))


@cache
def _known(resolution: int) -> _Known:
    return _Known(resolution)


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
