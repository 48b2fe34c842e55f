"""What is owed for an order that is over: paid with another payment, or given up by staff."""

from msgspec.structs import replace

from engine.invoices.invoice import CreditRefund
from engine.kernel.ids import EffectId, OrderId, PaymentId, derived_id
from engine.kernel.messages import Decision, Effect
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.kernel.timing import Instant
from engine.money.transfers import to_enter
from engine.payments import decide, postings
from engine.payments.decide import Terms, decided
from engine.payments.messages import NOTHING_OWED
from engine.payments.owed import Lapse, Settlement, SettlementKind, Supplementing
from engine.payments.payment import OwedSettled, PaidOrderPlaced, Payment, evolve
from engine.payments.settling import sell


def due_of(first: Payment, order_id: OrderId) -> Supplementing | Refusal:
    """What is to be paid of an order by now; refused when that is nothing."""
    halalas = first.owed_for(order_id)
    if halalas <= 0 or first.zone_id is None:
        return NOTHING_OWED()
    return Supplementing(
        order_id=order_id,
        zone_id=first.zone_id,
        first_payment_id=first.id,
        halalas=halalas,
        is_due=True,
        number=len(first.settlements),
    )


def first_of(payment: Payment) -> PaymentId | None:
    """The first payment of an order for which this one pays what is owed; None of any other."""
    supplement = payment.supplement
    return supplement.first_payment_id if supplement and supplement.is_due else None


def settle(first: Payment, by: Payment, *, now: Instant) -> Decision | Refusal | None:
    """Another payment has the money for what `first` left owed; None when that is known."""
    assert by.supplement is not None, "an order's own payment settles nothing else"
    order_id = by.supplement.order_id
    if any(one.id == by.id for one in first.settlements):
        return None
    if first.owed_for(order_id) < by.amount_halalas:
        return NOTHING_OWED()
    settlement = Settlement(
        id=by.id,
        order_id=order_id,
        kind=SettlementKind.PAID,
        halalas=by.amount_halalas,
        at=now,
        by=by.customer_id,
    )
    return _settled(first, settlement, (), now=now)


def placed(payment: Payment, *, terms: Terms, now: Instant) -> Decision:
    """What was paid for has begun; of what was owed all is kept."""
    if first_of(payment) is None:
        return decide.placed(payment, now=now)
    later = evolve(
        payment, is_placed=True, is_over=True, target_halalas=payment.amount_halalas, tries=0
    )
    return sell(later, (PaidOrderPlaced(at=now),), (), terms=terms, now=now)


def lapse(first: Payment, told: Lapse, *, now: Instant) -> Decision | None:
    """What a supplement does not bring is due from now on; None when that is known."""
    if any(one.payment_id == told.payment_id for one in first.lapses):
        return None
    later = evolve(first, lapses=(*first.lapses, told))
    return decided(later, (), now=now)


def give_up(first: Payment, wish: Settlement) -> Decision | Refusal | None:
    """Staff ask for all that is owed no more; the same id again is the same, None.

    What was not rightly charged gets a credit note.
    """
    known = next((one for one in first.settlements if one.id == wish.id), None)
    if known is not None:
        return None if _asks(known) == _asks(wish) else KEY_REUSED()
    halalas = first.owed_for(wish.order_id)
    if halalas <= 0:
        return NOTHING_OWED()
    settlement = replace(wish, halalas=halalas)
    effects: tuple[Effect, ...] = (to_enter(postings.given_up(first, settlement, now=wish.at)),)
    if wish.kind is SettlementKind.WAIVED:
        note = CreditRefund(
            id=EffectId(derived_id("credit", wish.id)),
            order_id=wish.order_id,
            refund_id=wish.id,
            amount_halalas=halalas,
            reason=wish.kind.value,
        )
        effects = (*effects, note)
    return _settled(first, settlement, effects, now=wish.at)


def _settled(
    first: Payment, settlement: Settlement, effects: tuple[Effect, ...], *, now: Instant
) -> Decision:
    later = evolve(first, settlements=(*first.settlements, settlement))
    return decided(later, (OwedSettled(at=now, settlement=settlement),), effects, now=now)


def _asks(settlement: Settlement) -> tuple[object, ...]:
    return settlement.order_id, settlement.kind, settlement.by, settlement.note
