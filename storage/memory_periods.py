"""The in-memory twin of closed periods."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from engine.audit.record import AuditRecord
from engine.kernel.ids import UserId
from engine.kernel.timing import Instant
from engine.money.accounts import AccountKind, Asset, asset_of, kind_of
from engine.money.periods import Closing, Period, PeriodName, Span, Turnover, VatSum
from engine.money.transfers import Transfer
from storage.memory_audit import MemoryAudit
from storage.memory_invoices import MemoryInvoices
from storage.memory_ledger import MemoryLedger


class MemoryPeriods:
    """Satisfies `PeriodStore`."""

    def __init__(
        self, ledger: MemoryLedger, invoices: MemoryInvoices, audit: MemoryAudit | None = None
    ) -> None:
        self._ledger, self._invoices = ledger, invoices
        self._audit = audit or MemoryAudit()
        self._closings: dict[PeriodName, Closing] = {}

    async def close(
        self,
        period: PeriodName,
        *,
        at: Instant,
        by: UserId,
        records: Sequence[AuditRecord] = (),
    ) -> Closing:
        async with self._ledger.books() as books:
            head = await books.head()
        if period not in self._closings:
            self._audit.add(records)
        made = Closing(
            period=period, number=head.number, hash=head.hash, closed_at=at, closed_by=by
        )
        return self._closings.setdefault(period, made)

    async def find_closing(self, period: PeriodName) -> Closing | None:
        return self._closings.get(period)

    async def last_closing(self) -> Closing | None:
        return self._closings[max(self._closings)] if self._closings else None

    async def turnovers(self, of: Span) -> tuple[Turnover, ...]:
        debits, credits_ = (
            Counter[tuple[AccountKind, Asset]](),
            Counter[tuple[AccountKind, Asset]](),
        )
        async with self._ledger.books() as books:
            async for stored in books.entries():
                transfer = msgspec.json.decode(stored.state, type=Transfer)
                if transfer.pending or not of.holds(stored.number, transfer.effective_at):
                    continue
                for leg in transfer.legs:
                    side = credits_ if leg.amount > 0 else debits
                    side[kind_of(leg.account), asset_of(leg.account)] += abs(leg.amount)
        return tuple(
            Turnover(
                kind=kind, asset=asset, debits=debits[kind, asset], credits=credits_[kind, asset]
            )
            for kind, asset in sorted({*debits, *credits_})
        )

    async def vat_sums(self, period: Period) -> tuple[VatSum, ...]:
        issued = [
            one
            for one in self._invoices.issued()
            if period.since <= one.draft.issued_at < period.until
        ]
        return tuple(
            VatSum(
                kind=kind.value,
                documents=len(mine),
                net_halalas=sum(one.net_halalas for one in mine),
                vat_halalas=sum(one.vat_halalas for one in mine),
            )
            for kind in sorted({one.draft.kind for one in issued})
            if (mine := [one for one in issued if one.draft.kind is kind])
        )
