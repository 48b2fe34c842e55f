"""Proving a phone by a code that is sent to it: when one is sent, and what a try at it does."""

import hashlib
import hmac
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.kernel.messages import Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, HOUR_MS, SECOND_MS, Instant

CODE_DIGITS = 6
CODES = 10**CODE_DIGITS


class Purpose(StrEnum):
    """What a code is for; it is good for nothing else."""

    LOG_IN = "log_in"
    LEAVE_PHONE = "leave_phone"
    TAKE_PHONE = "take_phone"
    KEEP_PHONE = "keep_phone"
    STEP_UP = "step_up"


class User(Thing, frozen=True, kw_only=True):
    """Somebody, known by his phone in E.164; until `moved_at` that was `previous_phone`."""

    version: int = 1
    id: UserId
    phone: str
    created_at: Instant
    previous_phone: str = ""
    moved_at: Instant = 0


class Challenge(Thing, frozen=True, kw_only=True):
    """The last code that was sent to a phone for a purpose; the code itself is not in it.

    `sends` counts the codes of the hour that began at `hour_began_at`, `sends_of_day` those of the
    day. `is_open` ends with the first right try, and with too many wrong ones. `tallies` are the
    budgets from which it was paid, and to which it is given back when it is proven. `asked_as`
    names the request that it answers, if that may be repeated.
    """

    phone: str
    purpose: Purpose = Purpose.LOG_IN
    code_mac: str
    sent_at: Instant
    expires_at: Instant
    wrong_tries: int = 0
    is_open: bool = True
    sends: int
    hour_began_at: Instant
    sends_of_day: int = 0
    day_began_at: Instant = 0
    tallies: tuple[str, ...] = ()
    asked_as: str = ""


class LoginRules(Struct, frozen=True, kw_only=True):
    """What may be asked how often."""

    life_s: int = 300
    resend_s: int = 60
    tries_max: int = 5
    sends_max: int = 5
    sends_of_day_max: int = 10


class Attempt(Struct, frozen=True, kw_only=True):
    """What a try comes to; `challenge`, if any, is to be stored before anybody is told."""

    challenge: Challenge | None
    refusal: Refusal | None


CODE_TOO_SOON = declare(
    "code_too_soon",
    RefusalKind.TOO_MANY,
    en="A code was sent a moment ago. Wait before you ask for another.",
    ar="أُرسل رمز قبل قليل. انتظر قبل طلب رمز آخر.",
)
WRONG_CODE = declare(
    "wrong_code",
    RefusalKind.INVALID,
    en="The code is wrong or no longer valid.",
    ar="الرمز غير صحيح أو لم يعد صالحًا.",
)


def code_mac(pepper: bytes, phone: str, code: str, purpose: Purpose = Purpose.LOG_IN) -> str:
    """HMAC-SHA256 of a code, bound to its phone and purpose: what is stored in its place."""
    bound = f"{purpose}\x1f{phone}\x1f{code}".encode()
    return hmac.new(pepper, bound, hashlib.sha256).hexdigest()


def ask(
    last: Challenge | None,
    *,
    phone: str,
    mac: str,
    purpose: Purpose = Purpose.LOG_IN,
    asked_as: str = "",
    rules: LoginRules,
    now: Instant,
) -> Challenge | Refusal:
    """A new challenge in the place of the last one, unless that was a moment ago."""
    challenge = Challenge(
        version=1,
        phone=phone,
        purpose=purpose,
        code_mac=mac,
        sent_at=now,
        expires_at=now + rules.life_s * SECOND_MS,
        sends=1,
        hour_began_at=now,
        sends_of_day=1,
        day_began_at=now,
        asked_as=asked_as,
    )
    if last is None:
        return challenge
    free_at = _free_at(last, rules, now)
    if now < free_at:
        return CODE_TOO_SOON(retry_after_s=-(-(free_at - now) // SECOND_MS))
    if now - last.hour_began_at < HOUR_MS:
        challenge = replace(challenge, sends=last.sends + 1, hour_began_at=last.hour_began_at)
    if now - last.day_began_at < DAY_MS:
        challenge = replace(
            challenge, sends_of_day=last.sends_of_day + 1, day_began_at=last.day_began_at
        )
    return replace(challenge, version=last.version + 1)


def is_repeated(last: Challenge | None, asked_as: str) -> bool:
    """Whether the last code was sent for this very request."""
    return last is not None and asked_as != "" and last.asked_as == asked_as


def _free_at(last: Challenge, rules: LoginRules, now: Instant) -> Instant:
    """From when on this phone may be sent another code."""
    free_at = last.sent_at + rules.resend_s * SECOND_MS
    if now - last.hour_began_at < HOUR_MS and last.sends >= rules.sends_max:
        free_at = max(free_at, last.hour_began_at + HOUR_MS)
    if now - last.day_began_at < DAY_MS and last.sends_of_day >= rules.sends_of_day_max:
        free_at = max(free_at, last.day_began_at + DAY_MS)
    return free_at


def attempt(last: Challenge | None, *, mac: str, rules: LoginRules, now: Instant) -> Attempt:
    """One try; the no is the same for a code that is wrong, burned, expired or was never sent."""
    if last is None or not last.is_open or now >= last.expires_at:
        return Attempt(challenge=None, refusal=WRONG_CODE())
    if hmac.compare_digest(last.code_mac, mac):
        # Who has the phone may log in again at once, as often as he likes.
        used = replace(
            last, version=last.version + 1, is_open=False, sent_at=0, sends=0, sends_of_day=0
        )
        return Attempt(challenge=used, refusal=None)
    wrong_tries = last.wrong_tries + 1
    tried = replace(
        last,
        version=last.version + 1,
        wrong_tries=wrong_tries,
        is_open=wrong_tries < rules.tries_max,
    )
    return Attempt(challenge=tried, refusal=WRONG_CODE())


def unsent(challenge: Challenge) -> Challenge:
    """The message did not leave: another may be asked for at once."""
    return replace(challenge, version=challenge.version + 1, is_open=False, sent_at=0, asked_as="")
