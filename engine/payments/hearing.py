"""What a payment becomes by what its gateway says of it."""

from typing import Final

from msgspec.structs import replace

from engine.kernel.ids import EffectId, derived_id
from engine.kernel.messages import Decision, Effect, Event
from engine.kernel.timing import SECOND_MS, Instant
from engine.money.transfers import to_enter
from engine.payments import postings
from engine.payments.decide import Terms, decided, with_excess_returned
from engine.payments.gateways import CURRENCY, Standing, Statement, WalletPart
from engine.payments.messages import ReleaseWallet
from engine.payments.payment import (
    TAKING,
    TRANSITIONS,
    Operation,
    OperationAbandoned,
    OperationKind,
    Payment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentChallenged,
    PaymentDeclined,
    PaymentMismatched,
    PaymentRefunded,
    PaymentStatus,
    PaymentVoided,
    Refund,
    RefundReason,
    RefundStatus,
    evolve,
)
from engine.payments.settling import points_back, sell

S = PaymentStatus
_GIVEN_UP: Final = frozenset({S.DECLINED, S.VOIDED})
_STATUS: Final[dict[Standing, PaymentStatus]] = {
    Standing.CHALLENGED: S.CHALLENGED,
    Standing.AUTHORISED: S.AUTHORISED,
    Standing.CAPTURED: S.CAPTURED,
    Standing.DECLINED: S.DECLINED,
    Standing.VOIDED: S.VOIDED,
}


def heard(
    payment: Payment,
    said: Statement | None,
    *,
    terms: Terms,
    now: Instant,
    was_rejected: bool = False,
) -> Decision:
    """What the gateway says of it, None when it knows no such payment.

    `was_rejected` when it has just refused what it was asked for, so that nothing of it can come.
    Whatever was captured or refunded since the last time leaves as transfers.
    """
    if said is None:
        return _unheard_of(payment, terms=terms, now=now, was_rejected=was_rejected)
    if (said.amount_halalas, said.currency) != (payment.amount_halalas, CURRENCY):
        return _mismatched(payment, said, now=now)
    if _is_forgotten(payment, said, now):
        return _declined(payment, "challenge_expired", now=now)
    left, abandoned = _outcome(payment.operation, said, terms, now, was_rejected=was_rejected)
    is_news = left is None and abandoned is None and said.standing is not Standing.CHALLENGED
    later = replace(
        payment,
        reference=said.reference,
        operation=left,
        is_noticed=False,
        captured_halalas=max(payment.captured_halalas, said.captured_halalas),
        refunded_halalas=max(payment.refunded_halalas, said.refunded_halalas),
        conversion_halalas=_converted(payment, said),
        wallet=_of_wallet(payment, said),
        # What the token was described as says more than what was charged.
        card=payment.card or said.card,
        challenge_url=said.challenge_url if said.standing is Standing.CHALLENGED else "",
        reason=said.reason or payment.reason,
        tries=0 if is_news else payment.tries + 1,
    )
    later, entered = _moved(payment, later, now)
    later = evolve(later, status=_status_after(payment, later, said))
    if payment.status in _GIVEN_UP and later.status not in _GIVEN_UP and not payment.is_placed:
        # It was given up and happened after all.
        later = replace(later, target_halalas=0)
    later = with_excess_returned(later, now=now)
    events = (*_abandoned(abandoned, now), *_events(payment, later, now))
    effects = (*entered, *points_back(payment, later))
    return sell(later, events, effects, terms=terms, now=now)


def _is_forgotten(payment: Payment, said: Statement, now: Instant) -> bool:
    """Whether the bank still waits for a customer who may confirm no more."""
    is_taking = payment.operation is not None and payment.operation.kind in TAKING
    is_awaited = is_taking or payment.status in {S.CHALLENGED, S.DECLINED}
    return said.standing is Standing.CHALLENGED and is_awaited and now >= payment.expires_at


def _outcome(
    operation: Operation | None,
    said: Statement,
    terms: Terms,
    now: Instant,
    *,
    was_rejected: bool,
) -> tuple[Operation | None, Operation | None]:
    """The operation if its outcome is still unknown, and if it certainly came to nothing."""
    if operation is None or _is_done(operation, said):
        return None, None
    is_hopeless = was_rejected or _has_settled(operation, terms, now)
    if said.standing is not Standing.PENDING and is_hopeless:
        return None, operation
    return operation, None


def _is_done(operation: Operation, said: Statement) -> bool:
    """Whether the statement shows what became of it, for good or ill."""
    match operation.kind:
        case OperationKind.AUTHORISE | OperationKind.CHARGE:
            return said.standing is not Standing.PENDING
        case OperationKind.CAPTURE | OperationKind.VOID:
            return said.standing not in {Standing.PENDING, Standing.AUTHORISED}
        case OperationKind.REFUND:
            return said.refunded_halalas >= operation.before_halalas + operation.amount_halalas


def _has_settled(operation: Operation, terms: Terms, now: Instant) -> bool:
    return now - operation.asked_at >= terms.settle_s * SECOND_MS


def _status(payment: Payment, said: Statement) -> PaymentStatus:
    if payment.operation is not None or said.standing is Standing.PENDING:
        return S.UNKNOWN
    given_back = payment.refunded_halalas + payment.credited_halalas
    if payment.captured_halalas and given_back >= payment.captured_halalas:
        return S.REFUNDED
    return S.CAPTURED if payment.captured_halalas else _STATUS[said.standing]


def _status_after(before: Payment, after: Payment, said: Statement) -> PaymentStatus:
    """What cannot follow was so before what is known: a gateway may answer from an old copy."""
    status = _status(after, said)
    return status if status in TRANSITIONS[before.status] else before.status


