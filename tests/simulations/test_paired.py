"""Intervals for the mean of paired differences."""

import math
import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.paired import estimate, one_of_many

# Student (1908): additional hours of sleep of ten patients, the second drug against the first.
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
differences = st.lists(
    st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False), min_size=1, max_size=30
)


def test_students_own_example() -> None:
    found = estimate(SLEEP)
    assert found.mean == pytest.approx(1.58)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert found.is_shown
    assert found.pairs_needed is None


@pytest.mark.parametrize("pairs", [3, 5, 20])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_holds_the_truth_as_often_as_it_says(pairs: int, level: float) -> None:
    chance = random.Random(7)
    rounds = 2000
    held = 0
    for _ in range(rounds):
        found = estimate([chance.gauss(3, 2) for _ in range(pairs)], level=level)
        held += found.low <= 3 <= found.high
    # Four standard deviations of that count.
    assert abs(held / rounds - level) < 4 * math.sqrt(level * (1 - level) / rounds)


def test_of_many_intervals_seldom_one_is_wrong() -> None:
    chance = random.Random(3)
    rounds, many = 1500, 6
    wrong = 0
    for _ in range(rounds):
        level = one_of_many(0.95, many)
        wrong += any(
            estimate([chance.gauss(0, 1) for _ in range(5)], level=level).is_shown
            for _ in range(many)
        )
    assert wrong / rounds < 0.05 + 4 * math.sqrt(0.05 * 0.95 / rounds)


@given(differences)
def test_the_mean_lies_in_the_middle_and_sides_can_be_swapped(values: list[float]) -> None:
    found = estimate(values)
    assert found.mean == pytest.approx(mean(values), abs=1e-6)
    assert found.low <= found.mean <= found.high
    other = estimate([-one for one in values])
    assert (other.low, other.high) == (-found.high, -found.low)
    assert other.is_shown == found.is_shown


@given(differences, st.floats(0.01, 100))
def test_another_unit_changes_nothing_that_counts(values: list[float], factor: float) -> None:
    found, scaled = estimate(values), estimate([factor * one for one in values])
    assert scaled.low == pytest.approx(factor * found.low, rel=1e-6, abs=1e-3)
    assert scaled.high == pytest.approx(factor * found.high, rel=1e-6, abs=1e-3)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_who_wants_to_be_surer_gets_a_wider_interval(values: list[float]) -> None:
    some, more = estimate(values, level=0.9), estimate(values, level=0.99)
    assert more.low <= some.low
    assert some.high <= more.high


def test_what_has_no_scatter_shows_nothing() -> None:
    for values in ([2.0], [2.0, 2.0, 2.0], [0.1 + 0.2, 0.3]):
        found = estimate(values)
        assert not found.has_interval
        assert not found.is_shown
        assert found.pairs_needed is None


def test_no_difference_on_every_day_is_no_difference() -> None:
    found = estimate([0.0, 0.0, 0.0])
    assert (found.low, found.high) == (0, 0)
    assert not found.is_shown


def test_as_many_pairs_as_are_needed_are_enough() -> None:
    values = [1.0, -0.5, 0.8]
    needed = estimate(values).pairs_needed
    assert needed is not None
    # Differences with the same mean and the same scatter, as many as were asked for.
    deviation = math.sqrt(sum((one - mean(values)) ** 2 for one in values) / 2)

    def alike(count: int) -> list[float]:
        half = count // 2
        step = deviation * math.sqrt((count - 1) / (2 * half))
        odd = [mean(values)] if count % 2 else []
        return [mean(values) + step] * half + [mean(values) - step] * half + odd

    assert estimate(alike(needed)).is_shown
    assert not estimate(alike(needed - 1)).is_shown
