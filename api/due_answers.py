"""What is answered about what is owed for an order."""

from typing import Any

from api.answer import Answer
from engine.orders.covering import covered, owed
from engine.orders.order import Order
from engine.payments.owed import SettlementKind
from engine.payments.payment import Payment


class SettlementShown(Answer):
    """So much of what was owed was paid later, or given up."""

    kind: SettlementKind
    halalas: int
    at: int


class OrderDueShown(Answer):
    """What an order costs by now, what its payments cover, and what is still to be paid.

    It can be paid as soon as the order is over (`is_payable`); until then it may grow.
    """

    order_id: str
    price_halalas: int
    covered_halalas: int
    owed_halalas: int
    is_payable: bool
    settlements: list[SettlementShown]


def due_shown(order: Order, first: Payment | None) -> dict[str, Any]:
    """What is owed for an order, by its first payment as soon as that knows the end of it."""
    share = None if first is None else first.share(order.id)
    price = None if first is None else (first.price if share is None else share.price)
    is_known = first is not None and price is not None
    left = first.owed_for(order.id) if first is not None and is_known else owed(order)
    mine = () if first is None else first.settlements
    return {
        "order_id": order.id,
        "price_halalas": order.price_halalas,
        "covered_halalas": covered(order) if order.payment_id is not None else 0,
        "owed_halalas": left,
        "is_payable": is_known and left > 0,
        "settlements": [
            {"kind": one.kind, "halalas": one.halalas, "at": one.at}
            for one in mine
            if one.order_id == order.id
        ],
    }
