"""What makes the PDFs of issued documents: soon after they are issued, or when one is asked for."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from actors.clock import Clock
from actors.print.invoice import InvoicePrinter
from actors.print.press import Press, PressBroken
from engine.invoices.invoice import Invoice, InvoiceId
from engine.invoices.printing import begun
from engine.invoices.submission import (
    NOT_CLEARED,
    Submission,
    SubmissionStatus,
    handed_out,
    is_held_back,
)
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS
from storage.invoices import InvoiceStore
from storage.store import StoreUnavailable


class Printing:
    """One for a process, which prints one document at a time in the background.

    That it begins is written down before, so that no other process prints the same meanwhile, and
    what a dead one had begun is begun again. The first PDF that is stored stays. `is_judged` says
    whether our unit is known to the tax authority, which clears standard documents.
    """

    def __init__(
        self,
        invoices: InvoiceStore,
        *,
        is_judged: Callable[[], Awaitable[bool]],
        clock: Clock,
        wall: Clock,
        every_s: float,
        press: Callable[[], Press] = Press,
    ) -> None:
        self._press, self._printer = press, InvoicePrinter()
        self._invoices, self._is_judged = invoices, is_judged
        self._clock, self._wall, self._every_s = clock, wall, every_s

    async def run(self) -> None:
        """Until cancelled; nothing is done where it is switched off."""
        log = structlog.get_logger(__name__)
        while self._every_s:
            await self._wall.sleep(self._every_s * SECOND_MS)
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("prints_wait", why=str(error))

    async def look(self) -> int:
        """Print what is due, the longest waiting first, until nothing is; how many that were."""
        count, log = 0, structlog.get_logger(__name__)
        async with self._press() as press:
            while due := await self._invoices.list_due_prints(self._clock.now(), limit=1):
                begun_ = begun(due[0], now=self._clock.now())
                if not await self._invoices.save_due_print(begun_):
                    continue
                try:
                    count += await self._print(begun_.id, press)
                except PressBroken as error:
                    log.warning(
                        "print_failed", invoice=begun_.id, tries=begun_.tries, why=str(error)
                    )
                    return count
        return count

    async def pdf(self, invoice: Invoice) -> bytes:
        """The PDF of what is handed out, made once and then kept."""
        kept = await self._invoices.find_print(invoice.id)
        if kept is not None:
            return kept
        pdf = await asyncio.to_thread(self._printer.pdf, invoice)
        await self._invoices.save_print(invoice.id, pdf)
        return await self._invoices.find_print(invoice.id) or pdf

    async def handed_out(self, invoice: Invoice) -> Invoice | Refusal:
        """The document as its buyer may have it now; a refusal until it is cleared, if it must."""
        submission = await self._submission(invoice.id)
        if await self._is_held_back(submission):
            return NOT_CLEARED()
        return handed_out(invoice, submission)

    async def _print(self, invoice_id: InvoiceId, press: Press) -> bool:
        """Whether it was printed: what is not cleared yet waits, what never will be is dropped."""
        submission = await self._submission(invoice_id)
        if await self._is_held_back(submission):
            if submission.status is SubmissionStatus.REFUSED:
                await self._invoices.drop_due_print(invoice_id)
            return False
        invoice = await self._invoices.find(invoice_id)
        assert invoice is not None, "what is due is stored with its invoice"
        pdf = await press.pdf(handed_out(invoice, submission))
        await self._invoices.save_print(invoice_id, pdf)
        return True

    async def _submission(self, invoice_id: InvoiceId) -> Submission:
        return (await self._invoices.find_submissions([invoice_id]))[invoice_id]

    async def _is_held_back(self, submission: Submission) -> bool:
        return is_held_back(submission) and await self._is_judged()
