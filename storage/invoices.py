"""Invoices: issued one after the other in each unit, and never changed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import asyncpg

from engine.audit.record import AuditRecord
from engine.invoices.buyer import Buyer
from engine.invoices.invoice import FIRST_PREVIOUS_HASH, Chain, Draft, Invoice, InvoiceId
from engine.invoices.printing import DuePrint
from engine.invoices.submission import Submission
from engine.kernel.ids import OrderId, UserId
from engine.kernel.pages import Page, Wanted
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.listings import SUBMISSIONS
from storage.audit import save_records
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.listed import page_in
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

    async def find_caused(self, causes: Iterable[str]) -> dict[str, Invoice]:
        """What was issued for these causes, by cause."""
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
        """Keep the PDF, which is due no more; the first one stays."""
        ...

    async def list_due_prints(self, now: Instant, *, limit: int) -> tuple[DuePrint, ...]:
        """What may be printed by now, the longest waiting first: each issued one was due once."""
        ...

    async def save_due_print(self, print_: DuePrint) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def drop_due_print(self, invoice_id: InvoiceId) -> None:
        """It is not printed unless somebody asks for it."""
        ...

    async def find_submissions(self, ids: Iterable[InvoiceId]) -> dict[InvoiceId, Submission]:
        """How these stand with the tax authority: each issued one has a submission."""
        ...

    async def save_submission(self, submission: Submission) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def list_due_submissions(self, now: Instant, *, limit: int) -> tuple[Submission, ...]:
        """Those that may be sent by now, in the order of their unit's chain."""
        ...

    async def oldest_not_sent(self) -> Instant | None:
        """When the longest waiting one was issued; None when nothing waits."""
        ...

    async def list_submissions(self, wanted: Wanted) -> Page[Submission]:
        """A page of them without what was cleared, as `SUBMISSIONS` says."""
        ...

    async def save_buyer(self, buyer: Buyer) -> None:
        """For whom a customer buys from now on."""
        ...

    async def find_buyer(self, customer_id: UserId) -> Buyer | None:
        """For whom a customer buys; None for himself."""
        ...

    async def forget_buyer(self, customer_id: UserId) -> None:
        """He buys for himself again; what was issued stays as it is."""
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

    async def find_caused(self, causes: Iterable[str]) -> dict[str, Invoice]:
        rows = await self._database.rows(queries.find_invoices_caused, causes=[*causes])
        found = (decode(Invoice, row["state"]) for row in rows)
        return {one.draft.cause: one for one in found}

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

    async def list_due_prints(self, now: Instant, *, limit: int) -> tuple[DuePrint, ...]:
        rows = await self._database.rows(queries.list_due_prints, now=now, limit=limit)
        return tuple(decode(DuePrint, row["state"]) for row in rows)

    async def save_due_print(self, print_: DuePrint) -> bool:
        count = await self._database.run(
            queries.save_due_print, id=print_.id, version=print_.version, state=encode(print_)
        )
        return count == 1

    async def drop_due_print(self, invoice_id: InvoiceId) -> None:
        await self._database.run(queries.drop_due_print, invoice_id=known(invoice_id))

    async def find_submissions(self, ids: Iterable[InvoiceId]) -> dict[InvoiceId, Submission]:
        rows = await self._database.rows(queries.find_submissions, ids=[*map(known, ids)])
        return {one.id: one for one in map(_submission, rows)}

    async def save_submission(self, submission: Submission) -> bool:
        count = await self._database.run(
            queries.save_submission,
            id=submission.id,
            version=submission.version,
            state=encode(submission),
        )
        return count == 1

    async def list_due_submissions(self, now: Instant, *, limit: int) -> tuple[Submission, ...]:
        rows = await self._database.rows(queries.list_due_submissions, now=now, limit=limit)
        return tuple(map(_submission, rows))

    async def oldest_not_sent(self) -> Instant | None:
        issued_at: Instant | None = await self._database.value(queries.oldest_not_sent)
        return issued_at

    async def list_submissions(self, wanted: Wanted) -> Page[Submission]:
        query = queries.list_submissions
        return await page_in(self._database, query, SUBMISSIONS, wanted, _submission)

    async def save_buyer(self, buyer: Buyer) -> None:
        await self._database.run(queries.save_buyer, state=encode(buyer))

    async def find_buyer(self, customer_id: UserId) -> Buyer | None:
        state = await self._database.value(queries.find_buyer, customer_id=known(customer_id))
        return None if state is None else decode(Buyer, state)

    async def forget_buyer(self, customer_id: UserId) -> None:
        await self._database.run(queries.forget_buyer, customer_id=known(customer_id))


def _submission(row: asyncpg.Record) -> Submission:
    return decode(Submission, row["state"])


async def _corrected(session: Session, invoice_id: InvoiceId | None) -> tuple[Invoice | None, int]:
    """The invoice that a note corrects, and what was credited on it before."""
    if invoice_id is None:
        return None, 0
    state = await session.value(queries.find_invoice, invoice_id=known(invoice_id))
    credited: int = await session.value(queries.credited_on, invoice_id=known(invoice_id))
    return (None if state is None else decode(Invoice, state)), credited
