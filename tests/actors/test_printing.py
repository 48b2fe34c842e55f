"""PDFs of issued documents: made in the background, or at once, and each kept once."""

import asyncio
import os
import signal

import pytest
from msgspec.structs import replace

from actors.clock import SystemClock
from actors.print.invoice import InvoicePrinter
from actors.print.press import Press, PressBroken
from actors.printing import Printing
from engine.invoices.invoice import Chain, Draft, Invoice
from engine.invoices.issue import issue
from engine.invoices.submission import SubmissionStatus, Verdict, decided, tried
from engine.kernel.backoff import Backoff
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from storage.memory_invoices import MemoryInvoices
from tests.actors.tills import HandClock
from tests.engine.invoices.drafts import SELLER, STAMP, a_draft, issued

BACKOFF = Backoff(first_ms=MINUTE_MS, most_ms=MINUTE_MS)


class Office:
    """A chain and what prints it; the authority knows its unit, or does not."""

    def __init__(self, *, is_judged: bool = False) -> None:
        self.invoices, self.clock, self._is_judged = MemoryInvoices(), HandClock(), is_judged
        self.printing = self.another()

    def another(self, every_s: float = 1) -> Printing:
        return Printing(
            self.invoices,
            is_judged=self._judged,
            clock=self.clock,
            wall=self.clock,
            every_s=every_s,
        )

    async def issue(self, draft: Draft, **odd: object) -> Invoice:
        def oddly(chain: Chain) -> Invoice | Refusal:
            made = issue(draft, chain, STAMP)
            return replace(made, **odd) if isinstance(made, Invoice) else made

        made = await self.invoices.issue("HDY", draft, oddly)
        assert isinstance(made, Invoice)
        return made

    async def decide(self, invoice: Invoice, verdict: Verdict) -> None:
        before = (await self.invoices.find_submissions([invoice.id]))[invoice.id]
        now = self.clock.now()
        trying = tried(before, BACKOFF, now=now)
        assert await self.invoices.save_submission(trying)
        assert await self.invoices.save_submission(decided(trying, verdict, now=now))

    async def _judged(self) -> bool:
        return self._is_judged


async def test_what_is_issued_is_printed_in_the_background_as_it_would_be_at_once() -> None:
    office = Office()
    made = [await office.issue(a_draft()) for _ in range(3)]
    assert await office.printing.look() == 3
    for one in made:
        assert await office.invoices.find_print(one.id) == InvoicePrinter().pdf(one)
    assert await office.printing.look() == 0


async def test_a_pdf_that_is_asked_for_before_is_made_at_once_and_kept_once() -> None:
    office = Office()
    one = await office.issue(a_draft())
    # Two ask, two processes are at it, and one prints in the background meanwhile.
    others = [office.printing, office.printing, office.another(), office.another()]
    *told, _ = await asyncio.gather(*(each.pdf(one) for each in others), office.printing.look())
    kept = await office.invoices.find_print(one.id)
    assert set(told) == {kept}
    await office.clock.move(3600)
    assert await office.printing.look() == 0


async def test_a_standard_document_is_printed_as_it_was_cleared() -> None:
    office = Office(is_judged=True)
    one = await office.issue(a_draft(buyer=SELLER))
    assert await office.printing.look() == 0
    assert isinstance(await office.printing.handed_out(one), Refusal)
    verdict = Verdict(status=SubmissionStatus.CLEARED, cleared_xml=one.xml, cleared_qr="AQE=")
    await office.decide(one, verdict)
    await office.clock.move(60)
    assert await office.printing.look() == 1
    cleared = await office.printing.handed_out(one)
    assert cleared == replace(one, qr="AQE=")
    kept = await office.invoices.find_print(one.id)
    assert kept == InvoicePrinter().pdf(replace(one, qr="AQE=")) != InvoicePrinter().pdf(one)


async def test_a_standard_document_that_the_authority_refused_is_never_printed() -> None:
    office = Office(is_judged=True)
    one = await office.issue(a_draft(buyer=SELLER))
    await office.decide(one, Verdict(status=SubmissionStatus.REFUSED))
    assert await office.printing.look() == 0
    await office.clock.move(3600)
    assert await office.invoices.list_due_prints(office.clock.now(), limit=1) == ()
    assert await office.invoices.find_print(one.id) is None


async def test_one_that_cannot_be_printed_is_tried_later_and_stops_no_other() -> None:
    office = Office()
    bad = await office.issue(a_draft(), xml=b"\xff")
    assert await office.printing.look() == 0
    good = await office.issue(a_draft())
    assert await office.printing.look() == 1
    assert await office.invoices.find_print(good.id) is not None
    assert await office.printing.look() == 0
    for tries, minutes in ((2, 2), (3, 4)):
        await office.clock.move(minutes * 30)
        assert await office.printing.look() == 0
        now = office.clock.now()
        assert await office.invoices.list_due_prints(now + minutes * MINUTE_MS - 1, limit=1) == ()
        (due,) = await office.invoices.list_due_prints(now + minutes * MINUTE_MS, limit=1)
        assert (due.id, due.tries) == (bad.id, tries)


async def test_the_press_gives_way_to_everybody_and_ends_with_its_block() -> None:
    one = issued(a_draft())
    async with Press() as press:
        assert await press.pdf(one) == InvoicePrinter().pdf(one)
        child = press._child
        assert child is not None
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == 19
    assert child.returncode == -signal.SIGKILL


async def test_a_press_that_is_killed_or_too_slow_says_so() -> None:
    one = issued(a_draft())
    async with Press() as press:
        await press.pdf(one)
        assert press._child is not None
        press._child.kill()
        with pytest.raises(PressBroken, match="has ended"):
            await press.pdf(one)
    async with Press(time_limit_s=0.001) as slow:
        with pytest.raises(PressBroken, match="within"):
            await slow.pdf(one)


async def test_it_runs_until_cancelled_unless_it_is_switched_off() -> None:
    office = Office()
    one = await office.issue(a_draft())
    await office.another(every_s=0).run()
    assert await office.invoices.find_print(one.id) is None
    running = asyncio.create_task(office.another(every_s=30).run())
    async with asyncio.timeout(60):
        while await office.invoices.find_print(one.id) is None:
            await office.clock.move(1)
            await SystemClock().sleep(20)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
