"""What is answered about settlement files and what breaks."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec import to_builtins

from api.answer import Answer, PageAnswer
from engine.kernel.timing import DAY_MS, Instant
from engine.money.breaks import BreakStatus, SettlementBreak, SettlementRun
from engine.money.feeds import SettlementFeed, begin, is_overdue
from engine.money.reconciliation import Break, BreakKind

LINES_MAX = 1_000


class BreakFound(Answer):
    """What does not match, of a dry run."""

    kind: BreakKind
    about: str
    file_halalas: int
    ledger_halalas: int
    age_days: int


class RunShown(Answer):
    """A settlement file that was held against the ledger.

    Of a dry run, which keeps nothing, `found` are the oldest breaks; else they are listed.
    """

    run_id: str
    gateway: str
    name: str
    is_dry: bool
    made_at: int
    made_by: str
    lines: int
    matches: int
    breaks: int
    settled_halalas: int
    found: list[BreakFound]


class RunsShown(PageAnswer):
    """A page of runs, the newest first."""

    runs: list[RunShown]


class FeedShown(Answer):
    """How far a gateway's settlements were fetched; null until it was asked for the first time.

    `is_on` is whether it is asked by itself here; `why` is what failed since `failed_at`.
    """

    gateway: str
    is_on: bool
    is_overdue: bool
    fetched_until: int | None
    fetched_at: int | None
    failed_at: int | None
    tries: int
    why: str


class FeedsShown(Answer):
    """Every gateway that is asked for its settlements, or was."""

    feeds: list[FeedShown]


class LineOfFile(Answer):
    """A line of a settlement file: taken for us above zero, given back below."""

    reference: str
    row: int
    halalas: int
    fee_halalas: int
    fee_vat_halalas: int


class ItemOfLedger(Answer):
    """The same by the ledger."""

    transfer_id: str
    halalas: int
    at: int


class BreakShown(Answer):
    """What a file and the ledger do not agree on, and what became of it."""

    break_id: str
    gateway: str
    about: str
    kind: BreakKind
    status: BreakStatus
    file_halalas: int
    ledger_halalas: int
    age_days: int
    run_id: str
    since_at: int
    asked_by: str | None
    note: str
    decided_by: str | None
    closed_at: int | None


class BreakLinesShown(BreakShown):
    """A break with what is in it, at most 1,000 of each."""

    lines: list[LineOfFile]
    items: list[ItemOfLedger]


class BreaksShown(PageAnswer):
    """A page of breaks, the oldest first."""

    breaks: list[BreakShown]


def feeds_shown(
    feeds: Iterable[SettlementFeed], asked: Collection[str], now: Instant
) -> list[dict[str, Any]]:
    """What is kept of each gateway, and those that were not asked yet."""
    kept = {one.gateway: one for one in feeds}
    return [
        _feed(name, kept.get(name), now, is_on=name in asked) for name in sorted({*kept, *asked})
    ]


def run_shown(
    run: SettlementRun, *, is_dry: bool = False, found: tuple[Break, ...] = ()
) -> dict[str, Any]:
    """A run; its breaks only when they are kept nowhere."""
    told = to_builtins(run)
    return {
        "run_id": run.id,
        "is_dry": is_dry,
        **{name: told[name] for name in _RUN},
        "found": _told(BreakFound, found),
    }


def break_shown(one: SettlementBreak, now: Instant) -> dict[str, Any]:
    """A break as it is listed."""
    return {
        "break_id": one.id,
        "age_days": max(0, ((one.closed_at or now) - one.since_at) // DAY_MS),
        **{name: getattr(one, name) for name in _BREAK},
    }


def lines_shown(one: SettlementBreak, now: Instant) -> dict[str, Any]:
    """A break with its lines and items."""
    return {
        **break_shown(one, now),
        "lines": _told(LineOfFile, one.lines),
        "items": _told(ItemOfLedger, one.items),
    }


def _feed(
    gateway: str, feed: SettlementFeed | None, now: Instant, *, is_on: bool
) -> dict[str, Any]:
    found = feed or begin(gateway, now)
    return {
        "gateway": gateway,
        "is_on": is_on,
        "is_overdue": is_on and is_overdue(found, now=now),
        "fetched_until": None if feed is None else feed.fetched_until,
        **{name: getattr(found, name) for name in ("fetched_at", "failed_at", "tries", "why")},
    }


def _told(shown: type[Answer], rows: Sequence[object]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in shown.model_fields} for row in rows[:LINES_MAX]]


_RUN = tuple(one for one in RunShown.model_fields if one not in {"run_id", "is_dry", "found"})
_BREAK = tuple(one for one in BreakShown.model_fields if one not in {"break_id", "age_days"})
