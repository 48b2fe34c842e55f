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
from engine.payments.gateways import Flow, GatewayName
from engine.payments.messages import FollowOrder, TakePointsBack
from engine.payments.payment import (
    Payment,
    PaymentCredited,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    SaleEntered,
    Share,
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
    if payment.shares:
        return follow_share(payment, order, terms=terms, now=now)
    target = _target(payment, order, payment.amount_halalas)
    is_over = order.status in CLOSED
    if target is None or (target, is_over) == (payment.target_halalas, payment.is_over):
        return None
    returned = order.status is OrderStatus.RETURNED
    amount = payment.amount_halalas
    if payment.gateway is GatewayName.CASH and target:
        # What was taken at the door is the amount; until then it was a promise.
        amount = max(target, payment.captured_halalas)
    later = evolve(
        payment,
        amount_halalas=amount,
        price_halalas=order.total_halalas,
        courier_id=order.courier_id,
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
    if payment.shares:
        return _sell_shares(payment, events, effects, terms=terms, now=now)
    kept = min(payment.target_halalas or 0, payment.refundable_halalas)
    is_due = payment.is_over and payment.sale is None and payment.operation is None
    if not is_due or kept <= 0:
        return decided(payment, events, effects, now=now)
    sale = postings.sale_of(
        payment.quote,
        kept,
        price_halalas=payment.price_halalas,
        is_returned=payment.rest_reason is RefundReason.RETURNED,
        commission=terms.commission_percent,
    )
    transfer = postings.sold(payment, sale, payment.quote, now=now)
    return decided(
        replace(payment, sale=sale),
        (*events, SaleEntered(at=now, sale=sale)),
        (*effects, to_enter(transfer)),
        now=now,
    )


def points_back(before: Payment, after: Payment) -> tuple[TakePointsBack, ...]:
    """What goes back after the sale takes the points that it gave with it."""
    orders = [one.order_id for one in after.shares] or [after.order_id]
    found = []
    for order_id in orders:
        total = postings.given_back(after, order_id)
        if total == postings.given_back(before, order_id):
            continue
        effect_id = EffectId(derived_id("points back", order_id, str(total)))
        found.append(TakePointsBack(id=effect_id, order_id=order_id, refunded_halalas=total))
    return tuple(found)


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
    effects = (*postings.follows_refund(payment, refund, transfer), *points_back(payment, later))
    return decided(later, (event,), effects, now=now)


def follow_share(payment: Payment, order: Order, *, terms: Terms, now: Instant) -> Decision | None:
    """As `follow`, for one order of a group: only its own part is kept or goes back.

    What is held is taken once, when the first of them is to be kept.
    """
    share = payment.share(order.id)
    assert share is not None, "an order's payment knows it"
    target = _target(payment, order, share.quote.total_halalas)
    is_over = order.status in CLOSED
    if target is None or (target, is_over) == (share.target_halalas, share.is_over):
        return None
    returned = order.status is OrderStatus.RETURNED
    moved = replace(share, target_halalas=target, is_over=is_over, is_returned=returned)
    shares = tuple(moved if one is share else one for one in payment.shares)
    whole = _target_of_all(payment, shares)
    later = evolve(
        payment,
        shares=shares,
        target_halalas=whole,
        is_over=all(one.is_over for one in shares),
        rest_reason=RefundReason.RETURNED if returned else RefundReason.CANCELLED,
    )
    if later.status is PaymentStatus.CAPTURED:
        later = with_excess_returned(later, now=now)
    events = () if whole is None else (TargetSet(at=now, target_halalas=whole),)
    return sell(later, events, (), terms=terms, now=now)


def _target_of_all(payment: Payment, shares: tuple[Share, ...]) -> int | None:
    """None while everything is held and nothing of it is to be kept yet."""
    is_taken = payment.flow is Flow.CHARGE or payment.captured_halalas > 0
    known = [one.target_halalas for one in shares if one.target_halalas is not None]
    if not is_taken and not any(known) and len(known) < len(shares):
        return None
    return sum(
        one.quote.total_halalas if one.target_halalas is None else one.target_halalas
        for one in shares
    )


def _sell_shares(
    payment: Payment,
    events: tuple[Event, ...],
    effects: tuple[Effect, ...],
    *,
    terms: Terms,
    now: Instant,
) -> Decision:
    """Divide what each order of a group has earned, once it is over and the money is there."""
    left = payment.captured_halalas - sum(
        one.amount_halalas
        for one in payment.refunds
        if one.status is not RefundStatus.REJECTED and not one.is_after_sale
    )
    left -= sum(one.sale.total_halalas for one in payment.shares if one.sale is not None)
    shares = []
    for share in payment.shares:
        is_due = share.is_over and share.sale is None and payment.operation is None
        kept = min((share.target_halalas or 0) - payment.given_back_of(share.order_id), left)
        if not is_due or kept <= 0:
            shares.append(share)
            continue
        sale = postings.sale_of(
            share.quote,
            kept,
            is_returned=share.is_returned,
            commission=terms.commission_percent,
        )
        transfer = postings.sold(payment, sale, share.quote, now=now, order_id=share.order_id)
        shares.append(replace(share, sale=sale))
        events = (*events, SaleEntered(at=now, sale=sale))
        effects = (*effects, to_enter(transfer))
        left -= kept
    return decided(replace(payment, shares=tuple(shares)), events, effects, now=now)


def _target(payment: Payment, order: Order, paid_halalas: int) -> int | None:
    if payment.gateway is GatewayName.CASH:
        # Nothing is ours before it was taken at the door.
        return order.cash_taken_halalas if order.status in CLOSED else None
    if order.status in {OrderStatus.CANCELLED, OrderStatus.RETURNED}:
        return min(order.charge_halalas or 0, paid_halalas)
    if order.status in ON_BOARD or order.status is OrderStatus.DELIVERED:
        # A change may have made it cheaper.
        return min(order.total_halalas, paid_halalas)
    return None
