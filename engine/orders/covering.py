"""What of an order's price its payments cover, and what of it is owed."""

from msgspec.structs import replace

from engine.orders.fees import Supplement
from engine.orders.order import Order


def first_paid(order: Order) -> int:
    """What its first payment covers, in halalas."""
    known = order.paid_halalas
    return order.total_halalas - order.fees_halalas if known is None else known


def covered(order: Order) -> int:
    """What all of its payments cover, in halalas."""
    return first_paid(order) + sum(one.halalas for one in order.supplements)


def owed(order: Order) -> int:
    """What its price has grown beyond what was paid for it; cash is paid at the door."""
    if order.payment_id is None or order.is_cash:
        return 0
    return max(0, order.price_halalas - covered(order))


def kept_to_its_price(order: Order) -> Order:
    """Its payments cover no more than it costs, the first of them first."""
    paid = min(first_paid(order), order.price_halalas)
    left, supplements = order.price_halalas - paid, list[Supplement]()
    for one in order.supplements:
        supplements.append(replace(one, halalas=min(one.halalas, left)))
        left -= supplements[-1].halalas
    return replace(order, paid_halalas=paid, supplements=tuple(supplements))
