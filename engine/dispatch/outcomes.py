"""What became of orders and offers, and the metrics that a guard looks at, made from it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from engine.dispatch.offer import Offer, OfferStatus
from engine.geo.guard import Guard, GuardMetric, Measured
from engine.kernel.timing import SECOND_MS, Instant
from engine.metrics import OfferCounts, OrderRecord, metrics
from engine.orders.order import Order, OrderStatus

OUTCOMES_MAX: Final = 5000
_NOTHING: Final = Measured(value=0.0, samples=0)


class OrderOutcome(Struct, frozen=True, kw_only=True):
    """How long an order took; one that is open has no `ended_at`."""

    status: OrderStatus
    placed_at: Instant
    ready_at: Instant
    due_at: Instant
    release_at: Instant | None = None
    assigned_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def released_at(self) -> Instant:
        """When it began to wait."""
        return self.placed_at if self.release_at is None else self.release_at

    @property
    def record(self) -> OrderRecord:
        """What the metrics judge of it."""
        is_delivered = self.status is OrderStatus.DELIVERED
        return OrderRecord(
            placed_at=self.placed_at,
            ready_at=self.ready_at,
            due_at=self.due_at,
            delivered_at=self.ended_at if is_delivered else None,
            is_scheduled=self.release_at is not None,
        )


class OfferOutcome(Struct, frozen=True, kw_only=True):
    """How an offer ended."""

    status: OfferStatus
    answered_at: Instant


def outcome_of_order(order: Order) -> OrderOutcome:
    """What counts of an order."""
    return OrderOutcome(
        status=order.status,
        placed_at=order.placed_at,
        ready_at=order.ready_at,
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

    But for long waits it is a figure of `engine.metrics`, in the guard's unit; a metric of nothing
    is 0 from 0 samples.
    """
    if guard.metric is GuardMetric.LONG_WAIT_PERCENT:
        return _long_waits(orders, guard.long_wait_s * SECOND_MS, since=since, until=until)
    ended = [
        one.record for one in orders if one.ended_at is not None and since < one.ended_at <= until
    ]
    answered = [one.status for one in offers if since < one.answered_at <= until]
    found = metrics(ended, (), offer_counts(answered))
    match guard.metric:
        case GuardMetric.CLICK_TO_DOOR_P90_S:
            door = found.click_to_door_min
            return Measured(value=door.p90 * 60, samples=door.count) if door else _NOTHING
        case GuardMetric.LATENESS_MEAN_S:
            return _measured(found.overage_min, 60, found.delivered)
        case GuardMetric.LATE_PERCENT:
            return _measured(found.late_share, 100, found.delivered)
        case GuardMetric.OFFER_ACCEPTANCE_PERCENT:
            return _measured(found.offers.acceptance, 100, found.offers.answered)


def offer_counts(statuses: Iterable[OfferStatus]) -> OfferCounts:
    """Offers by what became of them."""
    counts = Counter(statuses)
    return OfferCounts(
        made=counts.total(),
        accepted=counts[OfferStatus.ACCEPTED],
        declined=counts[OfferStatus.DECLINED],
        expired=counts[OfferStatus.EXPIRED],
        withdrawn=counts[OfferStatus.WITHDRAWN],
    )


def _measured(figure: float | None, per: int, samples: int) -> Measured:
    return _NOTHING if figure is None else Measured(value=figure * per, samples=samples)


def _long_waits(
    orders: Iterable[OrderOutcome], long_ms: int, *, since: Instant, until: Instant
) -> Measured:
    """Of the orders whose wait became long or ended before that: those still without a courier."""
    waits: list[bool] = []
    for one in orders:
        long_at = one.released_at + long_ms
        if one.status is OrderStatus.SCHEDULED or not since < long_at <= until:
            continue
        if one.assigned_at is not None:
            waits.append(one.assigned_at > long_at)
        elif one.ended_at is None or one.ended_at > long_at:
            waits.append(True)
    share = sum(waits) / len(waits) if waits else None
    return _measured(share, 100, len(waits))
