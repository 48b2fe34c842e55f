"""Invoices: issued one after the other in each unit, and never changed."""

from collections.abc import Callable, Sequence
from typing import Protocol

from engine.audit.record import AuditRecord
from engine.invoices.invoice import FIRST_PREVIOUS_HASH, Chain, Draft, Invoice, InvoiceId
from engine.kernel.ids import OrderId
from engine.kernel.refusals import Refusal
from storage.audit import save_records
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.queries import queries

Issue = Callable[[Chain], Invoice | Refusal]


class InvoiceStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def issue(
        self, unit: str, draft: Draft, issue: Issue, *, records: Sequence[AuditRecord] = ()
    ) -> Invoice | Refusal:
        """What `issue` makes of the end of the unit's chain, stored as its next invoice.

        Nobody else issues for the unit meanwhile. What was issued for the same cause before is
        returned as it is; what is refused, or fails, uses no number. The records go into the
        audit log with what is issued now.
        """
        ...

    async def find(self, invoice_id: InvoiceId) -> Invoice | None:
        """An invoice by its id."""
        ...

    async def list_of(self, order_id: OrderId) -> tuple[Invoice, ...]:
        """An order's invoices and notes, in the order of their numbers."""
        ...

    async def list_chain(self, unit: str, *, after: int, limit: int) -> tuple[Invoice, ...]:
        """A unit's documents with counters above `after`, in order."""
        ...

    async def find_print(self, invoice_id: InvoiceId) -> bytes | None:
        """The PDF, if it was made."""
        ...

    async def save_print(self, invoice_id: InvoiceId, pdf: bytes) -> None:
        """Keep the PDF; the first one stays."""
        ...


class PostgresInvoices:
    """Satisfies `InvoiceStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(
        self, unit: str, draft: Draft, issue: Issue, *, records: Sequence[AuditRecord] = ()
    ) -> Invoice | Refusal:
        async with self._database.transaction() as session:
            await session.run(queries.open_unit, unit=unit, hash=FIRST_PREVIOUS_HASH)
            # A lone row; the plan is the same for all units.
            (end,) = await session.rows(queries.lock_unit, unit=unit)
            before = await session.value(queries.find_invoice_of, cause=draft.cause)
            if before is not None:
                return decode(Invoice, before)
            original, credited = await _corrected(session, draft.original_id)
            made = issue(
                Chain(
                    unit=unit,
                    counter=end["counter"],
                    hash=end["hash"],
                    original=original,
                    credited_halalas=credited,
                )
            )
            if isinstance(made, Refusal):
                return made
            await session.run(queries.add_invoice, state=encode(made))
            count = await session.run(
                queries.advance_unit, unit=unit, counter=made.counter, hash=made.hash
            )
            assert count == 1, f"{made.number} is not the next number of {unit}"
            await save_records(session, records)
            return made

    async def find(self, invoice_id: InvoiceId) -> Invoice | None:
        state = await self._database.value(queries.find_invoice, invoice_id=known(invoice_id))
        return None if state is None else decode(Invoice, state)

    async def list_of(self, order_id: OrderId) -> tuple[Invoice, ...]:
        rows = await self._database.rows(queries.list_invoices_of, order_id=known(order_id))
        return tuple(decode(Invoice, row["state"]) for row in rows)

    async def list_chain(self, unit: str, *, after: int, limit: int) -> tuple[Invoice, ...]:
        rows = await self._database.rows(queries.list_chain, unit=unit, after=after, limit=limit)
        return tuple(decode(Invoice, row["state"]) for row in rows)

    async def find_print(self, invoice_id: InvoiceId) -> bytes | None:
        pdf: bytes | None = await self._database.value(
            queries.find_print, invoice_id=known(invoice_id)
        )
        return pdf

    async def save_print(self, invoice_id: InvoiceId, pdf: bytes) -> None:
        await self._database.run(queries.save_print, invoice_id=known(invoice_id), pdf=pdf)


async def _corrected(session: Session, invoice_id: InvoiceId | None) -> tuple[Invoice | None, int]:
    """The invoice that a note corrects, and what was credited on it before."""
    if invoice_id is None:
        return None, 0
    state = await session.value(queries.find_invoice, invoice_id=known(invoice_id))
    credited: int = await session.value(queries.credited_on, invoice_id=known(invoice_id))
    return (None if state is None else decode(Invoice, state)), credited
