"""The audit log: the port, and how whoever changes something records it in his transaction."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import asyncpg
from msgspec import Struct

from engine.audit.chain import Head, StoredRecord
from engine.audit.record import Act, AuditRecord, Circumstances
from engine.kernel.ids import UserId
from engine.kernel.pages import Key, Page, Wanted, page_of
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.queries import queries

PAGE: Final = 1_000
LAST_NUMBER: Final = 2**63 - 1


class AuditFilter(Struct, frozen=True, kw_only=True):
    """About this subject, by this actor; None is any."""

    subject: str | None = None
    actor: UserId | None = None


ANY_RECORD: Final = AuditFilter()


class AuditBooks(Protocol):
    """The whole log as it was at one moment."""

    async def head(self) -> Head:
        """The end of the chain, as the store has it."""
        ...

    def records(self) -> AsyncIterator[StoredRecord]:
        """All records in their order."""
        ...


class AuditStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def record(self, records: Sequence[AuditRecord]) -> None:
        """Add records of what changes nothing else that is stored."""
        ...

    async def list_records(
        self, wanted: Wanted, only: AuditFilter = ANY_RECORD
    ) -> Page[StoredRecord]:
        """A page of the log, by number."""
        ...

    def books(self) -> AbstractAsyncContextManager[AuditBooks]:
        """The log for whoever verifies it."""
        ...


class PostgresAudit:
    """Satisfies `AuditStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, records: Sequence[AuditRecord]) -> None:
        async with self._database.session() as session:
            await save_records(session, records)

    async def list_records(
        self, wanted: Wanted, only: AuditFilter = ANY_RECORD
    ) -> Page[StoredRecord]:
        down = wanted.goes_down
        (number,) = wanted.beyond or (LAST_NUMBER if down else 0,)
        rows = await self._database.rows(
            queries.list_audit_down if down else queries.list_audit_up,
            number=number,
            subject=only.subject,
            actor=None if only.actor is None else known(only.actor),
            # One more than asked for tells whether there is another page.
            limit=wanted.limit + 1,
        )
        return page_of([_stored(row) for row in rows], wanted)

    @asynccontextmanager
    async def books(self) -> AsyncIterator[AuditBooks]:
        async with self._database.snapshot() as session:
            yield _Books(session)


async def save_records(session: Session, records: Sequence[AuditRecord]) -> None:
    """Add records as the last step of a transaction, for the log is its own until it ends."""
    if records:
        await session.run(
            queries.save_audit,
            entries=[encode(one.act).decode() for one in records],
            circumstances=[encode(one.circumstances).decode() for one in records],
        )


def record_of(stored: StoredRecord) -> tuple[Act, Circumstances | None]:
    """What a stored record tells; None for circumstances that were forgotten."""
    told = stored.circumstances
    circumstances = None if told is None else decode(Circumstances, told.encode())
    return decode(Act, stored.entry.encode()), circumstances


def numbered(record: StoredRecord) -> Key:
    """Where a record stands in the log."""
    return (record.number,)


class _Books:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def head(self) -> Head:
        (row,) = await self._session.rows(queries.audit_head)
        return Head(row["number"], row["hash"])

    async def records(self) -> AsyncIterator[StoredRecord]:
        after = 0
        while rows := await self._session.rows(queries.audit_page, after=after, limit=PAGE):
            for row in rows:
                yield _stored(row)
            after = rows[-1]["number"]


def _stored(row: asyncpg.Record) -> StoredRecord:
    return StoredRecord(**row)
