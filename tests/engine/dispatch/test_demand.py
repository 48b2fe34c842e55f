"""What must hold of what is expected to be ordered."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dispatch.demand import SHOPS_MAX, Demand
from engine.kernel.place import Place, Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant
from engine.orders.order import Order
from tests.builders import DOOR, NOON, SHOP, a_window, an_order

MEMORY_S = 3600


def ordered(*, at: Instant = NOON, shop: Point = SHOP, preparation_min: float = 20) -> Order:
    ready_at = at + round(preparation_min * MINUTE_MS)
    return an_order(placed_at=at, ready_at=ready_at, shop=Place(point=shop))


def rate_after(minutes: int, every_min: int, *, memory_s: int = MEMORY_S) -> float:
    """An order now and then, since the memory began."""
    demand = Demand(since=NOON)
    for minute in range(0, minutes, every_min):
        now = NOON + minute * MINUTE_MS
        demand.fade(memory_s=memory_s, now=now)
        demand.note(ordered(at=now), now=now)
    demand.fade(memory_s=memory_s, now=NOON + minutes * MINUTE_MS)
    (rate,) = demand.rates(memory_s=memory_s)[1]
    return float(rate)


@pytest.mark.parametrize("minutes", [20, 60, 600])
def test_a_steady_stream_has_its_own_rate_however_long_it_was_seen(minutes: int) -> None:
    assert rate_after(minutes, 2) == pytest.approx(1 / 120, rel=0.06)


def test_the_first_order_alone_is_no_rush() -> None:
    demand = Demand(since=NOON)
    demand.note(ordered(), now=NOON)
    assert demand.rates(memory_s=MEMORY_S)[1][0] < 1 / 500


def test_an_order_counts_once_and_less_and_less_and_then_not_at_all() -> None:
    demand = Demand(since=NOON - 24 * HOUR_MS)
    demand.fade(memory_s=MEMORY_S, now=NOON)
    order = ordered()
    for _ in range(3):
        demand.note(order, now=NOON)
    assert demand.rates(memory_s=MEMORY_S)[1] == pytest.approx([1 / MEMORY_S])
    demand.fade(memory_s=MEMORY_S, now=NOON + HOUR_MS)
    assert demand.rates(memory_s=MEMORY_S)[1] == pytest.approx([0.3679 / MEMORY_S], rel=1e-3)
    demand.fade(memory_s=MEMORY_S, now=NOON + 6 * HOUR_MS)
    assert demand.rates(memory_s=MEMORY_S)[0] == []


def test_the_busiest_shops_are_told_by_place() -> None:
    demand = Demand(since=NOON)
    points = [Point(lat=index / 1000, lng=0.0) for index in range(SHOPS_MAX + 50)]
    for point in reversed(points):
        for _ in range(1 + (point in points[50:])):
            demand.note(ordered(shop=point), now=NOON)
    shops, rates = demand.rates(memory_s=MEMORY_S)
    assert shops == points[50:]
    assert len(rates) == SHOPS_MAX


def test_what_is_ordered_now_is_expected_half_where_it_was_ordered_today() -> None:
    lately, earlier = SHOP, DOOR
    demand = Demand(since=NOON)
    for _ in range(300):
        demand.note(ordered(shop=earlier), now=NOON)
    later = NOON + 4 * HOUR_MS
    demand.fade(memory_s=MEMORY_S, now=later)
    for _ in range(100):
        demand.note(ordered(shop=lately, at=later), now=later)
    shops, rates = demand.rates(memory_s=MEMORY_S)
    left, share = math.exp(-4), math.exp(-4 / 6)
    level = 100 + 300 * left
    own, by_share = 300 * left, level * 300 * share / (100 + 300 * share)
    seen = 1 - math.exp(-4)
    assert rates.sum() * MEMORY_S * seen == pytest.approx(level)
    assert rates[shops.index(earlier)] * MEMORY_S * seen == pytest.approx((own + by_share) / 2)


@given(st.lists(st.tuples(st.sampled_from([SHOP, DOOR]), st.integers(0, 600)), max_size=20))
def test_shares_change_where_orders_are_expected_and_not_how_many(
    orders: list[tuple[Point, int]],
) -> None:
    apart, together = Demand(since=NOON), Demand(since=NOON)
    for shop, minute in sorted(orders, key=lambda one: one[1]):
        now = NOON + minute * MINUTE_MS
        for demand, where in ((apart, shop), (together, SHOP)):
            demand.fade(memory_s=MEMORY_S, now=now)
            demand.note(ordered(shop=where, at=now), now=now)
    rates = apart.rates(memory_s=MEMORY_S)[1]
    assert rates.sum() == pytest.approx(together.rates(memory_s=MEMORY_S)[1].sum(), rel=0.02)
    assert (rates > 0).all()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 600)), max_size=20),
    st.sets(st.integers(3, 9)),
)
def test_shops_that_are_known_take_what_comes_first_somewhere_and_change_not_how_many(
    orders: list[tuple[int, int]], known: set[int]
) -> None:
    shops = [Point(lat=number / 1000, lng=0.0) for number in range(10)]
    demand = Demand(since=NOON)
    for shop, minute in sorted(orders, key=lambda one: one[1]):
        now = NOON + minute * MINUTE_MS
        demand.fade(memory_s=MEMORY_S, now=now)
        demand.note(ordered(shop=shops[shop], at=now), now=now)
    seen, alone = demand.rates(memory_s=MEMORY_S)
    told, rates = demand.rates(memory_s=MEMORY_S, known=[shops[one] for one in sorted(known)])
    assert rates.sum() == pytest.approx(alone.sum())
    new = {shops[one] for one in known} - set(seen) if seen else set()
    assert told == sorted({*seen, *new}, key=lambda one: one.lat)
    of_new = [rates[told.index(one)] for one in new]
    assert of_new == pytest.approx([of_new[0]] * len(of_new) if of_new else [])
    for place, rate in zip(seen, alone, strict=True):
        assert rates[told.index(place)] <= rate * (1 + 1e-9)


def test_the_rarer_second_orders_are_the_more_is_expected_of_shops_without_one() -> None:
    first, second, unseen = (Point(lat=number / 1000, lng=0.0) for number in range(3))
    demand = Demand(since=NOON - 24 * HOUR_MS)
    demand.fade(memory_s=MEMORY_S, now=NOON)
    demand.note(ordered(shop=first), now=NOON)
    demand.note(ordered(shop=second), now=NOON)
    rates = demand.rates(memory_s=MEMORY_S, known=[unseen])[1] * MEMORY_S
    assert rates[2] == pytest.approx(2 * 2 / 3)
    for _ in range(3):
        demand.note(ordered(shop=first), now=NOON)
    rates = demand.rates(memory_s=MEMORY_S, known=[unseen])[1] * MEMORY_S
    assert rates[2] == pytest.approx(5 * 1 / 6)


def test_of_too_many_shops_without_an_order_some_that_lie_far_apart_are_expected_to_have_one() -> (
    None
):
    known = [Point(lat=number / 1000, lng=0.0) for number in range(2 * SHOPS_MAX)]
    demand = Demand(since=NOON)
    demand.note(ordered(shop=known[7]), now=NOON)
    shops, rates = demand.rates(memory_s=MEMORY_S, known=known)
    assert known[7] in shops
    assert SHOPS_MAX / 3 < len(shops) <= SHOPS_MAX
    assert max(b.lat - a.lat for a, b in itertools.pairwise(shops)) < 0.005
    assert shops[-1].lat > 1.99 * SHOPS_MAX / 2000
    assert (rates > 0).sum() == len(shops)


@given(st.lists(st.floats(0, 300), max_size=30))
def test_the_chances_of_preparations_are_those_seen_and_the_prior(
    preparations: list[float],
) -> None:
    demand = Demand(since=NOON)
    for minutes in preparations:
        demand.note(ordered(preparation_min=minutes), now=NOON)
    chances = demand.preparation()
    assert chances.sum() == pytest.approx(1)
    assert chances[5:41].min() > 0
    long_s = sum(round(one) >= 120 for one in preparations)
    assert chances[120] == pytest.approx(long_s / (36 + len(preparations)))


def test_a_scheduled_order_needs_from_now_on_what_is_left() -> None:
    demand, again = Demand(since=NOON), Demand(since=NOON)
    scheduled = an_order(placed_at=NOON - HOUR_MS, window=a_window(), ready_at=NOON + 600_000)
    demand.note(scheduled, now=NOON)
    again.note(ordered(preparation_min=10, shop=DOOR), now=NOON)
    assert (demand.preparation() == again.preparation()).all()
