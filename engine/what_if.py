"""An operator's question what other parameters would have done, from its asking to its answer."""

from enum import StrEnum
from typing import Any, Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import UserId, ZoneId
from engine.kernel.messages import Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant

WhatIfId = NewType("WhatIfId", str)


class WhatIfStatus(StrEnum):
    """Where a what-if stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


OPEN: Final = frozenset({WhatIfStatus.QUEUED, WhatIfStatus.RUNNING})


class Asked(Struct, frozen=True, kw_only=True):
    """What is to be tried: `tried` against `in_force` on the orders from `since` to `until`.

    `runs` is how often the hours are lived with each, `leading` the metric that is to decide.
    """

    zone_id: ZoneId
    author: UserId
    at: Instant
    fingerprint: str
    since: Instant
    until: Instant
    runs: int
    leading: str
    in_force: ZoneParameters
    tried: ZoneParameters


class WhatIf(Thing, frozen=True, kw_only=True):
    """One question; `seen_at` is the last sign of life of whoever works on it.

    `done` of `total` days were lived. `result` is there when it is done, `problem` tells in words
    why it failed.
    """

    id: WhatIfId
    asked: Asked
    status: WhatIfStatus = WhatIfStatus.QUEUED
    seen_at: Instant
    done: int = 0
    total: int = 0
    started_at: Instant | None = None
    ended_at: Instant | None = None
    result: dict[str, Any] | None = None
    problem: str = ""

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.status in OPEN


UNKNOWN_WHAT_IF = declare(
    "unknown_what_if",
    RefusalKind.NOT_FOUND,
    en="There is no such what-if in this zone.",
    ar="لا توجد تجربة «ماذا لو» بهذا الرقم في هذه المنطقة.",
)
WHAT_IF_ENDED = declare(
    "what_if_ended",
    RefusalKind.CONFLICT,
    en="This what-if has ended already.",
    ar="انتهت تجربة «ماذا لو» هذه بالفعل.",
)
TOO_MANY_WHAT_IFS = declare(
    "too_many_what_ifs",
    RefusalKind.TOO_MANY,
    en="Too many what-ifs wait already. Try again when some have ended.",
    ar="تنتظر تجارب «ماذا لو» كثيرة بالفعل. حاول عند انتهاء بعضها.",
)
NOTHING_TO_REPLAY = declare(
    "nothing_to_replay",
    RefusalKind.CONFLICT,
    en="There were no orders or no couriers in these hours. Choose more hours.",
    ar="لم تكن هناك طلبات أو مندوبون في هذه الساعات. اختر ساعات أكثر.",
)
TOO_MUCH_TO_REPLAY = declare(
    "too_much_to_replay",
    RefusalKind.INVALID,
    en="There were too many orders in these hours. Choose fewer hours.",
    ar="كانت الطلبات في هذه الساعات كثيرة جدًا. اختر ساعات أقل.",
)
SAME_PARAMETERS = declare(
    "same_parameters",
    RefusalKind.INVALID,
    en="These are the parameters in force; there is nothing to compare.",
    ar="هذه هي المعاملات السارية؛ لا شيء للمقارنة.",
)


def ask(what_if_id: WhatIfId, asked: Asked, *, now: Instant) -> WhatIf:
    """A new question, which waits for its turn."""
    return WhatIf(version=1, id=what_if_id, asked=asked, seen_at=now, total=2 * asked.runs)


def alive(what_if: WhatIf, *, now: Instant, done: int | None = None) -> WhatIf:
    """Somebody still works on it, or waits with it; `done` days were lived by now."""
    assert what_if.is_open
    return _next(what_if, seen_at=now, done=what_if.done if done is None else done)


def start(what_if: WhatIf, *, now: Instant) -> WhatIf:
    """Its turn has come."""
    assert what_if.status is WhatIfStatus.QUEUED
    return _next(what_if, status=WhatIfStatus.RUNNING, seen_at=now, started_at=now)


def finish(what_if: WhatIf, result: dict[str, Any], *, now: Instant) -> WhatIf:
    """It is answered."""
    assert what_if.status is WhatIfStatus.RUNNING
    return _ended(what_if, WhatIfStatus.DONE, now, result=result, done=what_if.total)


def fail(what_if: WhatIf, problem: str, *, now: Instant) -> WhatIf:
    """It cannot be answered."""
    assert what_if.is_open
    return _ended(what_if, WhatIfStatus.FAILED, now, problem=problem)


def cancel(what_if: WhatIf, *, now: Instant) -> WhatIf | Refusal:
    """Nobody wants to know any more; the same again changes nothing."""
    if what_if.status is WhatIfStatus.CANCELLED:
        return what_if
    if not what_if.is_open:
        return WHAT_IF_ENDED(status=what_if.status.value)
    return _ended(what_if, WhatIfStatus.CANCELLED, now)


def interrupt(what_if: WhatIf, *, now: Instant) -> WhatIf:
    """Whoever worked on it has gone."""
    assert what_if.is_open
    problem = "The service stopped while this was under way. Ask again."
    return _ended(what_if, WhatIfStatus.INTERRUPTED, now, problem=problem)


def is_abandoned(what_if: WhatIf, *, now: Instant, patience_ms: int) -> bool:
    """Whether it is open and nobody has given a sign of life for so long."""
    return what_if.is_open and what_if.seen_at + patience_ms < now


def _ended(what_if: WhatIf, status: WhatIfStatus, now: Instant, **fields: object) -> WhatIf:
    return _next(what_if, status=status, seen_at=now, ended_at=now, **fields)


def _next(what_if: WhatIf, **fields: object) -> WhatIf:
    return replace(what_if, version=what_if.version + 1, **fields)
