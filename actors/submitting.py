"""What sends issued documents to the tax authority, one after the other."""

from typing import Final

import structlog

from actors.clock import Clock
from actors.gateways.authority import Authority, AuthorityUncertain
from engine.invoices.submission import (
    REPORTED_WITHIN_MS,
    Submission,
    SubmissionStatus,
    Verdict,
    decided,
    tried,
)
from engine.kernel.backoff import Backoff
from engine.kernel.timing import SECOND_MS
from storage.invoices import InvoiceStore
from storage.store import StoreUnavailable

_AT_ONCE: Final = 100


class Submitting:
    """One for a process.

    A try is written down before it is made, so that no other process makes it meanwhile, and who
    dies in between only leaves it for later: the authority knows a document by its hash.
    """

    def __init__(
        self,
        invoices: InvoiceStore,
        authority: Authority,
        *,
        clock: Clock,
        wall: Clock,
        backoff: Backoff,
        poll_s: float,
    ) -> None:
        self._invoices, self._authority = invoices, authority
        self._clock, self._wall = clock, wall
        self._backoff, self._poll_s = backoff, poll_s

    async def run(self) -> None:
        """Until cancelled."""
        log = structlog.get_logger(__name__)
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("submissions_wait", why=str(error))
            await self._wall.sleep(self._poll_s * SECOND_MS)

    async def look(self) -> None:
        """Send what is due now, in the order of the chain; an authority that is away ends it.

        As long as our unit has no certificate nothing is sent, and everything waits.
        """
        if not await self._authority.is_open():
            return
        for due in await self._invoices.list_due_submissions(self._clock.now(), limit=_AT_ONCE):
            trying = tried(due, self._backoff, now=self._clock.now())
            if not await self._invoices.save_submission(trying):
                # Somebody else sends it.
                continue
            try:
                verdict = await self._ask(trying)
            except AuthorityUncertain as error:
                self._tell_uncertain(trying, str(error))
                return
            await self._invoices.save_submission(decided(trying, verdict, now=self._clock.now()))
            self._tell(trying, verdict)

    async def _ask(self, submission: Submission) -> Verdict:
        invoice = await self._invoices.find(submission.id)
        assert invoice is not None, "a submission is stored with its invoice"
        if submission.is_standard:
            return await self._authority.clear(invoice)
        return await self._authority.report(invoice)

    def _tell_uncertain(self, submission: Submission, why: str) -> None:
        left_ms = submission.issued_at + REPORTED_WITHIN_MS - self._clock.now()
        log = structlog.get_logger(__name__)
        log.warning(
            "submission_uncertain",
            number=submission.number,
            why=why,
            tries=submission.tries,
            left_s=left_ms // SECOND_MS,
        )

    @staticmethod
    def _tell(submission: Submission, verdict: Verdict) -> None:
        log = structlog.get_logger(__name__)
        if verdict.status is SubmissionStatus.REFUSED:
            codes = [one.code for one in verdict.errors]
            log.error("invoice_refused", number=submission.number, codes=codes)
        else:
            log.info("invoice_submitted", number=submission.number, status=verdict.status)
