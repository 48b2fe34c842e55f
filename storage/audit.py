"""The audit log: the port, and how whoever changes something records it in his transaction."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import asyncpg

from engine.audit.chain import Head, StoredRecord
from engine.audit.record import Act, AuditRecord, Circumstances
from engine.kernel.pages import Page, Wanted
from engine.listings import AUDIT_LOG
from storage.database import Database, Session
from storage.kinds import decode, encode
from storage.listed import page_in
from storage.queries import queries

PAGE: Final = 1_000


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

    async def list_records(self, wanted: Wanted) -> Page[StoredRecord]:
        """A page of the log, as `AUDIT_LOG` says."""
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

    async def list_records(self, wanted: Wanted) -> Page[StoredRecord]:
        return await page_in(self._database, queries.list_audit, AUDIT_LOG, wanted, _stored)

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
    return stored.act, None if told is None else decode(Circumstances, told.encode())


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
