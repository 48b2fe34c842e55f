"""What must hold of travel times."""

import math
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.geo.travel import (
    GreatCircle,
    Points,
    Speeds,
    TravelProfile,
    VehicleKind,
    great_circle_m,
)
from engine.kernel.place import Point, distance_m
from engine.kernel.timing import HOUR_MS
from tests.builders import DOOR, NOON, SHOP

CAR: Final = VehicleKind.CAR
MIDNIGHT_UTC: Final = NOON - 9 * HOUR_MS
# One degree of latitude.
DEGREE_M: Final = distance_m(Point(lat=0.0, lng=0.0), Point(lat=1.0, lng=0.0))

points = st.builds(Point, lat=st.floats(20, 30), lng=st.floats(40, 50))
profiles = st.builds(
    TravelProfile,
    detour=st.floats(1, 5),
    speeds_kmh=st.builds(Speeds, car=st.floats(1, 200), bicycle=st.floats(1, 200)),
    hour_factors=st.lists(st.floats(0.1, 3), min_size=24, max_size=24).map(tuple),
    utc_offset_h=st.integers(-12, 14),
    whole_s=st.sampled_from([1, 7, 60, 600]),
)


def north(metres: float) -> Point:
    return Point(lat=metres / DEGREE_M, lng=0.0)


def leg_s(profile: TravelProfile, metres: float, *, at: int = NOON) -> int:
    return GreatCircle(profile).one_s(Point(lat=0.0, lng=0.0), north(metres), vehicle=CAR, at=at)


@given(profiles, points, st.lists(points, min_size=1, max_size=5), st.sampled_from(VehicleKind))
def test_many_at_once_take_as_long_as_one_by_one(
    profile: TravelProfile, origin: Point, doors: list[Point], vehicle: VehicleKind
) -> None:
    travel = GreatCircle(profile)
    at_once = travel.seconds(
        Points.of([origin]),
        Points.of(doors),
        vehicle=vehicle,
        at=NOON,
    )
    singly = [travel.one_s(origin, one, vehicle=vehicle, at=NOON) for one in doors]
    assert at_once.dtype == np.int64
    assert at_once.tolist() == singly


@given(profiles, points, points)
def test_there_takes_as_long_as_back(profile: TravelProfile, a: Point, b: Point) -> None:
    travel = GreatCircle(profile)
    there = travel.one_s(a, b, vehicle=CAR, at=NOON)
    assert abs(there - travel.one_s(b, a, vehicle=CAR, at=NOON)) in {0, profile.whole_s}
    assert there >= 0
    assert there % profile.whole_s == 0
    assert travel.one_s(a, a, vehicle=CAR, at=NOON) == 0


@given(points, points)
def test_the_vectorised_distance_is_the_distance(a: Point, b: Point) -> None:
    metres = great_circle_m(Points.of([a]), Points.of([b]))
    assert metres[0] == pytest.approx(distance_m(a, b), rel=1e-9, abs=1e-6)


def test_the_road_is_longer_than_the_bird_flies() -> None:
    travel = GreatCircle(TravelProfile(detour=1.5))
    metres = travel.metres(Points.of([SHOP]), Points.of([DOOR]))
    assert metres[0] == pytest.approx(1.5 * distance_m(SHOP, DOOR))


@pytest.mark.parametrize(
    ("metres", "whole_s", "seconds"),
    [
        (0, 1, 0),
        (0.1, 1, 1),
        (10, 1, 1),
        (10.1, 1, 2),
        (600, 60, 60),
        (600.1, 60, 120),
        (601, 60, 120),
        (1, 60, 60),
    ],
)
def test_times_are_rounded_up_to_whole_steps(metres: float, whole_s: int, seconds: int) -> None:
    profile = TravelProfile(detour=1.0, speeds_kmh=Speeds(car=36.0), whole_s=whole_s)
    assert leg_s(profile, metres) == seconds


def test_each_vehicle_has_its_own_speed() -> None:
    profile = TravelProfile(speeds_kmh=Speeds(car=36, motorcycle=72, bicycle=18, foot=3.6))
    travel = GreatCircle(profile)
    speeds = {one: travel.speed_m_s(one, NOON) for one in VehicleKind}
    assert list(speeds.values()) == pytest.approx([10, 20, 5, 1])


@pytest.mark.parametrize(
    ("offset_h", "utc_hour", "local_hour"),
    [(3, 0, 3), (3, 20, 23), (3, 21, 0), (0, 23, 23), (-5, 2, 21), (-12, 11, 23), (14, 10, 0)],
)
def test_the_hour_is_the_hour_of_the_city(offset_h: int, utc_hour: int, local_hour: int) -> None:
    factors = tuple(0.5 if hour == local_hour else 1.0 for hour in range(24))
    profile = TravelProfile(hour_factors=factors, utc_offset_h=offset_h)
    travel = GreatCircle(profile)
    begins = MIDNIGHT_UTC + utc_hour * HOUR_MS
    free = profile.speeds_kmh.car / 3.6
    for at, speed in (
        (begins - 1, free),
        (begins, free / 2),
        (begins + HOUR_MS - 1, free / 2),
        (begins + HOUR_MS, free),
    ):
        assert travel.speed_m_s(CAR, at) == pytest.approx(speed)


def test_at_half_speed_the_same_way_takes_twice_as_long() -> None:
    profile = TravelProfile(detour=1.0, speeds_kmh=Speeds(car=36.0))
    slow = replace(profile, hour_factors=(0.5,) * 24)
    assert (leg_s(profile, 1000), leg_s(slow, 1000)) == (100, 200)


@pytest.mark.parametrize(
    ("field", "inside", "outside", "fault"),
    [
        ("detour", [1.0, 5.0], [0.99, 5.01, math.nan], "travel.detour must be 1 to 5"),
        (
            "speeds_kmh",
            [Speeds(car=1.0), Speeds(foot=200.0)],
            [Speeds(car=0.9), Speeds(motorcycle=200.1), Speeds(bicycle=math.nan), Speeds(foot=0)],
            "travel.speeds_kmh must be 1 to 200",
        ),
        (
            "hour_factors",
            [(0.1,) * 24, (3.0,) * 24],
            [
                (1.0,) * 23,
                (1.0,) * 25,
                (),
                (1.0,) * 23 + (0.09,),
                (3.01,) + (1.0,) * 23,
                (math.nan,) * 24,
            ],
            "travel.hour_factors must be 24 numbers of 0.1 to 3",
        ),
        ("utc_offset_h", [-12, 14], [-13, 15], "travel.utc_offset_h must be -12 to 14"),
        ("whole_s", [1, 600], [0, 601], "travel.whole_s must be 1 to 600"),
    ],
)
def test_a_profile_names_what_is_out_of_bounds(
    field: str, inside: list[Any], outside: list[Any], fault: str
) -> None:
    for value in inside:
        assert replace(TravelProfile(), **{field: value}).faults() == []
    for value in outside:
        assert replace(TravelProfile(), **{field: value}).faults() == [fault]
