"""Which parameter sets a sweep tries."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.parameter_files import BadParameters, faults_of
from simulations.sampling import flat, grid, nested, read_range, spread_evenly

# Whose import takes a second; so only one process of a parallel run needs it.
pytestmark = pytest.mark.xdist_group("scipy.stats")


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("trips_max=1..4:1", (1, 2, 3, 4)),
        ("commit_lead_s=0..100:30", (0, 30, 60, 90)),
        ("travel.detour=1..1.5:0.25", (1.0, 1.25, 1.5)),
        ("trips_max=1,4", (1, 4)),
    ],
)
def test_a_range_is_read(written: str, values: tuple[float, ...]) -> None:
    found = read_range(written)
    assert found.values == pytest.approx(values)
    assert [type(one) for one in found.values] == [type(one) for one in values]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("trips_max", "write it as NAME=low..high"),
        ("trips_max=", "write it as NAME=low..high"),
        ("trips_max=1..x", "write it as NAME=low..high"),
        ("trips_max=1..2..3", "write it as NAME=low..high"),
        ("trips_max=4..1", "the low end must be below the high end"),
        ("trips_max=1..4:0", "the step above 0"),
        ("trips_max=1..nan", "the low end must be below"),
        ("trips_max=1..9", "trips_max must be 1 to 6; given is 9"),
        ("trips_max=1..9:1", "trips_max must be 1 to 6; given is 9"),
        ("trips=1..2", "trips is not known"),
        ("trips_max=1..3:0.5,", "write it as NAME=low..high"),
        ("trips_max=1,x", "trips_max must be 1 to 6; given is 'x'"),
        ("travel.detour=0..3", "travel.detour must be 1 to 5"),
        ("commit_lead_s=0..3600:0.1", "too many"),
    ],
)
def test_a_range_that_cannot_be_is_explained(written: str, told: str) -> None:
    with pytest.raises(BadParameters) as caught:
        read_range(written)
    assert told in str(caught.value)


def test_a_grid_is_every_combination() -> None:
    found = grid([read_range("trips_max=1..2:1"), read_range("travel.detour=1.2,1.4")])
    assert found == [
        {"trips_max": trips, "travel": {"detour": detour}}
        for trips in (1, 2)
        for detour in (1.2, 1.4)
    ]
    with pytest.raises(BadParameters, match="has no step"):
        grid([read_range("trips_max=1..2")])
    with pytest.raises(BadParameters, match="5000 are allowed"):
        grid([read_range("commit_lead_s=0..3600:1"), read_range("trips_max=1..2:1")])


@settings(max_examples=20)
@given(st.integers(2, 40), st.integers(0, 1000))
def test_points_lie_in_their_ranges_are_different_and_come_again(count: int, seed: int) -> None:
    ranges = [read_range(one) for one in ("trips_max=2..5", "travel.detour=1.1..1.9")]
    found = spread_evenly(ranges, count, seed=seed)
    assert found == spread_evenly(ranges, count, seed=seed)
    assert 1 <= len(found) <= count
    assert all(faults_of(one) == [] for one in found)
    assert all(2 <= one["trips_max"] <= 5 for one in found)
    assert all(1.1 <= one["travel"]["detour"] < 1.9 for one in found)


def test_points_are_spread_more_evenly_than_by_chance() -> None:
    ranges = [read_range("commit_lead_s=0..3599"), read_range("approach_s_max=60..7199")]
    found = spread_evenly(ranges, 16, seed=4)
    # Each of 16 stripes of every parameter holds exactly one of 16 points.
    for name, low, width in (("commit_lead_s", 0, 3600), ("approach_s_max", 60, 7140)):
        assert len({(one[name] - low) * 16 // width for one in found}) == 16


def test_whole_numbers_are_all_as_likely() -> None:
    found = spread_evenly([read_range("trips_max=1..4"), read_range("tick_s=1..64")], 64, seed=1)
    assert [sum(one["trips_max"] == trips for one in found) for trips in range(1, 5)] == [16] * 4


@given(st.dictionaries(st.sampled_from(["a", "b.c", "b.d", "e.f.g"]), st.integers(), max_size=4))
def test_tables_and_points_in_names_are_the_same(names: dict[str, int]) -> None:
    assert dict(flat(nested(names))) == names
