"""What somebody may ask about his own data, by PDPL and GDPR: all of it, or that it goes."""

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.kernel.messages import Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, HOUR_MS, Instant

PrivacyRequestId = NewType("PrivacyRequestId", str)
# Both laws give a month.
ANSWER_MS: Final = 30 * DAY_MS
LOOK_AGAIN_MS: Final = HOUR_MS


class RequestKind(StrEnum):
    """What is asked for."""

    EXPORT = "export"
    ERASURE = "erasure"


class RequestStatus(StrEnum):
    """How far a request has come."""

    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Unfinished(StrEnum):
    """What must come to its end before somebody can be erased."""

    ORDERS = "orders"
    GIFTS = "gifts"
    DUTY = "duty"
    GIFT_LINKS = "gift_links"
    BALANCE = "balance"


class PrivacyRequest(Thing, frozen=True, kw_only=True):
    """`due_at` is when it is to be carried out, `answer_by` until when by law.

    `phone` is that of somebody who has no account with us (a recipient) and leaves with the answer;
    `waits_for` is what stood in the way at the last try.
    """

    id: PrivacyRequestId
    version: int = 1
    user_id: UserId
    kind: RequestKind
    asked_by: UserId
    asked_at: Instant
    due_at: Instant
    phone: str = ""
    status: RequestStatus = RequestStatus.OPEN
    waits_for: tuple[Unfinished, ...] = ()
    ended_at: Instant | None = None

    @property
    def answer_by(self) -> Instant:
        """The last moment by law."""
        return self.asked_at + ANSWER_MS

    @property
    def is_open(self) -> bool:
        """Whether it is still to be carried out."""
        return self.status is RequestStatus.OPEN


class PrivacyRules(Struct, frozen=True, kw_only=True):
    """How long an erasure can be withdrawn, and an export fetched."""

    grace_ms: int
    fetch_ms: int


NO_OPEN_REQUEST = declare(
    "no_open_request",
    RefusalKind.NOT_FOUND,
    en="There is no such request that is still open.",
    ar="لا يوجد طلب مفتوح كهذا.",
)
UNKNOWN_PERSON = declare(
    "unknown_person",
    RefusalKind.NOT_FOUND,
    en="We know nobody of this id.",
    ar="لا نعرف أحدًا بهذا الرقم.",
)
EXPORT_GONE = declare(
    "export_gone",
    RefusalKind.GONE,
    en="This export was removed. Ask for a new one.",
    ar="حُذف هذا التصدير. اطلب تصديرًا جديدًا.",
)


def ask(
    request_id: PrivacyRequestId,
    user_id: UserId,
    kind: RequestKind,
    rules: PrivacyRules,
    *,
    by: UserId,
    now: Instant,
    phone: str = "",
) -> PrivacyRequest:
    """A new request: an account can be kept after all for a while, all else is done at once."""
    waits = kind is RequestKind.ERASURE and not phone
    return PrivacyRequest(
        id=request_id,
        user_id=user_id,
        kind=kind,
        asked_by=by,
        asked_at=now,
        due_at=now + rules.grace_ms if waits else now,
        phone=phone,
    )


def withdraw(request: PrivacyRequest | None, *, now: Instant) -> PrivacyRequest | Refusal:
    """He thought better of it."""
    if request is None or not request.is_open:
        return NO_OPEN_REQUEST()
    return _ended(request, RequestStatus.WITHDRAWN, now)


def put_off(
    request: PrivacyRequest, waits_for: tuple[Unfinished, ...], *, now: Instant
) -> PrivacyRequest:
    """Something is to come to its end first."""
    return replace(
        request, version=request.version + 1, waits_for=waits_for, due_at=now + LOOK_AGAIN_MS
    )


def finish(request: PrivacyRequest, *, now: Instant) -> PrivacyRequest:
    """It is carried out."""
    return _ended(request, RequestStatus.DONE, now)


def _ended(request: PrivacyRequest, status: RequestStatus, now: Instant) -> PrivacyRequest:
    return replace(
        request,
        version=request.version + 1,
        status=status,
        ended_at=now,
        phone="",
        waits_for=(),
    )
