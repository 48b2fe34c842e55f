"""A document's way to the tax authority: reported if simplified, cleared if standard.

Rules of ZATCA's integration phase: a simplified document is reported within a day of its issue, a
standard one is cleared before its buyer gets it. A refused one is never sent again: what is wrong
in it is corrected by another document, and the chain goes on.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.invoices.invoice import Invoice, InvoiceId
from engine.kernel.backoff import Backoff
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import HOUR_MS, Instant

REPORTED_WITHIN_MS: Final = 24 * HOUR_MS

NOT_CLEARED = declare(
    "not_cleared",
    RefusalKind.CONFLICT,
    en="The tax authority has not cleared this invoice yet.",
    ar="لم تعتمد هيئة الزكاة والضريبة والجمارك هذه الفاتورة بعد.",
)


class SubmissionStatus(StrEnum):
    """How a document stands with the authority."""

    NOT_SENT = "not_sent"
    REPORTED = "reported"
    CLEARED = "cleared"
    REFUSED = "refused"


class Remark(Struct, frozen=True, kw_only=True):
    """What the authority says of a document: the code of its rule, and a sentence."""

    code: str
    text: str


class Verdict(Struct, frozen=True, kw_only=True):
    """What the authority has decided; `cleared_xml` is the document with its stamp."""

    status: SubmissionStatus
    warnings: tuple[Remark, ...] = ()
    errors: tuple[Remark, ...] = ()
    cleared_xml: bytes = b""
    cleared_qr: str = ""


class Submission(Struct, frozen=True, kw_only=True):
    """Where a document is on its way; `tries` counts requests, `due_at` is when the next may go."""

    id: InvoiceId
    unit: str
    counter: int
    number: str
    is_standard: bool
    issued_at: Instant
    version: int = 1
    status: SubmissionStatus = SubmissionStatus.NOT_SENT
    tries: int = 0
    due_at: Instant | None
    decided_at: Instant | None = None
    warnings: tuple[Remark, ...] = ()
    errors: tuple[Remark, ...] = ()
    cleared_xml: bytes = b""
    cleared_qr: str = ""


def opened(invoice: Invoice) -> Submission:
    """What is to be sent of a document that was issued now."""
    draft = invoice.draft
    return Submission(
        id=invoice.id,
        unit=invoice.unit,
        counter=invoice.counter,
        number=invoice.number,
        is_standard=draft.buyer is not None,
        issued_at=draft.issued_at,
        due_at=draft.issued_at,
    )


def tried(submission: Submission, backoff: Backoff, *, now: Instant) -> Submission:
    """As it is written down before it is sent: nobody else sends it until the wait is over."""
    return replace(
        submission,
        version=submission.version + 1,
        tries=submission.tries + 1,
        due_at=now + backoff.wait_ms(submission.tries),
    )


def decided(submission: Submission, verdict: Verdict, *, now: Instant) -> Submission:
    """As the authority has decided, once and for all."""
    assert submission.status is SubmissionStatus.NOT_SENT, "the authority decides once"
    return replace(
        submission,
        version=submission.version + 1,
        status=verdict.status,
        due_at=None,
        decided_at=now,
        warnings=verdict.warnings,
        errors=verdict.errors,
        cleared_xml=verdict.cleared_xml,
        cleared_qr=verdict.cleared_qr,
    )


def is_held_back(submission: Submission) -> bool:
    """Whether its buyer may not have it yet: a standard document is valid once it is cleared."""
    waits = {SubmissionStatus.NOT_SENT, SubmissionStatus.REFUSED}
    return submission.is_standard and submission.status in waits


def handed_out(invoice: Invoice, submission: Submission) -> Invoice:
    """The document as its buyer gets it: with the authority's stamp where it has one."""
    if not submission.cleared_xml:
        return invoice
    return replace(invoice, xml=submission.cleared_xml, qr=submission.cleared_qr)
