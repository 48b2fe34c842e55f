"""What must hold of what is expected to be ordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dispatch.demand import FARTHEST_S, SHOPS_MAX, Demand
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


@given(st.lists(st.floats(0, 300), max_size=30), st.integers(0, 600))
def test_who_comes_from_further_is_later_but_never_by_more_than_his_way(
    preparations: list[float], handover_s: int
) -> None:
    demand = Demand(since=NOON)
    for minutes in preparations:
        demand.note(ordered(preparation_min=minutes), now=NOON)
    late = demand.lateness(handover_s=handover_s)
    steps = late[1:] - late[:-1]
    assert len(late) == FARTHEST_S + 1
    assert late[0] >= 0
    assert steps.min() >= -1e-6
    assert steps.max() <= 1 + 1e-6
    assert (steps[1:] >= steps[:-1] - 1e-6).all()


def test_lateness_is_the_mean_over_what_was_seen_and_the_prior() -> None:
    demand = Demand(since=NOON)
    for _ in range(36):
        demand.note(ordered(preparation_min=10), now=NOON)
    late = demand.lateness(handover_s=120)
    prior = [max(0, 18 * 60 + 120 - minutes * 60) for minutes in range(5, 41)]
    assert late[18 * 60] == pytest.approx((sum(prior) + 36 * 600) / 72)


def test_a_scheduled_order_needs_from_now_on_what_is_left() -> None:
    demand, again = Demand(since=NOON), Demand(since=NOON)
    scheduled = an_order(placed_at=NOON - HOUR_MS, window=a_window(), ready_at=NOON + 600_000)
    demand.note(scheduled, now=NOON)
    again.note(ordered(preparation_min=10, shop=DOOR), now=NOON)
    assert (demand.lateness(handover_s=0) == again.lateness(handover_s=0)).all()
