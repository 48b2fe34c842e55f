"""What must hold of the kept ways between shops: they are what would be looked up anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.dispatch import apart
from engine.dispatch.apart import KNOWN_MAX, apart_s
from engine.geo.travel import TravelProfile, VehicleKind, travel_times
from engine.kernel.place import Point
from engine.kernel.timing import HOUR_MS
from tests.builders import NOON

PROFILES = [TravelProfile(), TravelProfile(hour_factors=tuple(1 + h / 24 for h in range(24)))]
shops = st.lists(st.integers(0, 30), unique=True, max_size=12)


def place(number: int) -> Point:
    return Point(lat=24 + number % 37 / 100, lng=46 + number % 41 / 100)


def looked_up(profile: TravelProfile, points: list[Point], hour: int) -> list[list[int]]:
    travel = travel_times(profile)
    return [
        [travel.one_s(one, other, vehicle=VehicleKind.CAR, at=hour) for other in points]
        for one in points
    ]


@given(st.lists(st.tuples(st.sampled_from(PROFILES), st.integers(0, 3), shops), max_size=6))
def test_kept_ways_are_those_of_their_hour_and_profile(
    asked: list[tuple[TravelProfile, int, list[int]]],
) -> None:
    for profile, hours, numbers in asked:
        points, at = [place(one) for one in numbers], NOON + hours * HOUR_MS + 1
        found = apart_s(profile, points, at)
        assert found.tolist() == looked_up(profile, points, at)


def test_no_more_shops_are_known_than_may_be() -> None:
    profile = TravelProfile(detour=1.5)
    table = apart._table(profile, NOON)
    for begin in range(0, 3 * KNOWN_MAX, KNOWN_MAX // 3):
        points = [Point(lat=24.0, lng=46 + n / 1e5) for n in range(begin, begin + KNOWN_MAX // 3)]
        found = apart_s(profile, points, NOON)
        assert len(table._number) <= KNOWN_MAX
        assert np.array_equal(found, found.T)
        assert (np.diff(found[0]) >= 0).all()
