"""What must hold of the metrics that a guard looks at."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.dispatch.offer import OfferStatus
from engine.dispatch.outcomes import (
    OfferOutcome,
    OrderOutcome,
    measure,
    outcome_of_offer,
    outcome_of_order,
)
from engine.geo.guard import Guard, GuardMetric, Measured
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.metrics import OfferCounts, metrics
from engine.orders.order import OrderStatus
from tests.builders import NOON, a_made_offer, a_story

S, M = OrderStatus, GuardMetric
LATER = NOON + 60 * MINUTE_MS


def took(seconds: int, *, at: Instant = NOON + 1, due_s: int = 3600, **fields: Any) -> OrderOutcome:
    """An order delivered at an instant, so many seconds after it was placed."""
    placed_at = at - seconds * SECOND_MS
    return OrderOutcome(
        **{
            "status": S.DELIVERED,
            "placed_at": placed_at,
            "ready_at": placed_at,
            "due_at": placed_at + due_s * SECOND_MS,
            "assigned_at": placed_at,
            "ended_at": at,
            **fields,
        }
    )


def waited(seconds: int | None, *, status: OrderStatus = S.ASSIGNED, **fields: Any) -> OrderOutcome:
    assigned_at = None if seconds is None else NOON + seconds * SECOND_MS
    outcome = OrderOutcome(
        status=status, placed_at=NOON, ready_at=NOON, due_at=LATER, assigned_at=assigned_at
    )
    return replace(outcome, **fields)


def of(metric: GuardMetric, *orders: OrderOutcome, until: Instant = LATER) -> Measured:
    return measure(Guard(metric=metric, bound=1.0), orders, (), since=NOON, until=until)


def test_nine_in_ten_orders_took_no_longer_than_the_ninetieth_percentile() -> None:
    orders = [took(100 * n) for n in range(1, 12)]
    found = of(M.CLICK_TO_DOOR_P90_S, *orders)
    assert found.value == pytest.approx(1000)
    assert found.samples == 11
    scheduled = took(90_000, release_at=NOON)
    assert of(M.CLICK_TO_DOOR_P90_S, *orders, scheduled).samples == 11


def test_lateness_counts_an_early_order_as_nothing() -> None:
    orders = [took(100, due_s=60), took(100, due_s=100), took(100, due_s=600)]
    assert of(M.LATENESS_MEAN_S, *orders).value == pytest.approx(40 / 3)
    assert of(M.LATE_PERCENT, *orders).value == pytest.approx(100 / 3)


def test_only_what_was_delivered_in_the_window_counts() -> None:
    inside = took(100, at=LATER)
    outside = [took(100, at=NOON), took(100, at=LATER + 1)]
    cancelled = took(100, status=S.CANCELLED)
    assert of(M.LATENESS_MEAN_S, inside, *outside, cancelled).samples == 1


@pytest.mark.parametrize(
    ("outcome", "long", "counted"),
    [
        (waited(600), False, True),
        (waited(601), True, True),
        (waited(None, status=S.WAITING), True, True),
        (waited(None, status=S.OFFERED), True, True),
        (waited(None, status=S.CANCELLED, ended_at=NOON + 601 * SECOND_MS), True, True),
        (waited(None, status=S.CANCELLED, ended_at=NOON + 599 * SECOND_MS), False, False),
        (waited(None, status=S.SCHEDULED, release_at=NOON), False, False),
        (waited(601, release_at=LATER), False, False),
    ],
)
def test_a_wait_is_long_when_it_has_lasted_long_without_a_courier(
    outcome: OrderOutcome, *, long: bool, counted: bool
) -> None:
    found = of(M.LONG_WAIT_PERCENT, outcome)
    assert found == Measured(value=100.0 if long else 0.0, samples=int(counted))


def test_a_wait_that_may_still_be_short_is_not_judged() -> None:
    before_long = NOON + 599 * SECOND_MS
    assert of(M.LONG_WAIT_PERCENT, waited(None), until=before_long).samples == 0


def test_acceptance_is_of_those_who_could_answer() -> None:
    statuses = (
        OfferStatus.ACCEPTED,
        OfferStatus.DECLINED,
        OfferStatus.EXPIRED,
        OfferStatus.WITHDRAWN,
        OfferStatus.ACCEPTED,
    )
    offers = [OfferOutcome(status=one, answered_at=NOON + 1) for one in statuses]
    offers.append(OfferOutcome(status=OfferStatus.DECLINED, answered_at=NOON))
    guard = Guard(metric=M.OFFER_ACCEPTANCE_PERCENT, bound=1.0)
    found = measure(guard, (), offers, since=NOON, until=LATER)
    assert found == Measured(value=50.0, samples=4)


@pytest.mark.parametrize("metric", GuardMetric)
def test_nothing_is_a_metric_of_nothing(metric: GuardMetric) -> None:
    assert of(metric) == Measured(value=0.0, samples=0)


def test_outcomes_are_read_off_the_things_themselves() -> None:
    order = a_story(S.DELIVERED).order
    outcome = outcome_of_order(order)
    assert (outcome.status, outcome.ended_at) == (S.DELIVERED, order.ended_at)
    assert outcome.released_at == order.placed_at
    offer = a_made_offer(OfferStatus.DECLINED)
    assert outcome_of_offer(offer).status is OfferStatus.DECLINED


@given(st.lists(st.integers(0, 9000), min_size=1, max_size=50), st.randoms())
def test_a_metric_does_not_depend_on_the_order_of_what_it_is_made_of(
    seconds: list[int], chance: Any
) -> None:
    orders = [took(one) for one in seconds]
    before = {metric: of(metric, *orders) for metric in GuardMetric}
    chance.shuffle(orders)
    after = {metric: of(metric, *orders) for metric in GuardMetric}
    for metric, found in before.items():
        assert found.samples == after[metric].samples
        assert found.value == pytest.approx(after[metric].value)


@given(st.lists(st.tuples(st.integers(0, 9000), st.booleans()), min_size=1, max_size=30))
def test_a_guard_measures_what_a_report_tells(orders: list[tuple[int, bool]]) -> None:
    outcomes = [
        took(seconds, due_s=900, release_at=NOON if is_scheduled else None)
        for seconds, is_scheduled in orders
    ]
    told = metrics([one.record for one in outcomes], (), OfferCounts())
    assert told.overage_min is not None
    assert told.late_share is not None
    assert of(M.LATENESS_MEAN_S, *outcomes).value == pytest.approx(told.overage_min * 60)
    assert of(M.LATE_PERCENT, *outcomes).value == pytest.approx(told.late_share * 100)
    door = told.click_to_door_min
    nine_in_ten = of(M.CLICK_TO_DOOR_P90_S, *outcomes)
    assert nine_in_ten.samples == (door.count if door else 0)
    assert nine_in_ten.value == pytest.approx(door.p90 * 60 if door else 0.0)
