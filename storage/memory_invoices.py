"""The in-memory twin of issued invoices."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from engine.audit.record import AuditRecord
from engine.invoices.buyer import Buyer
from engine.invoices.invoice import Chain, Draft, Invoice, InvoiceId, InvoiceKind
from engine.invoices.printing import DuePrint, awaited
from engine.invoices.submission import Submission, opened
from engine.kernel.ids import OrderId, UserId
from engine.kernel.pages import Page, Wanted
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.listings import SUBMISSIONS
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
        self._due_prints: dict[InvoiceId, DuePrint] = {}
        self._submissions: dict[InvoiceId, Submission] = {}
        self._buyers: dict[UserId, Buyer] = {}

    async def issue(
        self, unit: str, draft: Draft, issue: Issue, *, records: Sequence[AuditRecord] = ()
    ) -> Invoice | Refusal:
        if draft.cause in self._by_cause:
            return self._by_cause[draft.cause]
        made = issue(self._end_of(unit, draft.original_id))
        if isinstance(made, Invoice):
            self._by_id[made.id] = self._by_cause[draft.cause] = made
            self._chains[unit].append(made)
            self._submissions[made.id] = opened(made)
            self._due_prints[made.id] = awaited(made)
            self._audit.add(records)
        return made

    async def find(self, invoice_id: InvoiceId) -> Invoice | None:
        return self._by_id.get(invoice_id)

    async def find_caused(self, causes: Iterable[str]) -> dict[str, Invoice]:
        return {one: self._by_cause[one] for one in causes if one in self._by_cause}

    async def list_of(self, order_id: OrderId) -> tuple[Invoice, ...]:
        return tuple(one for one in self._by_id.values() if one.draft.order_id == order_id)

    def issued(self) -> tuple[Invoice, ...]:
        """Every document."""
        return tuple(self._by_id.values())

    async def list_chain(self, unit: str, *, after: int, limit: int) -> tuple[Invoice, ...]:
        return tuple(self._chains[unit][after : after + limit])

    async def find_print(self, invoice_id: InvoiceId) -> bytes | None:
        return self._prints.get(invoice_id)

    async def save_print(self, invoice_id: InvoiceId, pdf: bytes) -> None:
        self._prints.setdefault(invoice_id, pdf)
        self._due_prints.pop(invoice_id, None)

    async def list_due_prints(self, now: Instant, *, limit: int) -> tuple[DuePrint, ...]:
        found = (one for one in self._due_prints.values() if one.due_at <= now)
        return tuple(sorted(found, key=lambda one: (one.due_at, one.id))[:limit])

    async def save_due_print(self, print_: DuePrint) -> bool:
        before = self._due_prints.get(print_.id)
        is_next = before is not None and print_.version == before.version + 1
        if is_next:
            self._due_prints[print_.id] = print_
        return is_next

    async def drop_due_print(self, invoice_id: InvoiceId) -> None:
        self._due_prints.pop(invoice_id, None)

    async def find_submissions(self, ids: Iterable[InvoiceId]) -> dict[InvoiceId, Submission]:
        return {one: self._submissions[one] for one in ids if one in self._submissions}

    async def save_submission(self, submission: Submission) -> bool:
        before = self._submissions[submission.id]
        is_next = submission.version == before.version + 1
        if is_next:
            self._submissions[submission.id] = submission
        return is_next

    async def list_due_submissions(self, now: Instant, *, limit: int) -> tuple[Submission, ...]:
        every = self._submissions.values()
        due = (one for one in every if one.due_at is not None and one.due_at <= now)
        return tuple(sorted(due, key=lambda one: (one.unit, one.counter))[:limit])

    async def oldest_not_sent(self) -> Instant | None:
        waiting = (one for one in self._submissions.values() if one.due_at is not None)
        return min((one.issued_at for one in waiting), default=None)

    async def list_submissions(self, wanted: Wanted) -> Page[Submission]:
        bare = (replace(one, cleared_xml=b"") for one in self._submissions.values())
        return SUBMISSIONS.page(bare, wanted)

    async def save_buyer(self, buyer: Buyer) -> None:
        self._buyers[buyer.customer_id] = buyer

    async def find_buyer(self, customer_id: UserId) -> Buyer | None:
        return self._buyers.get(customer_id)

    async def forget_buyer(self, customer_id: UserId) -> None:
        self._buyers.pop(customer_id, None)

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
