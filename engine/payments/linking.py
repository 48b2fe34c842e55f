"""How the payment of a gift link follows it: to which order, and what of the limit is kept."""

from enum import StrEnum

from msgspec.structs import replace

from engine.kernel.messages import Decision
from engine.kernel.timing import Instant
from engine.orders.gift_link import FORGONE, GiftLink
from engine.orders.messages import PlaceOrder
from engine.payments.decide import Terms, decided, with_excess_returned
from engine.payments.payment import (
    Payment,
    PaymentStatus,
    RefundReason,
    TargetSet,
    evolve,
)
from engine.payments.settling import sell

_THERE = frozenset({PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED})


class MoneyStanding(StrEnum):
    """Whether an open gift link is still paid for."""

    THERE = "there"
    IN_DOUBT = "in_doubt"
    GONE = "gone"


def money_of(payment: Payment) -> MoneyStanding:
    """Held or taken in full; a bank may let go of what it holds, and an operator give some back."""
    if payment.status is PaymentStatus.UNKNOWN:
        return MoneyStanding.IN_DOUBT
    is_whole = payment.target_halalas is None and not payment.promised_halalas
    is_there = payment.status in _THERE and is_whole
    return MoneyStanding.THERE if is_there else MoneyStanding.GONE


def becoming(payment: Payment, order: PlaceOrder, *, now: Instant) -> Decision | None:
    """Its recipient has answered, and this is about to be placed: told before it is.

    An answer that could not be placed gives way to the next one. None when it is known.
    """
    known = payment.order
    if known is not None and known.quote.id == order.quote.id:
        return None
    return decided(evolve(payment, order=replace(order, payment_id=payment.id)), (), now=now)


def ended(payment: Payment, link: GiftLink, *, terms: Terms, now: Instant) -> Decision | None:
    """The link is over: what its order costs is taken at once, and what was not needed goes back.

    A hold has aged enough by then. None when the order itself has said what is to be kept.
    """
    if payment.target_halalas is not None:
        return None
    is_forgone = link.status in FORGONE
    later = evolve(
        payment,
        target_halalas=0 if is_forgone else payment.quote.total_halalas,
        rest_reason=RefundReason.UNUSED,
        reason=link.status.value if is_forgone else payment.reason,
    )
    later = with_excess_returned(later, now=now)
    event = TargetSet(at=now, target_halalas=later.target_halalas or 0)
    return sell(later, (event,), (), terms=terms, now=now)
