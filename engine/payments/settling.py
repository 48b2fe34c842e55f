"""How a payment follows its order: what is kept of it, what goes back, and who has earned it."""

from msgspec.structs import replace

from engine.kernel.ids import EffectId, derived_id
from engine.kernel.messages import Decision, Effect, Event
from engine.kernel.timing import Instant
from engine.money.transfers import to_enter
from engine.orders.covering import covered, first_paid
from engine.orders.order import (
    CLOSED,
    ON_BOARD,
    Order,
    OrderCancelled,
    OrderChanged,
    OrderDelivered,
    OrderPickedUp,
    OrderReturned,
    OrderStatus,
)
from engine.payments import postings
from engine.payments.crediting import asked_before, given_before, with_given_before
from engine.payments.decide import Terms, decided, with_excess_returned
from engine.payments.gateways import Flow, GatewayName
from engine.payments.lapsing import (
    has_lapsed,
    is_owed_instead,
    lapsed,
    owing_what_is_gone,
    to_keep,
)
from engine.payments.messages import FollowOrder, TakePointsBack
from engine.payments.owed import Price, owed_of
from engine.payments.payment import (
    Payment,
    PaymentCredited,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    Sale,
    SaleEntered,
    Share,
    TargetSet,
    evolve,
)
from engine.pricing.lines import vat_in

_TELLING = (OrderPickedUp, OrderDelivered, OrderCancelled, OrderReturned, OrderChanged)


def payments_for(decision: Decision) -> tuple[FollowOrder, ...]:
    """Which payments are to follow because of a decision; the same decision gives the same ids."""
    return tuple(
        FollowOrder(
            id=EffectId(derived_id("follow", order.id, str(order.version), payment_id)),
            order_id=order.id,
            payment_id=payment_id,
        )
        for change in decision.changes
        if isinstance(order := change.thing, Order) and order.payment_id is not None
        if any(isinstance(event, _TELLING) for event in change.events)
        for payment_id in (order.payment_id, *(one.payment_id for one in order.supplements))
    )


def follow(
    payment: Payment,
    order: Order,
    *,
    terms: Terms,
    now: Instant,
    vat_halalas: int | None = None,
) -> Decision | None:
    """What the order's state means for the money; None when it means nothing new.

    From the pick-up on all of it is kept; of an order that ended without a delivery, its charge.
    `vat_halalas` is the VAT of its invoice, None while it has none.
    """
    if is_owed_instead(payment):
        return None
    price = _price_of(payment, order, vat_halalas)
    if payment.shares:
        return follow_share(payment, order, price=price, terms=terms, now=now)
    if payment.supplement is not None:
        return _follow_supplement(payment, order, terms=terms, now=now)
    target = _target(payment, order, min(payment.amount_halalas, first_paid(order)))
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
        price=price,
        courier_id=order.courier_id,
        target_halalas=target,
        is_over=is_over,
        rest_reason=RefundReason.RETURNED if returned else RefundReason.CANCELLED,
    )
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
    """Divide what the order has earned, once it is over and the money is there, or owed."""
    payment = owing_what_is_gone(payment)
    if payment.shares:
        return _sell_shares(payment, events, effects, terms=terms, now=now)
    if has_lapsed(payment):
        return lapsed(payment, events, effects, now=now)
    target = payment.target_halalas or 0
    kept = max(0, min(target, payment.refundable_halalas))
    is_due = payment.is_over and payment.sale is None and _is_there(payment)
    if is_due and payment.supplement is not None and kept:
        return _pass_on(payment, kept, events, effects, now=now)
    after = with_given_before(payment, target - kept)
    sold = kept + given_before(after) + owed_of(payment.price)
    if not is_due or payment.supplement is not None or not sold:
        return decided(payment, events, effects, now=now)
    sale = postings.sale_of(
        payment.quote,
        sold,
        price=payment.price,
        is_returned=payment.rest_reason is RefundReason.RETURNED,
        commission=terms.commission_percent,
    )
    after = replace(after, sale=sale)
    sold_effects = postings.follows_sale(after, payment.quote, now=now)
    return decided(
        after,
        (*events, SaleEntered(at=now, sale=sale)),
        (*effects, *sold_effects, *points_back(payment, after)),
        now=now,
    )


def _pass_on(
    payment: Payment,
    kept: int,
    events: tuple[Event, ...],
    effects: tuple[Effect, ...],
    *,
    now: Instant,
) -> Decision:
    """What was taken beside the first payment settles what that left owed; sold it was there."""
    vat = vat_in(kept)
    sale = Sale(shop_halalas=0, platform_halalas=kept - vat, vat_halalas=vat)
    transfer = postings.passed_on(payment, kept, now=now)
    return decided(
        replace(payment, sale=sale),
        (*events, SaleEntered(at=now, sale=sale)),
        (*effects, to_enter(transfer)),
        now=now,
    )


