"""Tips: from a customer's wallet to who brought the gift, after it was delivered."""

from typing import Final

from engine.kernel.ids import derived_id
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, Instant
from engine.money.accounts import AccountKind, account
from engine.money.earnings import about_order
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.orders.order import Order, OrderStatus

TIP_HALALAS_MAX: Final = 100_000
TIP_DAYS: Final = 14

NOT_DELIVERED = declare(
    "tip_before_delivery",
    RefusalKind.CONFLICT,
    en="A courier can be tipped when the gift was delivered.",
    ar="يمكن إكرام المندوب بعد تسليم الهدية.",
)
TIP_TOO_LATE = declare(
    "tip_too_late",
    RefusalKind.GONE,
    en="The time for a tip is over.",
    ar="انتهت مهلة الإكرامية.",
)


def tip(order: Order, halalas: int, *, cause: str, now: Instant) -> Transfer | Refusal:
    """The transfer of a tip; the same `cause` is the same tip."""
    if order.status is not OrderStatus.DELIVERED or order.ended_at is None:
        return NOT_DELIVERED(status=order.status.value)
    if now > order.ended_at + TIP_DAYS * DAY_MS:
        return TIP_TOO_LATE(days=TIP_DAYS)
    assert order.courier_id is not None, "what was delivered, was delivered by somebody"
    giver = account(AccountKind.CUSTOMER_WALLET, order.customer_id)
    taker = account(AccountKind.COURIER_WALLET, order.courier_id)
    return Transfer(
        id=TransferId(derived_id("tip", cause)),
        reason=TransferReason.TIP,
        legs=move({giver: -halalas, taker: halalas}),
        # The day of the delivery, so that a repetition is the same transfer.
        effective_at=order.ended_at,
        about=about_order(order.id),
    )
