"""A list that is written into a file meanwhile: from its asking to the hour in which it goes."""

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Thing
from engine.kernel.pages import Wanted
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, MINUTE_MS, Instant

SheetId = NewType("SheetId", str)
ROWS_MAX: Final = 200_000
OPEN_MAX: Final = 3
TRIES_MAX: Final = 3
KEPT_MS: Final = DAY_MS
# Whoever writes says so with every part; who says nothing for so long has died.
LEASE_MS: Final = MINUTE_MS
_AGAIN_MS: Final = MINUTE_MS


class SheetKind(StrEnum):
    """Which list."""

    ORDERS = "orders"
    ORDER_SEARCH = "order_search"
    PAST_WORK = "past_work"
    PAYMENTS = "payments"
    PAYMENT_SEARCH = "payment_search"
    PAYMENT_HISTORY = "payment_history"


class SheetStatus(StrEnum):
    """How far it is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN: Final = frozenset({SheetStatus.QUEUED, SheetStatus.RUNNING})


class AskedSheet(Struct, frozen=True, kw_only=True):
    """Whose list, in which order and with which filters; `beside` are those of no column."""

    kind: SheetKind
    by: Caller
    at: Instant
    wanted: Wanted
    beside: dict[str, int | str] = {}

    def is_same(self, other: "AskedSheet") -> bool:
        """Whether the same was asked, whenever."""
        return replace(self, at=other.at, by=other.by) == other


class Sheet(Thing, frozen=True, kw_only=True):
    """`rows` were written, which is so much `percent` of the way through the list.

    `due_at` is when somebody may take it on; none while it is over. `is_whole` is False of one
    that ends at `ROWS_MAX` rows. The file goes at `expires_at`.
    """

    id: SheetId
    version: int = 1
    asked: AskedSheet
    status: SheetStatus = SheetStatus.QUEUED
    rows: int = 0
    percent: int = 0
    tries: int = 0
    due_at: Instant | None
    is_whole: bool = True
    problem: str = ""
    ended_at: Instant | None = None
    expires_at: Instant | None = None

    @property
    def user_id(self) -> UserId:
        """Whose it is."""
        return self.asked.by.user_id

    @property
    def is_open(self) -> bool:
        """Whether a file may still come of it."""
        return self.status in OPEN


UNKNOWN_SHEET = declare(
    "unknown_sheet",
    RefusalKind.NOT_FOUND,
    en="You have no such sheet.",
    ar="ليس لديك جدول بهذا الرقم.",
)
SHEET_ENDED = declare(
    "sheet_ended",
    RefusalKind.CONFLICT,
    en="This sheet has been finished already.",
    ar="انتهى إعداد هذا الجدول بالفعل.",
)
SHEET_GONE = declare(
    "sheet_gone",
    RefusalKind.GONE,
    en="This sheet was removed. Ask for a new one.",
    ar="حُذف هذا الجدول. اطلب جدولًا جديدًا.",
)
TOO_MANY_SHEETS = declare(
    "too_many_sheets",
    RefusalKind.TOO_MANY,
    en="Three of your sheets are being written already. Try again when one is done.",
    ar="يجري إعداد ثلاثة جداول لك بالفعل. حاول عند اكتمال أحدها.",
)


def ask(sheet_id: SheetId, asked: AskedSheet) -> Sheet:
    """A new one, which waits for whoever writes it."""
    return Sheet(id=sheet_id, asked=asked, due_at=asked.at)


def take(sheet: Sheet, *, now: Instant) -> Sheet:
    """Somebody begins to write it, from the first row."""
    assert sheet.is_open
    return _next(
        sheet,
        status=SheetStatus.RUNNING,
        tries=sheet.tries + 1,
        rows=0,
        percent=0,
        due_at=now + LEASE_MS,
    )


def is_deadly(sheet: Sheet) -> bool:
    """Whether each process that began to write it has gone without a word."""
    return sheet.status is SheetStatus.RUNNING and sheet.tries >= TRIES_MAX


def go_on(sheet: Sheet, *, rows: int, percent: int, now: Instant) -> Sheet:
    """So much of it is written by now."""
    assert sheet.status is SheetStatus.RUNNING
    return _next(sheet, rows=rows, percent=percent, due_at=now + LEASE_MS)


def finish(sheet: Sheet, *, rows: int, is_whole: bool, now: Instant) -> Sheet:
    """The file is there."""
    assert sheet.status is SheetStatus.RUNNING
    ended = _ended(sheet, SheetStatus.DONE, now)
    return replace(ended, rows=rows, percent=100, is_whole=is_whole)


def fail(sheet: Sheet, problem: str, *, now: Instant) -> Sheet:
    """It was not written; somebody tries again, a few times."""
    assert sheet.status is SheetStatus.RUNNING
    if sheet.tries < TRIES_MAX:
        return _next(sheet, status=SheetStatus.QUEUED, due_at=now + _AGAIN_MS, problem=problem)
    return replace(_ended(sheet, SheetStatus.FAILED, now), problem=problem)


def cancel(sheet: Sheet, *, now: Instant) -> Sheet | Refusal:
    """Nobody wants it any more; the same again changes nothing."""
    if sheet.status is SheetStatus.CANCELLED:
        return sheet
    if not sheet.is_open:
        return SHEET_ENDED(status=sheet.status.value)
    return _ended(sheet, SheetStatus.CANCELLED, now)


def percent_of(first: int, here: int, last: int) -> int:
    """How far from the first to the last key of a list one has come, if not at its end."""
    whole = abs(last - first)
    return min(99, 100 * abs(here - first) // whole) if whole else 0


def _ended(sheet: Sheet, status: SheetStatus, now: Instant) -> Sheet:
    return _next(sheet, status=status, due_at=None, ended_at=now, expires_at=now + KEPT_MS)


def _next(sheet: Sheet, **fields: object) -> Sheet:
    return replace(sheet, version=sheet.version + 1, **fields)
