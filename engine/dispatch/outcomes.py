"""What became of orders and offers, and the metrics that a guard looks at, made from it."""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final

from msgspec import Struct

from engine.dispatch.offer import Offer, OfferStatus
from engine.geo.guard import Guard, GuardMetric, Measured
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order, OrderStatus

OUTCOMES_MAX: Final = 5000


class OrderOutcome(Struct, frozen=True, kw_only=True):
    """How long an order took; one that is open has no `ended_at`."""

    status: OrderStatus
    placed_at: Instant
    due_at: Instant
    release_at: Instant | None = None
    assigned_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def released_at(self) -> Instant:
        """When it began to wait."""
        return self.placed_at if self.release_at is None else self.release_at


class OfferOutcome(Struct, frozen=True, kw_only=True):
    """How an offer ended."""

    status: OfferStatus
    answered_at: Instant


def outcome_of_order(order: Order) -> OrderOutcome:
    """What counts of an order."""
    return OrderOutcome(
        status=order.status,
        placed_at=order.placed_at,
        due_at=order.due_at,
        release_at=order.release_at,
        assigned_at=order.assigned_at,
        ended_at=order.ended_at,
    )


def outcome_of_offer(offer: Offer) -> OfferOutcome:
    """What counts of an offer that was answered."""
    assert offer.answered_at is not None
    return OfferOutcome(status=offer.status, answered_at=offer.answered_at)


def measure(
    guard: Guard,
    orders: Iterable[OrderOutcome],
    offers: Iterable[OfferOutcome],
    *,
    since: Instant,
    until: Instant,
) -> Measured:
    """The guard's metric over what ended, or began to wait too long, after `since` until `until`.

    Percentiles are the nearest rank; a metric of nothing is 0 from 0 samples.
    """
    if guard.metric is GuardMetric.OFFER_ACCEPTANCE_PERCENT:
        return _acceptance(one for one in offers if since < one.answered_at <= until)
    if guard.metric is GuardMetric.LONG_WAIT_PERCENT:
        return _long_waits(orders, guard.long_wait_s * SECOND_MS, since=since, until=until)
    delivered = [
        one
        for one in orders
        if one.status is OrderStatus.DELIVERED
        and one.ended_at is not None
        and since < one.ended_at <= until
    ]
    if guard.metric is GuardMetric.CLICK_TO_DOOR_P90_S:
        # A scheduled order is clicked long before its door is meant to be reached.
        asap = [one for one in delivered if one.release_at is None]
        return _p90([((one.ended_at or 0) - one.placed_at) / SECOND_MS for one in asap])
    late_s = [max(0, (one.ended_at or 0) - one.due_at) / SECOND_MS for one in delivered]
    if guard.metric is GuardMetric.LATE_PERCENT:
        return _mean([100.0 if one > 0 else 0.0 for one in late_s])
    return _mean(late_s)


def _acceptance(offers: Iterable[OfferOutcome]) -> Measured:
    """Of the offers that somebody answered or let expire; what was withdrawn is nobody's answer."""
    asked = [one for one in offers if one.status is not OfferStatus.WITHDRAWN]
    return _mean([100.0 if one.status is OfferStatus.ACCEPTED else 0.0 for one in asked])


def _long_waits(
    orders: Iterable[OrderOutcome], long_ms: int, *, since: Instant, until: Instant
) -> Measured:
    """Of the orders whose wait became long or ended before that: those still without a courier."""
    waits = []
    for one in orders:
        long_at = one.released_at + long_ms
        if one.status is OrderStatus.SCHEDULED or not since < long_at <= until:
            continue
        if one.assigned_at is not None:
            waits.append(one.assigned_at > long_at)
        elif one.ended_at is None or one.ended_at > long_at:
            waits.append(True)
    return _mean([100.0 if one else 0.0 for one in waits])


def _mean(values: Sequence[float]) -> Measured:
    return Measured(value=sum(values) / len(values) if values else 0.0, samples=len(values))


def _p90(values: Sequence[float]) -> Measured:
    ranked = sorted(values)
    value = ranked[ceil(0.9 * len(ranked)) - 1] if ranked else 0.0
    return Measured(value=value, samples=len(ranked))
