"""What went back of a price before it was earned: taken from the sale, credited on its invoice."""

from typing import Final

from msgspec.structs import replace

from engine.kernel.ids import OrderId
from engine.payments.payment import Payment, Refund, RefundReason, RefundStatus

# The others give back what is not on the invoice to begin with.
_OF_THE_PRICE: Final = frozenset(
    {
        RefundReason.GOODS,
        RefundReason.COURIER,
        RefundReason.LATE,
        RefundReason.GOODWILL,
        RefundReason.UNEXPLAINED,
    }
)


def with_given_before(
    payment: Payment, short_halalas: int, order_id: OrderId | None = None
) -> Payment:
    """The payment whose refunds know how much of what is missing from the price each gave back.

    `short_halalas` is that: what is to be kept, less what is left of it. Whatever else they gave
    back would have gone back anyhow. `order_id` is which one of a group is being sold.
    """
    left, refunds = short_halalas, list[Refund]()
    for one in reversed(payment.refunds):
        part = min(left, one.amount_halalas) if _is_of_price(payment, one, order_id) else 0
        refunds.append(replace(one, of_sale_halalas=part) if part else one)
        left -= part
    return replace(payment, refunds=tuple(reversed(refunds)))


def given_before(payment: Payment, order_id: OrderId | None = None) -> int:
    """How much of a sale its refunds had given back, or were to, when it was divided."""
    of_it = (one for one in payment.refunds if not payment.shares or one.order_id == order_id)
    return sum(one.of_sale_halalas for one in of_it)


def asked_before(payment: Payment, order_id: OrderId) -> int:
    """What refunds have given back of one order of a group, or still may, before its sale."""
    return sum(
        one.amount_halalas
        for one in payment.refunds
        if one.order_id == order_id
        and one.status is not RefundStatus.REJECTED
        and not one.is_after_sale
    )


def _is_of_price(payment: Payment, refund: Refund, order_id: OrderId | None) -> bool:
    return (
        refund.reason in _OF_THE_PRICE
        and refund.status is not RefundStatus.REJECTED
        and not refund.is_after_sale
        and (not payment.shares or refund.order_id == order_id)
    )
