"""What no other beats."""

import math

from hypothesis import given
from hypothesis import strategies as st

from simulations.pareto import Costs, front, ranked

some = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30)


def beats(a: Costs, b: Costs) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and a != b


@given(some)
def test_the_front_is_what_nothing_beats(costs: list[Costs]) -> None:
    found = {costs[index] for index in front(costs)}
    assert found == {one for one in costs if not any(beats(other, one) for other in costs)}
    assert len(found) == len(front(costs))
    assert [costs[index] for index in front(costs)] == sorted(found)


@given(some)
def test_nobody_comes_before_who_beats_him(costs: list[Costs]) -> None:
    order = ranked(costs)
    assert sorted(order) == list(range(len(costs)))
    places = {index: place for place, index in enumerate(order)}
    for a, first in enumerate(costs):
        for b, second in enumerate(costs):
            assert not beats(first, second) or places[a] < places[b]


def test_the_ends_of_a_front_come_before_what_is_crowded() -> None:
    costs: list[Costs] = [(0, 10), (4, 5), (4.1, 4.9), (8, 1), (10, 0)]
    assert set(ranked(costs)[:2]) == {0, 4}
    assert ranked(costs)[-1] in {1, 2}


def test_what_could_not_be_measured_comes_last() -> None:
    nowhere = (math.inf, math.inf)
    assert ranked([nowhere, (3, 3), nowhere, (2, 9)])[2:] == [0, 2]
