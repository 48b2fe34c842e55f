"""A city's districts on the H3 grid: where they lie, and how they are grouped into zones."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from engine.geo.cells import cell_at, cells_in_polygon, centre_of, disk
from engine.kernel.ids import CellId
from engine.kernel.place import EARTH_RADIUS_M, Point
from simulations.atlas import District

ZONE_RESOLUTION: Final = 7
_M_PER_DEGREE: Final = EARTH_RADIUS_M * math.pi / 180


def point_in(district: District, chance: random.Random) -> Point:
    """Anywhere in the district, the middle as likely as the rim."""
    distance_m = district.radius_m * math.sqrt(chance.random())
    return _moved(district, distance_m, chance.uniform(0, 2 * math.pi))


def metres(a: Point, b: Point) -> float:
    """The distance on a plane, near enough within a city."""
    east = (b.lng - a.lng) * math.cos(math.radians(a.lat))
    return math.hypot(b.lat - a.lat, east) * _M_PER_DEGREE


class Weighted(NamedTuple):
    """A place by name, and how many couriers wait there, in any unit."""

    name: str
    point: Point
    weight: float


def groups_of(places: Sequence[Weighted], count: int) -> list[tuple[Weighted, ...]]:
    """At most `count` groups of neighbouring places with about as much weight each.

    Halves along the longer side again and again.
    """
    if count <= 1 or len(places) == 1:
        return [tuple(places)]
    ordered = sorted(places, key=_along_longer_side(places))
    here = count // 2
    wanted = sum(one.weight for one in ordered) * here / count
    cut, weight = 0, 0.0
    while cut < len(ordered) - 1 and (cut == 0 or weight + ordered[cut].weight / 2 < wanted):
        weight += ordered[cut].weight
        cut += 1
    return [*groups_of(ordered[:cut], here), *groups_of(ordered[cut:], count - here)]


def grouped(districts: Sequence[District], count: int) -> list[tuple[District, ...]]:
    """At most `count` groups of neighbouring districts; couriers wait where the shops are."""
    by_name = {one.name_en: one for one in districts}
    places = [Weighted(one.name_en, middle(one), one.shops) for one in districts]
    return [tuple(by_name[one.name] for one in found) for found in groups_of(places, count)]


def cells_by_group(groups: Sequence[Sequence[District]]) -> list[tuple[CellId, ...]]:
    """The cells of each group: every cell of the city goes to the district whose middle is nearest.

    Covers each district with its rim, and one ring around, and leaves no holes.
    """
    covered = {cell for found in groups for one in found for cell in _cells(one)}
    around = {near for cell in covered for near in disk(cell, 1)} - covered
    covered |= {one for one in around if disk(one, 1) - {one} <= covered}
    middles = [(middle(one), number) for number, found in enumerate(groups) for one in found]
    cells: dict[int, list[CellId]] = defaultdict(list)
    for cell in sorted(covered):
        centre = centre_of(cell)
        _, number = min((metres(centre, point), number) for point, number in middles)
        cells[number].append(cell)
    return [tuple(cells[number]) for number in range(len(groups))]


def middle(district: District) -> Point:
    """The middle of a district."""
    return Point(lat=district.lat, lng=district.lng)


def _along_longer_side(places: Sequence[Weighted]) -> Callable[[Weighted], tuple[float, str]]:
    lats, lngs = [one.point.lat for one in places], [one.point.lng for one in places]
    wide = (max(lngs) - min(lngs)) * math.cos(math.radians(lats[0]))
    if max(lats) - min(lats) >= wide:
        return lambda one: (one.point.lat, one.name)
    return lambda one: (one.point.lng, one.name)


def _cells(district: District) -> set[CellId]:
    rim = [_moved(district, district.radius_m, turn * math.pi / 6) for turn in range(12)]
    inside = {*cells_in_polygon(rim, ZONE_RESOLUTION)}
    inside |= {cell_at(one, ZONE_RESOLUTION) for one in rim}
    return {near for cell in inside for near in disk(cell, 1)}


def _moved(district: District, distance_m: float, bearing: float) -> Point:
    lat = district.lat + distance_m * math.cos(bearing) / _M_PER_DEGREE
    east_m = distance_m * math.sin(bearing)
    lng = district.lng + east_m / (_M_PER_DEGREE * math.cos(math.radians(district.lat)))
    return Point(lat=lat, lng=lng)
