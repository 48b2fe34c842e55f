"""What a cancellation or a return costs: one table of status, who asks, and how long after.

Charges are shares of what was quoted. What is not charged is refunded; both are told before
anything is done, and stand in the event for whoever moves the money.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.messages import Role
from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.covering import covered
from engine.orders.fees import FailureReason, FeeKind, OrderFee
from engine.orders.order import Order, OrderStatus
from engine.pricing.lines import vat_on


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
# A customer's change of door or window; from the pick-up on of the door alone.
CHANGE: Final[tuple[Row, ...]] = (
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
        delivery_percent=25,
        goods_percent=0,
    ),
    Row(
        rule="courier_at_shop",
        statuses=frozenset({S.COURIER_AT_SHOP}),
        delivery_percent=50,
        goods_percent=0,
    ),
    Row(
        rule="on_the_road",
        statuses=frozenset({S.PICKED_UP, S.ATTEMPT_FAILED}),
        delivery_percent=100,
        goods_percent=0,
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
        return _free(order, OPERATOR)
    if now > order.due_at:
        return _free(order, LATE)
    return _terms(order, row)


# Percents of the delivery with its VAT, for reasons that are not ours; each at most so often.
ATTEMPT_PERCENT: Final = {FeeKind.FAILED_ATTEMPT: 25, FeeKind.SECOND_TRY: 50}
ATTEMPT_FEES_MAX: Final = 2
# Whoever has paid for so many changes and attempts changes nothing more.
FEES_MAX: Final = 10
NOT_OURS: Final = frozenset(
    {
        FailureReason.NOBODY_HOME,
        FailureReason.WRONG_ADDRESS,
        FailureReason.NO_ACCESS,
        FailureReason.REFUSED,
        FailureReason.NOT_PAID,
    }
)


def attempt_fee(order: Order, kind: FeeKind, reason: str, *, now: Instant) -> OrderFee | None:
    """What a failed attempt, or coming again after it, adds to the price.

    Nothing for a reason that is ours or that nobody gave in these words.
    """
    if reason not in NOT_OURS:
        return None
    if sum(one.kind is kind for one in order.fees) >= ATTEMPT_FEES_MAX:
        return None
    return OrderFee(kind=kind, halalas=_of_delivery(order, ATTEMPT_PERCENT[kind]), at=now)


def _of_delivery(order: Order, percent: int) -> int:
    fee = order.fee_earned_halalas
    return ((fee + vat_on(fee)) * percent + 50) // 100


class ChangeTerms(Struct, frozen=True, kw_only=True):
    """What a change costs beside the new price, VAT included, by which row; dearer from `until`."""

    rule: str
    charge_halalas: int
    until: Instant | None = None


def change_terms(order: Order, role: Role, *, now: Instant) -> ChangeTerms | None:
    """What a change of door or window would cost now; None when it comes too late.

    It is free when an operator changes it, and when the promise is broken already.
    """
    row = next((one for one in CHANGE if _fits(one, order, now)), None)
    if row is None or len(order.fees) >= FEES_MAX:
        return None
    if role is not Role.CUSTOMER:
        return ChangeTerms(rule=OPERATOR, charge_halalas=0)
    if now > order.due_at:
        return ChangeTerms(rule=LATE, charge_halalas=0)
    charge = _of_delivery(order, row.delivery_percent)
    return ChangeTerms(rule=row.rule, charge_halalas=charge, until=_ends_at(row, order))


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


def _free(order: Order, rule: str) -> Terms:
    """Nothing is kept; of what was to be paid at the door there is nothing to give back."""
    paid = 0 if order.is_cash else _paid(order)
    return Terms(rule=rule, charge_halalas=0, refund_halalas=paid)


def _paid(order: Order) -> int:
    """What can be given back: where nothing is paid here, what it costs."""
    return order.total_halalas if order.payment_id is None else covered(order)


def _terms(order: Order, row: Row) -> Terms:
    if order.is_cash:
        # What nobody has paid cannot be kept, and must not stand on an invoice.
        return replace(_free(order, row.rule), until=_ends_at(row, order))
    goods, fees = order.goods_halalas, order.fees_halalas
    delivery = order.total_halalas - goods - fees
    share = (delivery * row.delivery_percent + goods * row.goods_percent + 50) // 100
    charge = min(order.total_halalas, share + fees)
    return Terms(
        rule=row.rule,
        charge_halalas=charge,
        refund_halalas=max(0, _paid(order) - charge),
        until=_ends_at(row, order),
    )
