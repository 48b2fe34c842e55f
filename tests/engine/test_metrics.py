"""The figures by which a day is judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.timing import HOUR_MS, MINUTE_MS
from engine.metrics import (
    DEFINITIONS,
    CourierRecord,
    Metrics,
    OfferCounts,
    OrderRecord,
    Visit,
    gini,
    lorenz,
    metrics,
)

AMOUNTS = st.lists(st.floats(min_value=0, max_value=1e6, allow_subnormal=False), min_size=1)


def order(delivered: int | None, *, due: int = 60, ready: int = 10) -> OrderRecord:
    return OrderRecord(
        placed_at=0,
        ready_at=ready * MINUTE_MS,
        due_at=due * MINUTE_MS,
        picked_up_at=None if delivered is None else (ready + 2) * MINUTE_MS,
        delivered_at=None if delivered is None else delivered * MINUTE_MS,
        bound_ms=20 * MINUTE_MS,
    )


def visit(left: int, arrived: int, free: int, *, picked_up: int = 0) -> Visit:
    return Visit(
        left_at=left * MINUTE_MS,
        arrived_at=arrived * MINUTE_MS,
        free_at=free * MINUTE_MS,
        service_ms=3 * MINUTE_MS,
        picked_up=picked_up,
    )


def test_every_figure_is_defined() -> None:
    assert tuple(DEFINITIONS) == Metrics.__struct_fields__


def test_a_day_without_anything_has_no_figures_but_counts() -> None:
    found = metrics([], [], OfferCounts())
    assert (found.orders, found.delivered, found.couriers) == (0, 0, 0)
    assert found.click_to_door_min is None
    assert (found.overage_min, found.late_share, found.utilisation) == (None, None, None)
    assert (found.idle_gini, found.earnings_gini, found.orders_per_trip) == (None, None, None)


def test_orders_are_judged_by_their_times() -> None:
    found = metrics([order(30), order(50), order(70), order(None)], [], OfferCounts())
    assert (found.orders, found.delivered) == (4, 3)
    assert found.click_to_door_min is not None
    assert found.click_to_door_min.mean == pytest.approx(50)
    assert found.ready_to_pickup_min is not None
    assert found.ready_to_pickup_min.most == pytest.approx(2)
    assert found.excess_min is not None
    assert found.excess_min.mean == pytest.approx(30)
    assert found.overage_min == pytest.approx(10 / 3)
    assert found.late_share == pytest.approx(1 / 3)


def test_a_scheduled_order_does_not_wait_from_its_click_on() -> None:
    found = metrics([order(30), replace(order(900), is_scheduled=True)], [], OfferCounts())
    assert found.click_to_door_min is not None
    assert (found.click_to_door_min.count, found.click_to_door_min.most) == (1, 30)
    assert found.excess_min is not None
    assert found.excess_min.count == 1
    assert (found.delivered, found.late_share) == (2, 0.5)


def test_couriers_are_judged_by_their_time() -> None:
    busy = CourierRecord(
        duty_ms=HOUR_MS,
        visits=(visit(0, 6, 12, picked_up=2), visit(12, 21, 24), visit(24, 27, 30)),
        earned_halalas=3000,
    )
    idle = CourierRecord(duty_ms=HOUR_MS)
    absent = CourierRecord(duty_ms=0)
    found = metrics([], [busy, idle, absent], OfferCounts(made=1, accepted=1))
    assert found.couriers == 2
    assert found.utilisation == pytest.approx((6 + 9 + 3 + 9) / 60 / 2)
    assert found.idle_share == pytest.approx(90 / 120)
    assert found.orders_per_trip == pytest.approx(2)
    assert found.idle_gini == pytest.approx(1 / 6)
    assert found.earnings_gini == pytest.approx(0.5)


@given(AMOUNTS)
def test_a_gini_lies_between_all_alike_and_one_has_all(amounts: list[float]) -> None:
    found = gini(amounts)
    assert found is not None
    assert -1e-9 <= found <= 1 - 1 / len(amounts) + 1e-9


@given(st.floats(min_value=0.001, max_value=1e6), st.integers(min_value=1, max_value=50))
def test_a_gini_is_nothing_when_all_are_alike(amount: float, count: int) -> None:
    assert gini([amount] * count) == pytest.approx(0, abs=1e-9)


@given(AMOUNTS, st.floats(min_value=0.01, max_value=100))
def test_a_gini_knows_no_currency_and_no_names(amounts: list[float], rate: float) -> None:
    assert gini([one * rate for one in reversed(amounts)]) == pytest.approx(gini(amounts), abs=1e-6)


@given(AMOUNTS)
def test_a_lorenz_curve_rises_from_nothing_to_all_below_the_diagonal(amounts: list[float]) -> None:
    curve = lorenz(amounts)
    assert (curve[0], curve[-1]) == (0, pytest.approx(1))
    assert all(share <= n / len(amounts) + 1e-9 for n, share in enumerate(curve))
