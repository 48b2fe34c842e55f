"""What a cancellation or a return costs: one table of status, who asks, and how long after.

Charges are shares of what was quoted. What is not charged is refunded; both are told before
anything is done, and stand in the event for whoever moves the money.
"""

from typing import Final

from msgspec import Struct

from engine.kernel.messages import Role
from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.order import Order, OrderStatus


class Terms(Struct, frozen=True, kw_only=True):
    """What is kept of the total and what is given back, VAT included, by which row of the table.

    `until` is when dearer terms begin, None when time alone changes nothing.
    """

    rule: str
    charge_halalas: int
    refund_halalas: int
    until: Instant | None = None


class Row(Struct, frozen=True, kw_only=True):
    """From which status, within how many minutes of the assignment (None: at any time).

    Percents are of the delivery and of the goods, with their VAT.
    """

    rule: str
    statuses: frozenset[OrderStatus]
    minutes: int | None = None
    delivery_percent: int
    goods_percent: int


S = OrderStatus
LATE: Final = "late"
OPERATOR: Final = "operator"

# A customer's cancellation; the first row that fits holds.
CANCELLATION: Final[tuple[Row, ...]] = (
    Row(
        rule="unassigned",
        statuses=frozenset({S.SCHEDULED, S.WAITING, S.OFFERED}),
        delivery_percent=0,
        goods_percent=0,
    ),
    Row(
        rule="just_assigned",
        statuses=frozenset({S.ASSIGNED}),
        minutes=5,
        delivery_percent=0,
        goods_percent=0,
    ),
    Row(
        rule="assigned",
        statuses=frozenset({S.ASSIGNED}),
        delivery_percent=50,
        goods_percent=0,
    ),
    Row(
        rule="courier_at_shop",
        statuses=frozenset({S.COURIER_AT_SHOP}),
        delivery_percent=100,
        goods_percent=50,
    ),
)
# Nobody could receive it, and the shop has it again.
RETURN: Final = Row(
    rule="returned",
    statuses=frozenset({S.RETURNING}),
    delivery_percent=150,
    goods_percent=50,
)


def cancellation_terms(order: Order, role: Role, *, now: Instant) -> Terms | None:
    """What a cancellation now would cost; None when the order cannot be cancelled any more.

    It is free when an operator cancels, and when the promise is broken already.
    """
    row = next((one for one in CANCELLATION if _fits(one, order, now)), None)
    if row is None:
        return None
    if role is not Role.CUSTOMER:
        return Terms(rule=OPERATOR, charge_halalas=0, refund_halalas=order.total_halalas)
    if now > order.due_at:
        return Terms(rule=LATE, charge_halalas=0, refund_halalas=order.total_halalas)
    return _terms(order, row)


def return_terms(order: Order) -> Terms:
    """What remains charged of an order that went back to its shop."""
    return _terms(order, RETURN)


def _fits(row: Row, order: Order, now: Instant) -> bool:
    if order.status not in row.statuses:
        return False
    ends_at = _ends_at(row, order)
    return ends_at is None or now < ends_at


def _ends_at(row: Row, order: Order) -> Instant | None:
    if row.minutes is None or order.assigned_at is None:
        return None
    return order.assigned_at + row.minutes * MINUTE_MS


def _terms(order: Order, row: Row) -> Terms:
    goods = order.goods_halalas
    delivery = order.total_halalas - goods
    share = (delivery * row.delivery_percent + goods * row.goods_percent + 50) // 100
    charge = min(order.total_halalas, share)
    return Terms(
        rule=row.rule,
        charge_halalas=charge,
        refund_halalas=order.total_halalas - charge,
        until=_ends_at(row, order),
    )
