"""Changing one's phone: both numbers prove themselves, and the old one has a day to undo it."""

from msgspec.structs import replace

from engine.identity.login import User
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, Instant

UNDO_MS = DAY_MS

PHONE_TAKEN = declare(
    "phone_taken",
    RefusalKind.CONFLICT,
    en="This phone belongs to another account.",
    ar="رقم الجوال هذا مرتبط بحساب آخر.",
)
PHONE_WAS_CHANGED = declare(
    "phone_was_changed",
    RefusalKind.CONFLICT,
    en="This account was moved to another phone. Undo that within a day, if it was not you.",
    ar="نُقل هذا الحساب إلى رقم آخر. تراجع عن ذلك خلال يوم إن لم تكن أنت من فعله.",
)
NOTHING_TO_UNDO = declare(
    "nothing_to_undo",
    RefusalKind.GONE,
    en="This phone was not changed within the last day.",
    ar="لم يُغيَّر هذا الرقم خلال اليوم الماضي.",
)


def move(user: User, phone: str, *, now: Instant) -> User | Refusal:
    """The user with another phone; while a change can be undone there is no other one."""
    if phone == user.phone:
        return PHONE_TAKEN()
    if may_be_undone(user, now):
        return PHONE_WAS_CHANGED()
    return replace(
        user, version=user.version + 1, phone=phone, previous_phone=user.phone, moved_at=now
    )


def undo(user: User, *, now: Instant) -> User | Refusal:
    """The user with the phone that he had before."""
    if not may_be_undone(user, now):
        return NOTHING_TO_UNDO()
    return replace(
        user, version=user.version + 1, phone=user.previous_phone, previous_phone="", moved_at=0
    )


def may_be_undone(user: User, now: Instant) -> bool:
    """Whether the phone before can still take the account back."""
    return bool(user.previous_phone) and now < user.moved_at + UNDO_MS
