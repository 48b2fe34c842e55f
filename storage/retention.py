"""What has grown old goes: rows whole, or what is personal in them, a part at a time."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol

from engine.kernel.pages import FIRST_ID
from engine.kernel.timing import Instant
from engine.privacy.retention import DELETED, OWN_EXPIRY, Periods, before
from storage.database import Database, Session
from storage.objects import ObjectStore
from storage.personal_data import delete_files, erase_rows
from storage.queries import queries

_AT_ONCE: Final = 2_000
# What of an order is personal stands in these; the order itself stays.
_OF_ORDERS: Final = (
    "answers",
    "waits",
    "offers",
    "events",
    "chat_messages",
    "uploads",
    "payments",
    "order_tokens",
    "orders",
)


class Retention(Protocol):
    """May raise `StoreUnavailable`; what was done until then is done."""

    async def forget_old(self, periods: Periods, *, now: Instant) -> Mapping[str, int]:
        """Let go what is older than its period; how many rows of each table that were."""
        ...


class PostgresRetention:
    """Satisfies `Retention`; of any number of processes one works at a time."""

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self._database, self._objects = database, objects

    async def forget_old(self, periods: Periods, *, now: Instant) -> Mapping[str, int]:
        count: dict[str, int] = {}
        for name in OWN_EXPIRY:
            count[name] = await self._delete(f"remove_expired_{name}", now)
        for name in DELETED:
            count[name] = await self._delete(f"remove_old_{name}", before(periods, name, now=now))
        for name, step in self._steps().items():
            count[name] = await self._redact(name, step, before(periods, name, now=now))
        return {name: rows for name, rows in count.items() if rows}

    async def _delete(self, name: str, limit_at: Instant) -> int:
        count = 0
        while True:
            async with self._database.transaction() as session:
                if not await _has_turn(session):
                    return count
                gone = await session.run(getattr(queries, name), before=limit_at, limit=_AT_ONCE)
            count += gone
            if gone < _AT_ONCE:
                return count

    async def _redact(self, name: str, step: "_Step", limit_at: Instant) -> int:
        """From where it came to the last time; whatever is done twice is done once."""
        count, after = 0, FIRST_ID
        while True:
            async with self._database.transaction() as session:
                if not await _has_turn(session):
                    return count
                mark = await session.value(queries.find_mark, name=name) or 0
                found: tuple[int, int, str] = await step(session, mark, after, limit_at)
                rows, at, after = found
                if rows:
                    await session.run(queries.save_mark, name=name, until=at)
            count += rows
            if rows < _AT_ONCE:
                return count

    def _steps(self) -> "dict[str, _Step]":
        return {
            "orders": partial(_redact_orders, self._objects),
            "gift_links": _redact_links,
            "audit_log": _redact_log,
        }


_Step = Callable[[Session, int, str, Instant], Any]


async def _has_turn(session: Session) -> bool:
    is_mine: bool = await session.value(queries.take_turn, answer_id="retention")
    return is_mine


async def _redact_orders(
    objects: ObjectStore, session: Session, mark: int, after: str, limit_at: Instant
) -> tuple[int, int, str]:
    rows = await session.rows(
        queries.aged_orders, at=mark, after=after, before=limit_at, limit=_AT_ONCE
    )
    if not rows:
        return 0, mark, after
    ids = [row["id"] for row in rows]
    # Nobody's own files: only what was sent about these orders.
    values = {"orders": ids, "things": ids, "user_id": FIRST_ID}
    await delete_files(session, objects, values)
    await erase_rows(session, _OF_ORDERS, values)
    return len(rows), rows[-1]["at"] if len(rows) == _AT_ONCE else limit_at, ids[-1]


async def _redact_links(
    session: Session, mark: int, after: str, limit_at: Instant
) -> tuple[int, int, str]:
    rows = await session.rows(
        queries.aged_gift_links, at=mark, after=after, before=limit_at, limit=_AT_ONCE
    )
    if not rows:
        return 0, mark, after
    ids = [row["id"] for row in rows]
    await erase_rows(session, ("gift_links",), {"gift_links": ids})
    return len(rows), rows[-1]["at"] if len(rows) == _AT_ONCE else limit_at, ids[-1]


async def _redact_log(
    session: Session, mark: int, after: str, limit_at: Instant
) -> tuple[int, int, str]:
    rows = await session.rows(
        queries.aged_audit_records, after=mark, before=limit_at, limit=_AT_ONCE
    )
    if not rows:
        return 0, mark, after
    numbers = [row["number"] for row in rows]
    await session.run(queries.forget_circumstances, numbers=numbers)
    return len(rows), numbers[-1], after