def _moved(before: Payment, after: Payment, now: Instant) -> tuple[Payment, tuple[Effect, ...]]:
    """The refunds that are done now, and what follows from what was captured and refunded."""
    effects = list[Effect]()
    captured = after.captured_halalas - before.captured_halalas
    by_wallet, to_wallet = _moved_by_wallet(before, after)
    if captured:
        taken = postings.captured(after, captured, by_wallet=by_wallet, now=now)
        effects.append(to_enter(taken))
    converted = after.conversion_halalas - before.conversion_halalas
    if converted:
        effects.append(to_enter(postings.converted(before, converted, now=now)))
    rest = after.refunded_halalas - before.refunded_halalas
    asked = None if before.operation is None else before.refund(before.operation.id)
    if asked is not None and 0 < asked.amount_halalas <= rest:
        transfer = postings.refunded(after, asked, to_wallet=to_wallet, now=now)
        effects += postings.follows_refund(after, asked, transfer)
        after = _with(after, replace(asked, status=RefundStatus.DONE, done_at=now))
        rest -= asked.amount_halalas
    if rest:
        unexplained = Refund(
            id=derived_id("unexplained", before.id, str(after.refunded_halalas)),
            amount_halalas=rest,
            reason=RefundReason.UNEXPLAINED,
            status=RefundStatus.DONE,
            asked_at=now,
            asked_by=before.customer_id,
            done_at=now,
            is_after_sale=before.sale is not None,
        )
        transfer = postings.refunded(after, unexplained, now=now)
        effects += postings.follows_refund(after, unexplained, transfer)
        after = replace(after, refunds=(*after.refunds, unexplained))
    return after, tuple(effects)


def _of_wallet(payment: Payment, said: Statement) -> WalletPart | None:
    """What the wallet has paid and got back; it never becomes less."""
    known, told = payment.wallet, said.wallet
    if known is None or told is None:
        return known
    return replace(
        known,
        captured_halalas=max(known.captured_halalas, told.captured_halalas),
        refunded_halalas=max(known.refunded_halalas, told.refunded_halalas),
    )


def _moved_by_wallet(before: Payment, after: Payment) -> tuple[int, int]:
    """What was taken from the wallet, and what went back into it, since the last time."""
    was, now = before.wallet, after.wallet
    if was is None or now is None:
        return 0, 0
    taken = now.captured_halalas - was.captured_halalas
    return taken, now.refunded_halalas - was.refunded_halalas


def _converted(payment: Payment, said: Statement) -> int:
    """What conversion makes of it; a statement of less than is known says nothing of that."""
    told = (said.captured_halalas, said.refunded_halalas)
    known = (payment.captured_halalas, payment.refunded_halalas)
    is_news = all(one >= other for one, other in zip(told, known, strict=True))
    return said.conversion_halalas if is_news else payment.conversion_halalas


def _with(payment: Payment, refund: Refund) -> Payment:
    """The payment with this refund in the place of the one of its id."""
    refunds = tuple(refund if one.id == refund.id else one for one in payment.refunds)
    return replace(payment, refunds=refunds)


def _events(before: Payment, after: Payment, now: Instant) -> tuple[Event, ...]:
    events: list[Event] = []
    if after.captured_halalas > before.captured_halalas:
        events.append(PaymentCaptured(at=now, captured_halalas=after.captured_halalas))
    if after.refunded_halalas > before.refunded_halalas:
        events.append(PaymentRefunded(at=now, refunded_halalas=after.refunded_halalas))
    if after.status is before.status:
        return tuple(events)
    match after.status:
        case S.CHALLENGED:
            events.append(PaymentChallenged(at=now))
        case S.AUTHORISED:
            events.append(PaymentAuthorised(at=now))
        case S.VOIDED:
            events.append(PaymentVoided(at=now))
        case S.DECLINED:
            events.append(PaymentDeclined(at=now, reason=after.reason))
        case _:
            pass
    return tuple(events)


def _abandoned(operation: Operation | None, now: Instant) -> tuple[Event, ...]:
    if operation is None:
        return ()
    return (OperationAbandoned(at=now, operation_id=operation.id, why="not_done"),)


def _unheard_of(payment: Payment, *, terms: Terms, now: Instant, was_rejected: bool) -> Decision:
    """The gateway knows no such payment: yet, or, when that is certain, for good."""
    operation = payment.operation
    is_taking = operation is not None and operation.kind in TAKING
    if is_taking and operation and (was_rejected or _has_settled(operation, terms, now)):
        return _declined(payment, "not_accepted" if was_rejected else "not_taken", now=now)
    later = evolve(payment, is_noticed=False, tries=payment.tries + 1)
    return decided(later, (), now=now)


def _declined(payment: Payment, reason: str, *, now: Instant) -> Decision:
    later = evolve(
        payment,
        status=S.DECLINED,
        operation=None,
        is_noticed=False,
        challenge_url="",
        reason=reason,
    )
    declined = PaymentDeclined(at=now, reason=reason)
    return decided(later, (declined,), _released(payment), now=now)


def _mismatched(payment: Payment, said: Statement, *, now: Instant) -> Decision:
    later = evolve(
        payment,
        status=S.MISMATCHED,
        operation=None,
        is_noticed=False,
        reason="amount_mismatch",
    )
    event = PaymentMismatched(at=now, amount_halalas=said.amount_halalas, currency=said.currency)
    return decided(later, (event,), _released(payment), now=now)


def _released(payment: Payment) -> tuple[Effect, ...]:
    """Nothing will come of it, so what is set aside in the wallet is let go of."""
    if payment.wallet is None:
        return ()
    return (
        ReleaseWallet(
            id=EffectId(derived_id("release wallet", payment.id, str(payment.version))),
            payment_id=payment.id,
        ),
    )
