"""Invoices and notes as they are shown, with links to their files that expire."""

from collections.abc import Sequence
from typing import Any, Final

from api.links import sign_link
from api.parts import Parts
from engine.invoices.invoice import Invoice
from engine.invoices.submission import Submission, handed_out
from engine.kernel.timing import HOUR_MS

PURPOSE: Final = "invoice links"
PDF, XML = 0, 1


async def invoices_shown(parts: Parts, found: Sequence[Invoice]) -> list[dict[str, Any]]:
    """Documents with how they stand with the authority, and links to their files."""
    submissions = await parts.invoices.find_submissions(one.id for one in found)
    return [_shown_one(parts, one, submissions[one.id]) for one in found]


def _shown_one(parts: Parts, issued: Invoice, submission: Submission) -> dict[str, Any]:
    one = handed_out(issued, submission)
    expires_at = parts.clock.now() + parts.settings.invoices.link_hours * HOUR_MS

    def link(side: int) -> str:
        return f"/v1/invoice-files/{sign_link(one.id, side, expires_at, key=link_key(parts))}"

    return {
        "invoice_id": one.id,
        **({} if one.draft.order_id is None else {"order_id": one.draft.order_id}),
        "number": one.number,
        "kind": one.draft.kind.value,
        "original_id": one.draft.original_id,
        "reason": one.draft.reason,
        "issued_at": one.draft.issued_at,
        "net_halalas": one.net_halalas,
        "vat_halalas": one.vat_halalas,
        "rounding_halalas": one.rounding_halalas,
        "payable_halalas": one.payable_halalas,
        "submission": {
            "status": submission.status.value,
            "has_warnings": bool(submission.warnings),
            "decided_at": submission.decided_at,
        },
        "qr": one.qr,
        "pdf": link(PDF),
        "xml": link(XML),
        "links_expire_at": expires_at,
    }


def link_key(parts: Parts) -> bytes:
    """By which links to files are signed."""
    return parts.keys.keys.secret(PURPOSE)
