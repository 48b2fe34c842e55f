"""What must hold of points on the earth."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.place import EARTH_RADIUS_M, Point, distance_m, is_on_earth

RIYADH = Point(lat=24.7136, lng=46.6753)
JEDDAH = Point(lat=21.4858, lng=39.1925)
MECCA = Point(lat=21.4225, lng=39.8262)
DAMMAM = Point(lat=26.4207, lng=50.0888)
LONDON = Point(lat=51.5074, lng=-0.1278)
SYDNEY = Point(lat=-33.8688, lng=151.2093)
HALF_ROUND_M = math.pi * EARTH_RADIUS_M

points = st.builds(Point, lat=st.floats(-90, 90), lng=st.floats(-180, 180))


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        (RIYADH, JEDDAH, 846),
        (RIYADH, DAMMAM, 392),
        (JEDDAH, MECCA, 66),
        (LONDON, SYDNEY, 16_994),
        (RIYADH, RIYADH, 0),
    ],
)
def test_cities_are_as_far_apart_as_maps_say(a: Point, b: Point, km: float) -> None:
    assert distance_m(a, b) / 1000 == pytest.approx(km, rel=0.003)


def test_a_degree_of_a_great_circle_is_as_long_as_the_radius_says() -> None:
    degree = math.radians(1) * EARTH_RADIUS_M
    here = Point(lat=0.0, lng=0.0)
    for there in (Point(lat=1.0, lng=0.0), Point(lat=0.0, lng=-1.0)):
        assert distance_m(here, there) == pytest.approx(degree, rel=1e-9)


@given(points, points)
def test_a_distance_is_the_same_both_ways_and_at_most_half_round(a: Point, b: Point) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-6)
    assert 0 <= distance_m(a, b) <= HALF_ROUND_M + 1e-6


@given(points, points, points)
def test_a_detour_is_never_shorter(a: Point, b: Point, c: Point) -> None:
    assert distance_m(a, c) <= distance_m(a, b) + distance_m(b, c) + 1


def test_the_far_side_of_the_earth_is_half_round() -> None:
    far = Point(lat=-RIYADH.lat, lng=RIYADH.lng - 180)
    assert distance_m(RIYADH, far) == pytest.approx(HALF_ROUND_M)


def test_the_date_line_separates_nothing() -> None:
    west, east = Point(lat=0.0, lng=-179.999), Point(lat=0.0, lng=179.999)
    assert distance_m(west, east) < 300


@pytest.mark.parametrize(
    ("lat", "lng", "is_on"),
    [
        (0.0, 0.0, True),
        (90.0, 180.0, True),
        (-90.0, -180.0, True),
        (90.1, 0.0, False),
        (-90.1, 0.0, False),
        (0.0, 180.1, False),
        (0.0, -180.1, False),
        (math.nan, 0.0, False),
        (0.0, math.nan, False),
        (math.inf, 0.0, False),
        (0.0, -math.inf, False),
    ],
)
def test_only_finite_degrees_in_range_are_on_the_earth(
    lat: float, lng: float, *, is_on: bool
) -> None:
    assert is_on_earth(lat, lng) is is_on
