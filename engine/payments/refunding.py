"""The rules of giving money back when somebody asks for it, and of who must agree."""

from msgspec.structs import replace

from engine.kernel.ids import OrderId, UserId
from engine.kernel.messages import Decision
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.kernel.timing import Instant
from engine.orders.messages import UNKNOWN_ORDER
from engine.payments.decide import decided, with_excess_returned
from engine.payments.messages import (
    NOT_YOUR_APPROVAL,
    ONLY_TO_WALLET,
    REFUND_DECIDED,
    REFUND_EXCEEDS,
    UNKNOWN_REFUND,
)
from engine.payments.payment import (
    Payment,
    Refund,
    RefundAsked,
    RefundDecided,
    RefundStatus,
    RefundTo,
    Share,
    evolve,
)


def ask_refund(
    payment: Payment, wish: Refund, *, limit_halalas: int, now: Instant
) -> Decision | Refusal | None:
    """Give so much back, as soon as that is allowed; the same id again is the same refund.

    What one person has asked of one payment beyond his limit waits until somebody else approves.
    None when it was asked for before.
    """
    known = payment.refund(wish.id)
    if known is not None:
        return None if _asks(known) == _asks(wish) else KEY_REUSED()
    if wish.to is RefundTo.SOURCE and payment.goes_back_to is RefundTo.WALLET:
        return ONLY_TO_WALLET()
    share = payment.share(wish.order_id)
    if payment.shares and share is None:
        return UNKNOWN_ORDER(order_id=wish.order_id or "")
    left = refundable_of(payment, wish.order_id)
    if wish.amount_halalas > left:
        return REFUND_EXCEEDS(refundable_halalas=left)
    before = sum(one.amount_halalas for one in payment.refunds if one.asked_by == wish.asked_by)
    is_within = before + wish.amount_halalas <= limit_halalas
    refund = replace(
        wish,
        status=RefundStatus.DUE if is_within else RefundStatus.WAITS_FOR_APPROVAL,
        is_after_sale=(payment.sale if share is None else share.sale) is not None,
    )
    later = evolve(payment, refunds=(*payment.refunds, refund))
    return decided(later, (RefundAsked(at=now, refund=refund),), now=now)


def refundable_of(payment: Payment, order_id: OrderId | None) -> int:
    """What can still be asked back of its payment for an order, which may be one of a group."""
    share = payment.share(order_id)
    return max(0, payment.refundable_halalas if share is None else _left_of(payment, share))


def decide_refund(
    payment: Payment, refund_id: str, *, is_approved: bool, by: UserId, now: Instant
) -> Decision | Refusal | None:
    """Approve or reject a refund that somebody else asked for; None when that was said before."""
    refund = payment.refund(refund_id)
    if refund is None:
        return UNKNOWN_REFUND(refund_id=refund_id)
    status = RefundStatus.DUE if is_approved else RefundStatus.REJECTED
    if refund.status is not RefundStatus.WAITS_FOR_APPROVAL:
        was_approved = refund.status is not RefundStatus.REJECTED
        is_repeated = refund.decided_by == by and was_approved is is_approved
        return None if is_repeated else REFUND_DECIDED(status=refund.status.value)
    if refund.asked_by == by:
        return NOT_YOUR_APPROVAL()
    judged = replace(refund, status=status, decided_by=by)
    refunds = tuple(judged if one.id == refund_id else one for one in payment.refunds)
    event = RefundDecided(at=now, refund_id=refund_id, status=status, by=by)
    later = evolve(payment, refunds=refunds)
    later = with_excess_returned(later, now=now)
    return decided(later, (event,), now=now)


def _left_of(payment: Payment, share: Share) -> int:
    """What can still be asked back of one order of a group."""
    asked = (
        one.amount_halalas
        for one in payment.refunds
        if one.order_id == share.order_id and one.status is not RefundStatus.REJECTED
    )
    kept = share.quote.total_halalas if share.target_halalas is None else share.target_halalas
    return min(kept - sum(asked), payment.refundable_halalas)


def _asks(refund: Refund) -> tuple[object, ...]:
    what = refund.amount_halalas, refund.reason, refund.to, refund.order_id
    return *what, refund.asked_by, refund.note
