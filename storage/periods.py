"""Closed periods, and what the ledger and the invoices of a period come to."""

from collections.abc import Sequence
from typing import Protocol

import asyncpg

from engine.audit.record import AuditRecord
from engine.kernel.ids import UserId
from engine.kernel.timing import Instant
from engine.money.accounts import AccountKind, Asset
from engine.money.periods import Closing, Period, PeriodName, Span, Turnover, VatSum
from storage.audit import save_records
from storage.database import Database
from storage.queries import queries


class PeriodStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def close(
        self,
        period: PeriodName,
        *,
        at: Instant,
        by: UserId,
        records: Sequence[AuditRecord] = (),
    ) -> Closing:
        """Close a period where the ledger ends now; one that is closed stays as it is."""
        ...

    async def find_closing(self, period: PeriodName) -> Closing | None:
        """How a period was closed; None while it is open."""
        ...

    async def last_closing(self) -> Closing | None:
        """The last closed period."""
        ...

    async def turnovers(self, of: Span) -> tuple[Turnover, ...]:
        """What was posted in a period, by kind of account."""
        ...

    async def vat_sums(self, period: Period) -> tuple[VatSum, ...]:
        """What was invoiced in a period, by kind of document."""
        ...


class PostgresPeriods:
    """Satisfies `PeriodStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(
        self,
        period: PeriodName,
        *,
        at: Instant,
        by: UserId,
        records: Sequence[AuditRecord] = (),
    ) -> Closing:
        async with self._database.transaction() as session:
            count = await session.run(
                queries.close_period, period=period, closed_at=at, closed_by=by
            )
            if count:
                await save_records(session, records)
            (row,) = await session.rows(queries.find_closing, period=period)
        return _closing(row)

    async def find_closing(self, period: PeriodName) -> Closing | None:
        rows = await self._database.rows(queries.find_closing, period=period)
        return _closing(rows[0]) if rows else None

    async def last_closing(self) -> Closing | None:
        rows = await self._database.rows(queries.last_closing)
        return _closing(rows[0]) if rows else None

    async def turnovers(self, of: Span) -> tuple[Turnover, ...]:
        rows = await self._database.rows(
            queries.turnovers, since=of.since, until=of.until, first=of.first, last=of.last
        )
        return tuple(
            Turnover(
                kind=AccountKind(row["kind"]),
                asset=Asset(row["asset"]),
                debits=row["debits"],
                credits=row["credits"],
            )
            for row in rows
        )

    async def vat_sums(self, period: Period) -> tuple[VatSum, ...]:
        rows = await self._database.rows(queries.vat_sums, since=period.since, until=period.until)
        return tuple(VatSum(**dict(row)) for row in rows)


def _closing(row: asyncpg.Record) -> Closing:
    return Closing(
        period=PeriodName(row["period"]),
        number=row["number"],
        hash=row["hash"],
        closed_at=row["closed_at"],
        closed_by=UserId(str(row["closed_by"])),
    )
