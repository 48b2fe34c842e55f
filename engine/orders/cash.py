"""Cash on delivery: which orders may be paid so, and what is to be taken at the door."""

from typing import Final

from engine.geo.parameters import ZoneParameters
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.orders.fees import FeeKind
from engine.orders.messages import PlaceOrder
from engine.orders.order import Order

_OF_ATTEMPTS: Final = frozenset({FeeKind.FAILED_ATTEMPT, FeeKind.SECOND_TRY})

CASH_NOT_TAKEN = declare(
    "cash_not_taken",
    RefusalKind.CONFLICT,
    en="This order cannot be paid for in cash: it costs more than may be, or the zone takes none.",
    ar="لا يمكن دفع هذا الطلب نقدًا: المبلغ أعلى من المسموح أو أن المنطقة لا تقبل النقد.",
)
CASH_SHOWS_PRICE = declare(
    "cash_shows_price",
    RefusalKind.INVALID,
    en="Whoever pays at the door learns the price and that a gift is coming. Show the price and "
    "make it no surprise, or pay otherwise.",
    ar="من يدفع عند الباب يعرف السعر ويعرف أن هدية قادمة. أظهر السعر ولا تجعلها مفاجأة، أو ادفع "
    "بطريقة أخرى.",
)
CASH_DUE = declare(
    "cash_due",
    RefusalKind.INVALID,
    en="The amount taken at the door must be the amount due. If it is not paid, report a failed "
    "attempt with the reason not_paid.",
    ar="يجب أن يساوي المبلغ المستلم عند الباب المبلغ المستحق. إن لم يُدفع فسجّل محاولة فاشلة بسبب "
    "عدم الدفع.",
)
NOT_CASH = declare(
    "not_cash",
    RefusalKind.INVALID,
    en="This order is not paid for in cash: take nothing at the door.",
    ar="هذا الطلب لا يُدفع نقدًا، فلا تستلم شيئًا عند الباب.",
)


def cash_objection(parameters: ZoneParameters, command: PlaceOrder) -> Refusal | None:
    """Why this cannot be paid for at the door; None when it can, or is paid otherwise."""
    if not command.is_cash:
        return None
    limit = parameters.cash_order_halalas_max
    if command.quote.total_halalas > limit:
        return CASH_NOT_TAKEN(limit_halalas=limit)
    if command.gift.hide_price or command.gift.surprise:
        return CASH_SHOWS_PRICE()
    return None


def cash_due(order: Order) -> int:
    """What is to be taken at its door, in halalas, fees of attempts and changes included."""
    return order.total_halalas if order.is_cash and order.is_open else 0


def not_what_is_due(
    order: Order, taken_halalas: int, *, device_at: Instant | None
) -> Refusal | None:
    """What is wrong with what was taken at the door, at `device_at` by the phone's clock.

    Fees of attempts that were added after that are not held against a phone that was offline.
    """
    if not order.is_cash:
        return NOT_CASH() if taken_halalas else None
    due = cash_due(order)
    unheard_of = sum(
        fee.halalas
        for fee in order.fees
        if fee.kind in _OF_ATTEMPTS and device_at is not None and fee.at > device_at
    )
    return None if taken_halalas in {due, due - unheard_of} else CASH_DUE(due_halalas=due)
