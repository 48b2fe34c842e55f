"""What an invoice is, and what must hold before one is issued."""

import base64
import hashlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct

from engine.kernel.ids import OrderId
from engine.kernel.messages import Effect
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.pricing.lines import PriceLine, amounts

InvoiceId = NewType("InvoiceId", str)
# What the first invoice of a unit follows: the digest of "0" (BR-KSA-26).
FIRST_PREVIOUS_HASH: Final = base64.b64encode(hashlib.sha256(b"0").hexdigest().encode()).decode()


class InvoiceKind(StrEnum):
    """What sort of document it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


class PaidBy(StrEnum):
    """How most of it was paid; what the XML calls it is UN/EDIFACT 4461."""

    CARD = "card"
    CASH = "cash"
    DEDUCTED = "deducted"


class Party(Struct, frozen=True, kw_only=True):
    """Who sells, or a company that buys: with its national address."""

    name_ar: str
    name_en: str
    vat_number: str
    registration: str
    street: str
    building: str
    district: str
    city: str
    postal_code: str


class Draft(Struct, frozen=True, kw_only=True):
    """An invoice before it has a number.

    The same `cause` is the same invoice, however often it is asked for. With a `buyer` it is a
    standard invoice, without one a simplified one. A note corrects the invoice `original_id`.
    What is for no order, as the fee of a payout, has no `order_id`.
    """

    id: InvoiceId
    cause: str
    order_id: OrderId | None = None
    kind: InvoiceKind = InvoiceKind.INVOICE
    seller: Party
    buyer: Party | None = None
    lines: tuple[PriceLine, ...]
    issued_at: Instant
    supplied_at: Instant
    original_id: InvoiceId | None = None
    original_number: str = ""
    reason: str = ""
    paid_by: PaidBy = PaidBy.CARD


class Invoice(Struct, frozen=True, kw_only=True):
    """An issued document: its number counts without a gap, its hash is what the next one names."""

    id: InvoiceId
    unit: str
    counter: int
    number: str
    draft: Draft
    net_halalas: int
    vat_halalas: int
    rounding_halalas: int
    payable_halalas: int
    previous_hash: str
    hash: str
    qr: str
    xml: bytes


class Chain(Struct, frozen=True, kw_only=True):
    """Where a unit's chain ends, and what the original has been credited so far."""

    unit: str
    counter: int = 0
    hash: str = FIRST_PREVIOUS_HASH
    original: Invoice | None = None
    credited_halalas: int = 0


class Stamp(Struct, frozen=True, kw_only=True):
    """By what a unit signs: its certificate (DER, Base64) and what signs some bytes (ECDSA)."""

    certificate: str
    certificate_signature: bytes
    public_key: bytes
    issuer: str
    serial: int
    sign: Callable[[bytes], bytes]


class IssueInvoice(Effect, frozen=True, kw_only=True, tag=True):
    """What was delivered, or is charged all the same, is to be invoiced."""

    order_id: OrderId


class CreditRefund(Effect, frozen=True, kw_only=True, tag=True):
    """What was given back of a sale is to be credited by a note; `reason` is why it went back."""

    order_id: OrderId
    refund_id: str
    amount_halalas: int
    reason: str


UNKNOWN_INVOICE = declare(
    "unknown_invoice",
    RefusalKind.NOT_FOUND,
    en="There is no such invoice, or it is not yours to see.",
    ar="لا توجد فاتورة بهذا الرقم أو لا يحق لك الاطلاع عليها.",
)
CREDIT_EXCEEDED = declare(
    "credit_exceeded",
    RefusalKind.CONFLICT,
    en="More would be credited than was invoiced.",
    ar="مبلغ الإشعار الدائن يتجاوز قيمة الفاتورة.",
)
NOT_AN_INVOICE = declare(
    "not_an_invoice",
    RefusalKind.CONFLICT,
    en="Only an invoice can be corrected by a note, not another note.",
    ar="لا يُصحَّح بالإشعار إلا فاتورة، وليس إشعارًا آخر.",
)


def correctable(draft: Draft, chain: Chain) -> Refusal | None:
    """Why this note cannot be issued: never more is credited than was invoiced."""
    if draft.kind is InvoiceKind.INVOICE:
        return None
    original = chain.original
    if original is None:
        return UNKNOWN_INVOICE(invoice_id=draft.original_id or "")
    if original.draft.kind is not InvoiceKind.INVOICE:
        return NOT_AN_INVOICE(invoice_id=original.id)
    left = original.payable_halalas - chain.credited_halalas
    if draft.kind is InvoiceKind.CREDIT_NOTE and amounts(draft.lines).payable_halalas > left:
        return CREDIT_EXCEEDED(left_halalas=left)
    return None
