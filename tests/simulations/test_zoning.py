"""Zones for a day that brings none."""

from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from engine.kernel.place import Point
from simulations.districts import Weighted, groups_of
from simulations.zoning import COURIERS_PER_ZONE, zones_around, zones_for

PLACES = st.lists(
    st.builds(
        Point,
        lat=st.floats(min_value=24.5, max_value=24.9),
        lng=st.floats(min_value=46.5, max_value=46.9),
    ),
    min_size=1,
    max_size=40,
)


@given(PLACES, st.integers(min_value=1, max_value=12))
def test_every_place_is_in_one_group(points: list[Point], count: int) -> None:
    places = [Weighted(str(number), point, 1.0) for number, point in enumerate(points)]
    found = groups_of(places, count)
    assert 1 <= len(found) <= count
    assert all(found)
    assert sorted(one.name for group in found for one in group) == sorted(
        one.name for one in places
    )


@given(st.permutations(range(20)), st.integers(min_value=1, max_value=8))
def test_the_order_of_places_changes_nothing(order: list[int], count: int) -> None:
    places = [
        Weighted(str(n), Point(lat=24 + n * 0.01, lng=46 + n % 5 * 0.02), 1.0) for n in range(20)
    ]
    shuffled = [places[n] for n in order]
    assert {frozenset(one) for one in groups_of(places, count)} == {
        frozenset(one) for one in groups_of(shuffled, count)
    }


def test_many_couriers_are_shared_by_several_zones_that_cover_every_place() -> None:
    starts = [Point(lat=24.5 + n % 40 * 0.01, lng=46.5 + n // 40 * 0.02) for n in range(1000)]
    doors = [Point(lat=24.45, lng=46.45)]
    zones = zones_around(doors, starts, name="somewhere", parameters=ZoneParameters())
    assert len(zones) == zones_for(1000) == -(-1000 // COURIERS_PER_ZONE)
    cells = [cell for one in zones for cell in one.cells]
    assert len(set(cells)) == len(cells)
    assert len({one.name_en for one in zones}) == len(zones)
