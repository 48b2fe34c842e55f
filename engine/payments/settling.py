"""How a payment follows its order: what is kept of it, what goes back, and who has earned it."""

from msgspec.structs import replace

from engine.kernel.ids import EffectId, derived_id
from engine.kernel.messages import Decision, Effect, Event
from engine.kernel.timing import Instant
from engine.money.transfers import to_enter
from engine.orders.order import (
    CLOSED,
    ON_BOARD,
    Order,
    OrderCancelled,
    OrderDelivered,
    OrderPickedUp,
    OrderReturned,
    OrderStatus,
)
from engine.payments import postings
from engine.payments.decide import Terms, decided, with_excess_returned
from engine.payments.messages import FollowOrder
from engine.payments.payment import (
    Payment,
    PaymentCredited,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    SaleEntered,
    TargetSet,
    evolve,
)

_TELLING = (OrderPickedUp, OrderDelivered, OrderCancelled, OrderReturned)


def payments_for(decision: Decision) -> tuple[FollowOrder, ...]:
    """Which payments are to follow because of a decision; the same decision gives the same ids."""
    return tuple(
        FollowOrder(
            id=EffectId(derived_id("follow", change.thing.id, str(change.thing.version))),
            order_id=change.thing.id,
            payment_id=change.thing.payment_id,
        )
        for change in decision.changes
        if isinstance(change.thing, Order) and change.thing.payment_id is not None
        if any(isinstance(event, _TELLING) for event in change.events)
    )


def follow(payment: Payment, order: Order, *, terms: Terms, now: Instant) -> Decision | None:
    """What the order's state means for the money; None when it means nothing new.

    From the pick-up on all of it is kept; of an order that ended without a delivery, its charge.
    """
    target = _target(payment, order)
    is_over = order.status in CLOSED
    if target is None or (target, is_over) == (payment.target_halalas, payment.is_over):
        return None
    returned = order.status is OrderStatus.RETURNED
    later = evolve(
        payment,
        target_halalas=target,
        is_over=is_over,
        rest_reason=RefundReason.RETURNED if returned else RefundReason.CANCELLED,
    )
    if later.status is PaymentStatus.CAPTURED:
        later = with_excess_returned(later, now=now)
    return sell(later, (TargetSet(at=now, target_halalas=target),), (), terms=terms, now=now)


def sell(
    payment: Payment,
    events: tuple[Event, ...],
    effects: tuple[Effect, ...],
    *,
    terms: Terms,
    now: Instant,
) -> Decision:
    """Divide what the order has earned, once it is over and the money is there."""
    kept = min(payment.target_halalas or 0, payment.refundable_halalas)
    is_due = payment.is_over and payment.sale is None and payment.operation is None
    if not is_due or kept <= 0:
        return decided(payment, events, effects, now=now)
    sale = postings.sale_of(
        payment.quote,
        kept,
        is_returned=payment.rest_reason is RefundReason.RETURNED,
        commission=terms.commission_percent,
    )
    transfer = postings.sold(payment, sale, now=now)
    return decided(
        replace(payment, sale=sale),
        (*events, SaleEntered(at=now, sale=sale)),
        (*effects, to_enter(transfer)),
        now=now,
    )


def credit(payment: Payment, refund: Refund, *, now: Instant) -> Decision:
    """Give a refund into the customer's wallet: one transfer, no gateway."""
    done = replace(refund, status=RefundStatus.DONE, done_at=now)
    credited = payment.credited_halalas + refund.amount_halalas
    is_all = credited + payment.refunded_halalas == payment.captured_halalas
    later = evolve(
        payment,
        status=PaymentStatus.REFUNDED if is_all else payment.status,
        credited_halalas=credited,
        refunds=tuple(done if one.id == refund.id else one for one in payment.refunds),
    )
    event = PaymentCredited(at=now, refund_id=refund.id, amount_halalas=refund.amount_halalas)
    transfer = postings.credited(payment, refund, now=now)
    return decided(later, (event,), (to_enter(transfer),), now=now)


def _target(payment: Payment, order: Order) -> int | None:
    if order.status in {OrderStatus.CANCELLED, OrderStatus.RETURNED}:
        return min(order.charge_halalas or 0, payment.amount_halalas)
    if order.status in ON_BOARD or order.status is OrderStatus.DELIVERED:
        # A change may have made it cheaper.
        return min(order.total_halalas, payment.amount_halalas)
    return None
