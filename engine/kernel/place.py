"""Where something is: a point on the earth, and a place that people call by a name."""

import math
from collections.abc import Iterable

from msgspec import Struct

EARTH_RADIUS_M = 6_371_008.8


class Point(Struct, frozen=True, kw_only=True):
    """WGS 84 degrees."""

    lat: float
    lng: float


class Place(Struct, frozen=True, kw_only=True):
    """A point with what a courier needs to find it."""

    point: Point
    name: str = ""
    address: str = ""
    notes: str = ""


def is_on_earth(lat: float, lng: float) -> bool:
    """Whether both are finite and in range; a NaN is nowhere."""
    return math.isfinite(lat) and math.isfinite(lng) and -90 <= lat <= 90 and -180 <= lng <= 180


def each_once(points: Iterable[Point]) -> list[Point]:
    """The points without repetitions, by latitude and then by longitude."""
    return sorted(set(points), key=lambda one: (one.lat, one.lng))


def distance_m(a: Point, b: Point) -> float:
    """Great-circle metres between two points (haversine)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lng = math.sin(math.radians(b.lng - a.lng) / 2)
    chord = half_lat * half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lng * half_lng
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord)))
