"""The rules of a payout: what it becomes by what is asked, heard, and not heard."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.backoff import Backoff
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from engine.payouts.payout import (
    CURRENCY,
    NO_BANK_ACCOUNT,
    PAYOUT_HALALAS_MAX,
    PAYOUT_TOO_SMALL,
    BankAccount,
    Payout,
    PayoutId,
    PayoutKind,
    PayoutStanding,
    PayoutStatement,
    PayoutStatus,
)

S = PayoutStatus
# A bank sends back what it cannot credit, and says so only days later.
WATCHED_MS: Final = 7 * DAY_MS
_BACKOFFS: Final = {
    S.UNKNOWN: Backoff(first_ms=5 * SECOND_MS, most_ms=5 * MINUTE_MS),
    S.SENT: Backoff(first_ms=5 * SECOND_MS, most_ms=HOUR_MS),
}
_REACHED: Final = {
    PayoutStanding.PENDING: S.SENT,
    PayoutStanding.PAID: S.PAID,
    PayoutStanding.FAILED: S.FAILED,
    PayoutStanding.RETURNED: S.RETURNED,
}
# What may be heard of one that stands so; everything else is old, or makes no sense.
_MAY_HEAR: Final = {
    S.UNKNOWN: frozenset(PayoutStanding),
    S.SENT: frozenset(PayoutStanding) - {PayoutStanding.PENDING},
    S.PAID: frozenset({PayoutStanding.RETURNED}),
}


class PayoutTerms(Struct, frozen=True, kw_only=True):
    """By what an operator has payouts go; the fee includes VAT.

    What the provider shows no sign of `settle_s` after it was asked has not happened.
    """

    least_halalas: int = 1000
    instant_fee_halalas: int = 200
    settle_s: int = 600


def request(
    payout_id: PayoutId,
    to: BankAccount | None,
    kind: PayoutKind,
    *,
    available_halalas: int,
    asked_halalas: int | None,
    terms: PayoutTerms,
    now: Instant,
) -> Payout | Refusal:
    """A payout of so much, or of all that is left when the fee is paid."""
    if to is None:
        return NO_BANK_ACCOUNT()
    fee = terms.instant_fee_halalas if kind is PayoutKind.INSTANT else 0
    amount = available_halalas - fee if asked_halalas is None else asked_halalas
    if amount < terms.least_halalas:
        return PAYOUT_TOO_SMALL(least_halalas=terms.least_halalas)
    return Payout(
        version=1,
        id=payout_id,
        courier_id=to.courier_id,
        bank_account_id=to.id,
        iban_end=to.iban[-4:],
        kind=kind,
        amount_halalas=min(amount, PAYOUT_HALALAS_MAX),
        fee_halalas=fee,
        asked_halalas=asked_halalas,
        made_at=now,
        due_at=now,
    )


def reserved(payout: Payout, *, now: Instant) -> Payout:
    """The money is set aside; the provider can be asked."""
    assert payout.status is S.NEW
    return _evolve(payout, status=S.RESERVED, due_at=now)


def refused(payout: Payout, reason: str) -> Payout:
    """There was not so much; nothing happened."""
    assert payout.status is S.NEW
    return _evolve(payout, status=S.REFUSED, due_at=None, reason=reason)


def asked(payout: Payout, *, now: Instant) -> Payout:
    """To be stored before the provider is asked: from now on nobody knows, until it is seen."""
    assert payout.status is S.RESERVED
    return _looked_at(replace(payout, status=S.UNKNOWN, asked_at=now, tries=0), now)


def rejected(payout: Payout, reason: str, *, now: Instant) -> Payout:
    """The provider said no at once: it was not done."""
    assert payout.status is S.UNKNOWN
    return _reached(payout, S.FAILED, reason, now)


def heard(payout: Payout, said: PayoutStatement, *, iban: str, now: Instant) -> Payout:
    """What the provider says of it, if it speaks of the same payout."""
    if not is_about(payout, said, iban):
        return _looked_at(replace(payout, reason="the provider speaks of another payout"), now)
    if said.standing not in _MAY_HEAR[payout.status]:
        return _looked_at(replace(payout, reference=said.reference, reason=""), now)
    named = replace(payout, reference=said.reference)
    return _reached(named, _REACHED[said.standing], said.reason, now)


def entered(payout: Payout, *, now: Instant) -> Payout:
    """The ledger has followed."""
    return _looked_at(replace(payout, is_entered=True), now)


def is_about(payout: Payout, said: PayoutStatement, iban: str) -> bool:
    """Whether amount, currency and account are those of this payout."""
    return (said.amount_halalas, said.currency, said.iban) == (
        payout.amount_halalas,
        CURRENCY,
        iban,
    )


def not_found(payout: Payout, *, terms: PayoutTerms, now: Instant) -> Payout:
    """The provider knows nothing of it: for now, or, when it is late enough, for good."""
    assert payout.asked_at is not None
    is_over = now >= payout.asked_at + terms.settle_s * SECOND_MS
    if payout.status is not S.UNKNOWN or not is_over:
        return not_heard(payout, now=now)
    return _reached(payout, S.FAILED, "the provider never had it", now)


def not_heard(payout: Payout, *, now: Instant) -> Payout:
    """The provider gave no answer; it is asked again later how the payout stands."""
    return _looked_at(payout, now)


def _reached(payout: Payout, status: PayoutStatus, reason: str, now: Instant) -> Payout:
    """Another status, which the ledger is to follow at once."""
    return _evolve(payout, status=status, reason=reason, tries=0, is_entered=False, due_at=now)


def _looked_at(payout: Payout, now: Instant) -> Payout:
    return _evolve(payout, tries=payout.tries + 1, due_at=_next_look(payout, now))


def _next_look(payout: Payout, now: Instant) -> Instant | None:
    if payout.status is S.PAID:
        return now + DAY_MS if now < payout.made_at + WATCHED_MS else None
    backoff = _BACKOFFS.get(payout.status)
    return None if backoff is None else now + backoff.wait_ms(payout.tries)


def _evolve(payout: Payout, **fields: object) -> Payout:
    return replace(payout, version=payout.version + 1, **fields)
