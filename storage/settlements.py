"""Settlement files that were held against the ledger, and what breaks: PostgreSQL and memory."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from engine.audit.record import AuditRecord
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import SETTLEMENT_BREAKS, SETTLEMENT_RUNS
from engine.money.breaks import UNDECIDED, BreakId, RunId, SettlementBreak, SettlementRun
from engine.money.feeds import SettlementFeed
from storage.audit import save_records
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.memory_audit import MemoryAudit
from storage.queries import queries

# More than this many that nobody has decided are no list to work through but a wrong file.
UNDECIDED_MAX: Final = 10_000


class SettlementStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save_run(self, run: SettlementRun, breaks: Sequence[SettlementBreak]) -> bool:
        """Keep a run with what broke in it, each break in the place of its version before.

        False when somebody else was quicker with one of them: nothing is kept.
        """
        ...

    async def find_run(self, run_id: RunId) -> SettlementRun | None:
        """One by its id."""
        ...

    async def list_runs(self, wanted: Wanted) -> Page[SettlementRun]:
        """A page of them, as `SETTLEMENT_RUNS` says."""
        ...

    async def save_break(
        self, one: SettlementBreak, *, records: Sequence[AuditRecord] = ()
    ) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def find_breaks(self, break_ids: Sequence[BreakId]) -> tuple[SettlementBreak, ...]:
        """Those that there are of these."""
        ...

    async def list_breaks(self, wanted: Wanted) -> Page[SettlementBreak]:
        """A page of them, as `SETTLEMENT_BREAKS` says."""
        ...

    async def list_undecided(self, gateway: str) -> tuple[SettlementBreak, ...]:
        """A gateway's that nobody has decided, `UNDECIDED_MAX` at most."""
        ...

    async def list_due(self, now: Instant, *, limit: int) -> tuple[SettlementBreak, ...]:
        """Those whose write-off is to be entered in the ledger."""
        ...

    async def save_feed(self, feed: SettlementFeed) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def list_feeds(self) -> tuple[SettlementFeed, ...]:
        """Every gateway's that was ever asked, by its name."""
        ...


class _Overtaken(Exception):
    """Somebody else was quicker: nothing of it is kept."""


