"""The in-memory twin of issued invoices."""

from collections import defaultdict
from collections.abc import Sequence

from engine.audit.record import AuditRecord
from engine.invoices.invoice import Chain, Draft, Invoice, InvoiceId, InvoiceKind
from engine.kernel.ids import OrderId
from engine.kernel.refusals import Refusal
from storage.invoices import Issue
from storage.memory_audit import MemoryAudit


class MemoryInvoices:
    """Satisfies `InvoiceStore`; nothing in it waits, so one is issued at a time."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._audit = audit or MemoryAudit()
        self._by_id: dict[InvoiceId, Invoice] = {}
        self._chains: dict[str, list[Invoice]] = defaultdict(list)
        self._by_cause: dict[str, Invoice] = {}
        self._prints: dict[InvoiceId, bytes] = {}

    async def issue(
        self, unit: str, draft: Draft, issue: Issue, *, records: Sequence[AuditRecord] = ()
    ) -> Invoice | Refusal:
        if draft.cause in self._by_cause:
            return self._by_cause[draft.cause]
        made = issue(self._end_of(unit, draft.original_id))
        if isinstance(made, Invoice):
            self._by_id[made.id] = self._by_cause[draft.cause] = made
            self._chains[unit].append(made)
            self._audit.add(records)
        return made

    async def find(self, invoice_id: InvoiceId) -> Invoice | None:
        return self._by_id.get(invoice_id)

    async def list_of(self, order_id: OrderId) -> tuple[Invoice, ...]:
        return tuple(one for one in self._by_id.values() if one.draft.order_id == order_id)

    async def list_chain(self, unit: str, *, after: int, limit: int) -> tuple[Invoice, ...]:
        return tuple(self._chains[unit][after : after + limit])

    async def find_print(self, invoice_id: InvoiceId) -> bytes | None:
        return self._prints.get(invoice_id)

    async def save_print(self, invoice_id: InvoiceId, pdf: bytes) -> None:
        self._prints.setdefault(invoice_id, pdf)

    def _end_of(self, unit: str, original_id: InvoiceId | None) -> Chain:
        chain, end = self._chains[unit], Chain(unit=unit)
        if chain:
            end = Chain(unit=unit, counter=chain[-1].counter, hash=chain[-1].hash)
        if original_id is None:
            return end
        credited = sum(
            one.payable_halalas
            for one in self._by_id.values()
            if one.draft.original_id == original_id and one.draft.kind is InvoiceKind.CREDIT_NOTE
        )
        return Chain(
            unit=unit,
            counter=end.counter,
            hash=end.hash,
            original=self._by_id.get(original_id),
            credited_halalas=credited,
        )
