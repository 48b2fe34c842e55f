"""What one order has of a payment, which may be for several."""

from engine.kernel.ids import OrderId
from engine.payments.payment import Payment, RefundStatus


def taken_for(payment: Payment, order_id: OrderId) -> int:
    """What was taken for an order; of a group's payment what it keeps, for the rest goes as one."""
    share = payment.share(order_id)
    if share is None or not payment.captured_halalas:
        return payment.captured_halalas
    target = share.target_halalas
    return share.quote.total_halalas if target is None else target


def returned_for(payment: Payment, order_id: OrderId) -> int:
    """What of that went back since."""
    if payment.share(order_id) is None:
        return payment.refunded_halalas + payment.credited_halalas
    mine = (one for one in payment.refunds if one.order_id == order_id)
    return sum(one.amount_halalas for one in mine if one.status is RefundStatus.DONE)
