"""The in-memory twin of the audit log."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from engine.audit.chain import Head, StoredRecord, digest, seal
from engine.audit.record import AuditRecord
from engine.kernel.pages import Page, Wanted
from engine.listings import AUDIT_LOG
from storage.audit import AuditBooks
from storage.kinds import encode


class MemoryAudit:
    """Satisfies `AuditStore`; nothing in it waits, and its salt is no secret."""

    def __init__(self) -> None:
        self._kept: list[StoredRecord] = []

    def add(self, records: Sequence[AuditRecord]) -> None:
        """What the other stores in memory do with the records of what they change."""
        for one in records:
            entry, told = encode(one.act).decode(), encode(one.circumstances).decode()
            digested = digest("salt", told)
            end = seal(self._head(), digested, entry)
            self._kept.append(
                StoredRecord(
                    number=end.number,
                    entry=entry,
                    salt="salt",
                    circumstances=told,
                    digest=digested,
                    hash=end.hash,
                )
            )

    async def record(self, records: Sequence[AuditRecord]) -> None:
        self.add(records)

    async def list_records(self, wanted: Wanted) -> Page[StoredRecord]:
        return AUDIT_LOG.page(self._kept, wanted)

    @asynccontextmanager
    async def books(self) -> AsyncIterator[AuditBooks]:
        yield _Books(self._head(), tuple(self._kept))

    def _head(self) -> Head:
        return Head(self._kept[-1].number, self._kept[-1].hash) if self._kept else Head()


class _Books:
    def __init__(self, head: Head, kept: tuple[StoredRecord, ...]) -> None:
        self._head = head
        self._kept = kept

    async def head(self) -> Head:
        return self._head

    async def records(self) -> AsyncIterator[StoredRecord]:
        for one in self._kept:
            yield one
