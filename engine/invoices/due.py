"""When an order is to be invoiced, and what stands on its invoice."""

from typing import Final

from engine.invoices.invoice import (
    CreditRefund,
    Draft,
    Invoice,
    InvoiceId,
    InvoiceKind,
    IssueInvoice,
    PaidBy,
    Party,
)
from engine.kernel.ids import EffectId, derived_id
from engine.kernel.messages import Decision, Event
from engine.kernel.timing import Instant
from engine.orders.fees import FEE_TEXTS
from engine.orders.order import Order, OrderCancelled, OrderDelivered, OrderReturned
from engine.orders.quote import DELIVERY, Quote
from engine.pricing.lines import PriceLine

# Its invoice is read by people; both languages stand on it, as on everything it says.
_DELIVERY: Final = "خدمة توصيل / Delivery"
_REFUND: Final = "مبلغ مسترد / Refund"
_CHARGE: Final = "رسوم إلغاء أو إرجاع / Cancellation or return"


def invoices_for(decision: Decision) -> tuple[IssueInvoice, ...]:
    """What is to be invoiced because of a decision; the same decision gives the same ids."""
    return tuple(
        IssueInvoice(id=EffectId(derived_id("invoice", change.thing.id)), order_id=change.thing.id)
        for change in decision.changes
        if isinstance(change.thing, Order)
        if any(_is_due(change.thing, event) for event in change.events)
    )


def draft_of(
    order: Order,
    quote: Quote | None,
    *,
    seller: Party,
    buyer: Party | None = None,
    now: Instant,
) -> Draft:
    """The invoice for an order that has ended: what was quoted, or what is charged."""
    assert order.ended_at is not None, "what is not over yet is not invoiced"
    return Draft(
        id=InvoiceId(derived_id("invoice of", order.id)),
        cause=f"order:{order.id}",
        order_id=order.id,
        seller=seller,
        buyer=buyer,
        lines=lines_of(order, quote),
        issued_at=now,
        supplied_at=order.ended_at,
        paid_by=PaidBy.CASH if order.is_cash else PaidBy.CARD,
    )


def note_of(credit: CreditRefund, original: Invoice, *, seller: Party, now: Instant) -> Draft:
    """The credit note for a refund: one line, with the VAT that the ledger has taken back."""
    line = PriceLine(name=_REFUND, unit_halalas=credit.amount_halalas, includes_vat=True)
    return Draft(
        id=InvoiceId(derived_id("credit note of", credit.refund_id)),
        cause=f"refund:{credit.refund_id}",
        order_id=credit.order_id,
        kind=InvoiceKind.CREDIT_NOTE,
        seller=seller,
        buyer=original.draft.buyer,
        lines=(line,),
        issued_at=now,
        supplied_at=now,
        original_id=original.id,
        original_number=original.number,
        reason=credit.reason,
        paid_by=original.draft.paid_by,
    )


def _is_due(order: Order, event: Event) -> bool:
    match event:
        case OrderDelivered():
            return order.total_halalas > 0
        case OrderCancelled() | OrderReturned():
            return event.charge_halalas > 0
        case _:
            return False


def lines_of(order: Order, quote: Quote | None) -> tuple[PriceLine, ...]:
    """What stands on the invoice of an order that has ended."""
    if order.charge_halalas is not None:
        return (PriceLine(name=_CHARGE, unit_halalas=order.charge_halalas, includes_vat=True),)
    if quote is None or not quote.lines:
        # Before goods were sold with it, the delivery was the whole price.
        return (PriceLine(name=_DELIVERY, unit_halalas=order.fee_earned_halalas),)
    lines = [one.line for one in quote.lines]
    assert lines[-1].name == DELIVERY, "the delivery is the last line of a quote"
    fees = (
        PriceLine(name=FEE_TEXTS[one.kind], unit_halalas=one.halalas, includes_vat=True)
        for one in order.fees
    )
    return (*lines[:-1], PriceLine(name=_DELIVERY, unit_halalas=lines[-1].unit_halalas), *fees)
