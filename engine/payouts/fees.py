"""The invoice for a payout's fee: due when the money has arrived, credited if it comes back."""

from typing import Final

from engine.invoices.invoice import Draft, Invoice, InvoiceId, InvoiceKind, PaidBy, Party
from engine.kernel.ids import derived_id
from engine.kernel.timing import Instant
from engine.payouts.payout import Payout
from engine.pricing.lines import PriceLine

_FEE: Final = "رسوم صرف فوري / Instant payout"
_RETURNED: Final = "returned"


def fee_cause(payout_id: str) -> str:
    """For what a fee's invoice is issued."""
    return f"payout:{payout_id}"


def return_cause(payout_id: str) -> str:
    """For what its credit note is."""
    return f"payout returned:{payout_id}"


def fee_draft(payout: Payout, *, seller: Party, now: Instant) -> Draft:
    """A simplified invoice; the fee includes VAT, divided as the ledger divides it."""
    return Draft(
        id=InvoiceId(derived_id("invoice of payout", payout.id)),
        cause=fee_cause(payout.id),
        seller=seller,
        lines=_lines(payout),
        issued_at=now,
        supplied_at=now,
        paid_by=PaidBy.DEDUCTED,
    )


def fee_note(payout: Payout, original: Invoice, *, seller: Party, now: Instant) -> Draft:
    """All of it is credited, for the bank has sent the money back."""
    return Draft(
        id=InvoiceId(derived_id("credit note of payout", payout.id)),
        cause=return_cause(payout.id),
        kind=InvoiceKind.CREDIT_NOTE,
        seller=seller,
        buyer=original.draft.buyer,
        lines=_lines(payout),
        issued_at=now,
        supplied_at=now,
        original_id=original.id,
        original_number=original.number,
        reason=_RETURNED,
        paid_by=original.draft.paid_by,
    )


def _lines(payout: Payout) -> tuple[PriceLine, ...]:
    return (PriceLine(name=_FEE, unit_halalas=payout.fee_halalas, includes_vat=True),)
