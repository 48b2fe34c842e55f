"""The order of a trip's stops."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optimizer.sequencing import EXACT_UP_TO, Stops, best_order


@st.composite
def trips(draw: st.DrawFn, least: int, most: int) -> Stops:
    count = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return Stops(
        legs_s=rng.integers(0, 1200, (count + 1, count)).tolist(),
        start_s=draw(st.integers(-600, 3600)),
        before_s=draw(st.integers(0, 180)),
        after_s=draw(st.integers(0, 180)),
        due_s=rng.integers(-600, 6000, count).tolist(),
        waiting=rng.integers(0, 100, count).tolist(),
        lateness=rng.integers(0, 100, count).tolist(),
        travel=draw(st.integers(0, 20)),
    )


@given(trips(1, 6))
def test_a_short_trip_has_the_best_of_all_orders(stops: Stops) -> None:
    cheapest = min(stops.cost(order) for order in permutations(range(len(stops))))
    assert stops.cost(best_order(stops)) == cheapest


@given(trips(1, 12))
def test_every_stop_is_visited_once(stops: Stops) -> None:
    assert sorted(best_order(stops)) == list(range(len(stops)))


@given(trips(EXACT_UP_TO + 1, 12))
def test_in_a_long_trip_no_single_stop_is_better_elsewhere(stops: Stops) -> None:
    order = best_order(stops)
    cost = stops.cost(order)
    for stop in order:
        rest = [other for other in order if other != stop]
        moved = ([*rest[:at], stop, *rest[at:]] for at in range(len(order)))
        assert min(stops.cost(each) for each in moved) >= cost


def test_the_one_who_is_late_goes_first() -> None:
    stops = Stops(
        legs_s=[[60, 600], [0, 600], [600, 0]],
        start_s=0,
        before_s=0,
        after_s=0,
        due_s=[7200, 600],
        waiting=[0, 0],
        lateness=[1, 1],
        travel=0,
    )
    assert best_order(stops) == (1, 0)