class PostgresSettlements:
    """Satisfies `SettlementStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_run(self, run: SettlementRun, breaks: Sequence[SettlementBreak]) -> bool:
        try:
            async with self._database.transaction() as session:
                await session.run(queries.save_settlement_run, state=encode(run))
                for one in breaks:
                    await _save(session, one)
        except _Overtaken:
            return False
        return True

    async def find_run(self, run_id: RunId) -> SettlementRun | None:
        state = await self._database.value(queries.find_settlement_run, run_id=known(run_id))
        return None if state is None else msgspec.json.decode(state, type=SettlementRun)

    async def list_runs(self, wanted: Wanted) -> Page[SettlementRun]:
        return await page_in(
            self._database,
            queries.list_settlement_runs,
            SETTLEMENT_RUNS,
            wanted,
            lambda row: msgspec.json.decode(row["state"], type=SettlementRun),
        )

    async def save_break(
        self, one: SettlementBreak, *, records: Sequence[AuditRecord] = ()
    ) -> bool:
        async with self._database.transaction() as session:
            is_saved = await session.run(queries.save_settlement_break, state=encode(one)) == 1
            if is_saved:
                await save_records(session, records)
        return is_saved

    async def find_breaks(self, break_ids: Sequence[BreakId]) -> tuple[SettlementBreak, ...]:
        rows = await self._database.rows(
            queries.find_settlement_breaks, break_ids=[known(one) for one in break_ids]
        )
        return tuple(decode(SettlementBreak, row["state"]) for row in rows)

    async def list_breaks(self, wanted: Wanted) -> Page[SettlementBreak]:
        return await page_in(
            self._database,
            queries.list_settlement_breaks,
            SETTLEMENT_BREAKS,
            wanted,
            lambda row: decode(SettlementBreak, row["state"]),
        )

    async def list_undecided(self, gateway: str) -> tuple[SettlementBreak, ...]:
        rows = await self._database.rows(
            queries.list_undecided_breaks, gateway=gateway, limit=UNDECIDED_MAX
        )
        return tuple(decode(SettlementBreak, row["state"]) for row in rows)

    async def list_due(self, now: Instant, *, limit: int) -> tuple[SettlementBreak, ...]:
        rows = await self._database.rows(queries.list_due_breaks, now=now, limit=limit)
        return tuple(decode(SettlementBreak, row["state"]) for row in rows)

    async def save_feed(self, feed: SettlementFeed) -> bool:
        return await self._database.run(queries.save_settlement_feed, state=encode(feed)) == 1

    async def list_feeds(self) -> tuple[SettlementFeed, ...]:
        rows = await self._database.rows(queries.list_settlement_feeds)
        return tuple(decode(SettlementFeed, row["state"]) for row in rows)

    async def has_feeds(self) -> bool:
        """Whether the schema is new enough: the doctor may come before its migrations."""
        found: bool = await self._database.value(queries.has_settlement_feeds)
        return found


async def _save(session: Session, one: SettlementBreak) -> None:
    if await session.run(queries.save_settlement_break, state=encode(one)) != 1:
        raise _Overtaken


class MemorySettlements:
    """Satisfies `SettlementStore`; nothing in it waits."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._audit = audit or MemoryAudit()
        self._runs: dict[RunId, SettlementRun] = {}
        self._breaks: dict[BreakId, SettlementBreak] = {}
        self._feeds: dict[str, SettlementFeed] = {}

    async def save_run(self, run: SettlementRun, breaks: Sequence[SettlementBreak]) -> bool:
        if not all(self._follows(one) for one in breaks):
            return False
        self._runs.setdefault(run.id, run)
        self._breaks.update({one.id: one for one in breaks})
        return True

    async def find_run(self, run_id: RunId) -> SettlementRun | None:
        return self._runs.get(run_id)

    async def list_runs(self, wanted: Wanted) -> Page[SettlementRun]:
        return SETTLEMENT_RUNS.page(self._runs.values(), wanted)

    async def save_break(
        self, one: SettlementBreak, *, records: Sequence[AuditRecord] = ()
    ) -> bool:
        if not self._follows(one):
            return False
        self._breaks[one.id] = one
        self._audit.add(records)
        return True

    async def find_breaks(self, break_ids: Sequence[BreakId]) -> tuple[SettlementBreak, ...]:
        return tuple(self._breaks[one] for one in break_ids if one in self._breaks)

    async def list_breaks(self, wanted: Wanted) -> Page[SettlementBreak]:
        return SETTLEMENT_BREAKS.page(self._breaks.values(), wanted)

    async def list_undecided(self, gateway: str) -> tuple[SettlementBreak, ...]:
        mine = (one for one in self._breaks.values() if one.gateway == gateway)
        undecided = (one for one in mine if one.status in UNDECIDED)
        return tuple(sorted(undecided, key=lambda one: one.id)[:UNDECIDED_MAX])

    async def list_due(self, now: Instant, *, limit: int) -> tuple[SettlementBreak, ...]:
        due = [one for one in self._breaks.values() if one.due_at is not None and one.due_at <= now]
        return tuple(sorted(due, key=lambda one: (one.due_at, one.id))[:limit])

    async def save_feed(self, feed: SettlementFeed) -> bool:
        last = self._feeds.get(feed.gateway)
        if feed.version != (last.version if last else 0) + 1:
            return False
        self._feeds[feed.gateway] = feed
        return True

    async def list_feeds(self) -> tuple[SettlementFeed, ...]:
        return tuple(self._feeds[one] for one in sorted(self._feeds))

    def _follows(self, one: SettlementBreak) -> bool:
        last = self._breaks.get(one.id)
        return one.version == (last.version if last else 0) + 1
