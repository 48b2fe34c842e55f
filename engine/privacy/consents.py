"""Consent: who agreed to what, in which wording, from when until when."""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant


class ConsentPurpose(StrEnum):
    """What is agreed to."""

    TERMS = "terms"
    PRIVACY_NOTICE = "privacy_notice"
    MARKETING = "marketing"
    LOCATION = "location"


# Without these there is no account: who takes them back asks to be erased.
NEEDED: Final = frozenset({ConsentPurpose.TERMS, ConsentPurpose.PRIVACY_NOTICE})


class Consent(Struct, frozen=True, kw_only=True):
    """`wording` names the text that was shown; it ends when withdrawn, or when another follows."""

    user_id: UserId
    purpose: ConsentPurpose
    wording: str
    given_at: Instant
    ended_at: Instant | None = None
    is_withdrawn: bool = False


NO_CONSENT = declare(
    "no_consent",
    RefusalKind.NOT_FOUND,
    en="There is no such consent that could be withdrawn.",
    ar="لا توجد موافقة كهذه لسحبها.",
)
CONSENT_NEEDED = declare(
    "consent_needed",
    RefusalKind.CONFLICT,
    en="An account cannot be without this consent. To take it back, have the account erased.",
    ar="لا يمكن أن يبقى الحساب دون هذه الموافقة. لسحبها اطلب حذف الحساب.",
)


def give(
    before: Consent | None, user_id: UserId, purpose: ConsentPurpose, wording: str, *, now: Instant
) -> tuple[Consent, ...]:
    """What is to be stored: nothing when just this was agreed to already."""
    if before is not None and before.wording == wording:
        return ()
    given = Consent(user_id=user_id, purpose=purpose, wording=wording, given_at=now)
    return (given,) if before is None else (replace(before, ended_at=now), given)


def withdraw(before: Consent | None, purpose: ConsentPurpose, *, now: Instant) -> Consent | Refusal:
    """The consent, withdrawn."""
    if purpose in NEEDED:
        return CONSENT_NEEDED(purpose=purpose.value)
    if before is None:
        return NO_CONSENT(purpose=purpose.value)
    return replace(before, ended_at=now, is_withdrawn=True)
