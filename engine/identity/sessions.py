"""Sessions: one log-in on one device, kept alive by refresh tokens that are each used once."""

import hmac
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.identity.ids import SessionId
from engine.identity.refresh_tokens import RefreshToken, digest, successor
from engine.identity.staff import STAFF_ROLES
from engine.kernel.ids import UserId, ZoneId
from engine.kernel.messages import Role, Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import SECOND_MS, Instant


class SessionEnd(StrEnum):
    """Why a session ended."""

    LOGGED_OUT = "logged_out"
    REUSED = "reused"
    TOO_MANY = "too_many"
    ACCESS_CHANGED = "access_changed"
    ERASED = "erased"


class Session(Thing, frozen=True, kw_only=True):
    """Who is logged in where, in which role.

    Of the refresh tokens only digests are kept: of the valid one and of the one before it. With the
    `nonce` and the token before, the valid one can be made again; with the stored row alone not.
    `stepped_up_at` is when its person proved last, after the log-in, who he is.
    """

    id: SessionId
    user_id: UserId
    role: Role
    zones: tuple[ZoneId, ...] | None = None
    device: str
    place: str
    began_at: Instant
    seen_at: Instant
    expires_at: Instant
    stepped_up_at: Instant = 0
    generation: int = 0
    refresh_digest: str
    digest_before: str = ""
    nonce: str = ""
    rotated_at: Instant = 0
    ended_at: Instant | None = None
    end: SessionEnd | None = None


class SessionRules(Struct, frozen=True, kw_only=True):
    """How long a session may last, unused and at all, and how long a lost answer is repeated.

    Who proved who he is within `step_up_s` need not do it again.
    """

    idle_s: int = 30 * 86_400
    life_s: int = 180 * 86_400
    grace_s: int = 30
    sessions_max: int = 20
    step_up_s: int = 300


class Refreshed(Struct, frozen=True, kw_only=True):
    """What a refresh comes to; `session`, if any, is to be stored before anybody is told."""

    session: Session | None = None
    token: RefreshToken | None = None
    refusal: Refusal | None = None


SESSION_ENDED = declare(
    "session_ended",
    RefusalKind.FORBIDDEN,
    en="This session has ended. Log in again.",
    ar="انتهت هذه الجلسة. سجّل الدخول من جديد.",
)
REFRESH_SUPERSEDED = declare(
    "refresh_superseded",
    RefusalKind.CONFLICT,
    en="A newer refresh token is in use. Go on with that one.",
    ar="يوجد رمز تجديد أحدث قيد الاستخدام. تابع به.",
)
UNKNOWN_SESSION = declare(
    "unknown_session",
    RefusalKind.NOT_FOUND,
    en="There is no such session, or it is not yours.",
    ar="لا توجد جلسة بهذا الرقم أو أنها ليست لك.",
)


STEP_UP_NEEDED = declare(
    "step_up_needed",
    RefusalKind.FORBIDDEN,
    en="Prove once more who you are: send a code to `POST /v1/auth/step-up`, and ask again.",
    ar="أثبت هويتك مرة أخرى: أرسل رمزًا إلى `POST /v1/auth/step-up` ثم أعد الطلب.",
)


def begin(session: Session, secret: bytes, rules: SessionRules) -> tuple[Session, RefreshToken]:
    """A session that has just been made, as it is stored first, and its first refresh token."""
    begun = replace(
        session,
        version=1,
        expires_at=_expiry(session, rules, now=session.began_at),
        refresh_digest=digest(secret),
        rotated_at=session.began_at,
    )
    return begun, RefreshToken(session_id=session.id, generation=0, secret=secret)


def refresh(
    session: Session | None, token: RefreshToken, *, nonce: str, rules: SessionRules, now: Instant
) -> Refreshed:
    """Trade a refresh token of ours for the next one.

    The token before is good for the same answer as long as `rules.grace_s`, since an answer may be
    lost. Later it is in two hands, one of them a thief's, and the session ends.
    """
    if session is None or session.ended_at is not None or now >= session.expires_at:
        return Refreshed(refusal=SESSION_ENDED())
    held = digest(token.secret)
    if token.generation == session.generation and _same(held, session.refresh_digest):
        secret = successor(token.secret, nonce)
        rotated = replace(
            session,
            version=session.version + 1,
            generation=session.generation + 1,
            refresh_digest=digest(secret),
            digest_before=session.refresh_digest,
            nonce=nonce,
            rotated_at=now,
            seen_at=now,
            expires_at=_expiry(session, rules, now=now),
        )
        return Refreshed(session=rotated, token=_valid(rotated, secret))
    if now >= session.rotated_at + rules.grace_s * SECOND_MS:
        return Refreshed(session=end(session, SessionEnd.REUSED, now=now), refusal=SESSION_ENDED())
    if token.generation == session.generation - 1 and _same(held, session.digest_before):
        return Refreshed(token=_valid(session, successor(token.secret, session.nonce)))
    # A request that was long on its way while its phone went on: nobody waits for its answer.
    return Refreshed(refusal=REFRESH_SUPERSEDED())


def step_up(session: Session | None, *, now: Instant) -> Session | Refusal:
    """The session after its person has proven once more who he is."""
    if session is None or session.ended_at is not None:
        return SESSION_ENDED()
    return replace(session, version=session.version + 1, stepped_up_at=now)


def objection(
    session: Session | None, role: Role, rules: SessionRules, *, now: Instant
) -> Refusal | None:
    """Why a session may not do now what would help a thief most; its log-in is a proof, too."""
    if session is None or session.ended_at is not None:
        return SESSION_ENDED()
    proven_at = max(session.began_at, session.stepped_up_at)
    if now < proven_at + rules.step_up_s * SECOND_MS:
        return None
    by = "authenticator" if role in STAFF_ROLES else "sms"
    return STEP_UP_NEEDED(by=by, max_age_s=rules.step_up_s)


def end(session: Session, why: SessionEnd, *, now: Instant) -> Session:
    """It is over; what has ended stays as it ended."""
    if session.ended_at is not None:
        return session
    return replace(session, version=session.version + 1, ended_at=now, end=why)


def _valid(session: Session, secret: bytes) -> RefreshToken:
    return RefreshToken(session_id=session.id, generation=session.generation, secret=secret)


def _expiry(session: Session, rules: SessionRules, *, now: Instant) -> Instant:
    return min(now + rules.idle_s * SECOND_MS, session.began_at + rules.life_s * SECOND_MS)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)
