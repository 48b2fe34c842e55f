"""The histogram of how old positions are."""

from hypothesis import given
from hypothesis import strategies as st

from actors.ages import AGE_BOUNDS_MS, Ages


@given(st.lists(st.integers(-1000, 10_000)))
def test_every_age_counts_once_under_the_first_bound_that_holds_it(found: list[int]) -> None:
    ages = Ages()
    for age in found:
        ages.add(age)
    assert sum(ages.counts) == len(found)
    for at, bound in enumerate(AGE_BOUNDS_MS):
        assert sum(ages.counts[: at + 1]) == sum(age <= bound for age in found)