def _follow_supplement(
    payment: Payment, order: Order, *, terms: Terms, now: Instant
) -> Decision | None:
    """Of the price it covers what those before it do not."""
    before, part = first_paid(order), 0
    for one in order.supplements:
        if one.payment_id == payment.id:
            part = one.halalas
            break
        before += one.halalas
    is_over = order.status in CLOSED
    if not part or payment.is_lapsed or (order.status not in ON_BOARD and not is_over):
        return None
    target = max(0, min(order.price_halalas - before, part, payment.amount_halalas))
    if (target, is_over) == (payment.target_halalas, payment.is_over):
        return None
    later = evolve(
        payment,
        is_placed=True,
        target_halalas=target,
        is_over=is_over,
        rest_reason=RefundReason.CANCELLED,
    )
    later = with_excess_returned(later, now=now)
    return sell(later, (TargetSet(at=now, target_halalas=target),), (), terms=terms, now=now)


def points_back(before: Payment, after: Payment) -> tuple[TakePointsBack, ...]:
    """What goes back after the sale takes the points that it gave with it."""
    orders = [one.order_id for one in after.shares] or [after.for_order_id]
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


def follow_share(
    payment: Payment, order: Order, *, price: Price | None, terms: Terms, now: Instant
) -> Decision | None:
    """As `follow`, for one order of a group: only its own part is kept or goes back.

    What is held is taken once, when the first of them is to be kept.
    """
    share = payment.share(order.id)
    assert share is not None, "an order's payment knows it"
    if is_owed_instead(share):
        return None
    target = _target(payment, order, min(share.quote.total_halalas, first_paid(order)))
    is_over = order.status in CLOSED
    if target is None or (target, is_over) == (share.target_halalas, share.is_over):
        return None
    returned = order.status is OrderStatus.RETURNED
    moved = replace(
        share, target_halalas=target, price=price, is_over=is_over, is_returned=returned
    )
    shares = tuple(moved if one is share else one for one in payment.shares)
    whole = _target_of_all(payment, shares)
    later = evolve(
        payment,
        shares=shares,
        target_halalas=whole,
        is_over=all(one.is_over for one in shares),
        rest_reason=RefundReason.RETURNED if returned else RefundReason.CANCELLED,
    )
    later = with_excess_returned(later, now=now)
    events = () if whole is None else (TargetSet(at=now, target_halalas=whole),)
    return sell(later, events, (), terms=terms, now=now)


def _target_of_all(payment: Payment, shares: tuple[Share, ...]) -> int | None:
    """None while everything is held and nothing of it is to be kept yet."""
    is_taken = payment.flow is Flow.CHARGE or payment.captured_halalas > 0
    known = [one.target_halalas for one in shares if one.target_halalas is not None]
    if not is_taken and not any(known) and len(known) < len(shares):
        return None
    return sum(map(to_keep, shares))


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
        one.amount_halalas - one.from_sale_halalas
        for one in payment.refunds
        if one.status is not RefundStatus.REJECTED
    )
    left -= sum(
        one.sale.total_halalas - owed_of(one.price)
        for one in payment.shares
        if one.sale is not None
    )
    after = payment
    for share in payment.shares:
        is_due = share.is_over and share.sale is None and _is_there(payment)
        target = share.target_halalas or 0
        of_it = share.quote.total_halalas - asked_before(payment, share.order_id)
        kept = max(0, min(target, of_it, left))
        marked = with_given_before(after, target - kept, share.order_id)
        sold = kept + given_before(marked, share.order_id) + owed_of(share.price)
        if not is_due or not sold:
            continue
        sale = postings.sale_of(
            share.quote,
            sold,
            price=share.price,
            is_returned=share.is_returned,
            commission=terms.commission_percent,
        )
        moved = replace(share, sale=sale)
        shares = tuple(moved if one is share else one for one in marked.shares)
        after = replace(marked, shares=shares)
        events = (*events, SaleEntered(at=now, sale=sale))
        effects = (
            *effects,
            *postings.follows_sale(after, share.quote, now=now, order_id=share.order_id),
        )
        left -= kept
    return decided(after, events, (*effects, *points_back(payment, after)), now=now)


def _is_there(payment: Payment) -> bool:
    """Whether what is to be kept was taken: until then nobody knows what is left to be owed."""
    is_held = payment.status is PaymentStatus.AUTHORISED and bool(payment.target_halalas)
    return payment.operation is None and not is_held


def _price_of(payment: Payment, order: Order, vat_halalas: int | None) -> Price | None:
    """What an order that is over was charged; of what was cash, what was taken is the price."""
    if order.status not in CLOSED:
        return None
    charged, paid = order.price_halalas, first_paid(order)
    if payment.gateway is GatewayName.CASH:
        charged = paid = order.cash_taken_halalas
    share = payment.share(order.id)
    most = payment.amount_halalas if share is None else share.quote.total_halalas
    # At the door all was paid that was asked for there.
    owed = 0 if payment.gateway is GatewayName.CASH else max(0, charged - min(paid, most))
    return Price(
        charged_halalas=charged,
        vat_halalas=vat_in(charged) if vat_halalas is None else vat_halalas,
        total_halalas=order.total_halalas,
        owed_halalas=owed,
        supplemented_halalas=min(owed, covered(order) - first_paid(order)),
    )


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
