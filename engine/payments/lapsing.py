"""Holds that lapse at the bank before they are taken: what they were to bring is owed instead."""

from typing import Final, TypeVar

from msgspec.structs import replace

from engine.kernel.ids import EffectId, derived_id
from engine.kernel.messages import Decision, Effect, Event
from engine.kernel.timing import Instant
from engine.payments.decide import decided
from engine.payments.messages import FollowOrder
from engine.payments.owed import Lapse
from engine.payments.payment import Payment, PaymentStatus, Share

_GONE: Final = frozenset({PaymentStatus.VOIDED, PaymentStatus.DECLINED})
_Part = TypeVar("_Part", Payment, Share)


def is_gone(payment: Payment) -> bool:
    """Whether what was held is held no more, and nothing of it was taken."""
    is_untaken = payment.operation is None and not payment.captured_halalas
    return is_untaken and payment.status in _GONE


def owing_what_is_gone(payment: Payment) -> Payment:
    """Of orders that are over: what their hold was to bring, had it not lapsed, is owed instead.

    Should it be taken after all it goes back, for by then the customer is asked for it.
    """
    if payment.supplement is not None or not is_gone(payment):
        return payment
    if not payment.shares:
        return _owing(payment)
    shares = tuple(_owing(one) for one in payment.shares)
    if shares == payment.shares:
        return payment
    return replace(payment, shares=shares, target_halalas=sum(map(to_keep, shares)))


def is_owed_instead(part: Payment | Share) -> bool:
    """Whether it was sold as owed: whatever its order tells again, nothing is to be kept of it."""
    return part.sale is not None and not part.target_halalas


def to_keep(share: Share) -> int:
    """What is to be kept of an order of a group, in halalas: all of it while that is open."""
    return share.quote.total_halalas if share.target_halalas is None else share.target_halalas


def _owing(part: _Part) -> _Part:
    """The same with nothing to be kept of it and all of its price owed."""
    target, price = part.target_halalas, part.price
    if not (part.is_over and part.sale is None and target and price):
        return part
    owed = replace(price, owed_halalas=price.owed_halalas + target)
    return replace(part, target_halalas=0, price=owed)


def has_lapsed(payment: Payment) -> bool:
    """Whether a supplement was to bring something for an order that is over, and will not."""
    is_sold = payment.supplement is not None and not payment.supplement.is_due and payment.is_over
    return is_sold and is_gone(payment) and not payment.is_lapsed and bool(payment.target_halalas)


def lapsed(
    payment: Payment, events: tuple[Event, ...], effects: tuple[Effect, ...], *, now: Instant
) -> Decision:
    """Nothing is to be kept of it any more, and the order's first payment hears of that.

    Should it be taken after all it goes back, for by then the customer is asked for it.
    """
    supplement, halalas = payment.supplement, payment.target_halalas
    assert supplement is not None
    assert halalas is not None
    told = FollowOrder(
        id=EffectId(derived_id("lapsed", payment.id)),
        order_id=supplement.order_id,
        payment_id=supplement.first_payment_id,
        lapse=Lapse(payment_id=payment.id, order_id=supplement.order_id, halalas=halalas),
    )
    later = replace(payment, target_halalas=0, is_lapsed=True)
    return decided(later, events, (*effects, told), now=now)
