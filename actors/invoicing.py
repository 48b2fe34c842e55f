"""Invoices: issued when the outbox says so, corrected by operators."""

from collections.abc import Awaitable, Callable

import structlog
from msgspec import to_builtins

from actors.clock import Clock
from engine.audit.record import Action, AuditRecord, acted
from engine.invoices.due import draft_of, lines_of, note_of
from engine.invoices.invoice import (
    UNKNOWN_INVOICE,
    CreditRefund,
    Draft,
    Invoice,
    InvoiceId,
    InvoiceKind,
    IssueInvoice,
    Party,
    Stamp,
)
from engine.invoices.issue import issue
from engine.kernel.ids import derived_id
from engine.kernel.messages import Caller, Effect
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.orders.order import Order
from engine.payouts.fees import fee_cause, fee_draft, fee_note
from engine.payouts.payout import Payout
from engine.pricing.lines import PriceLine, amounts
from storage.invoices import InvoiceStore
from storage.store import Store


class NotInvoicedYet(Exception):
    """What is to be credited has no invoice yet; the outbox tries it again."""


class Invoicing:
    """One for a process; of any number of processes one issues at a time."""

    def __init__(
        self,
        invoices: InvoiceStore,
        store: Store,
        *,
        clock: Clock,
        seller: Party,
        unit: str,
        stamp: Callable[[], Awaitable[Stamp]],
    ) -> None:
        self._invoices, self._store, self._clock = invoices, store, clock
        self._seller, self._unit, self._stamp = seller, unit, stamp

    async def on_effect(self, effect: Effect) -> None:
        """Issue what is due; the same effect again finds the same invoice."""
        assert isinstance(effect, IssueInvoice)
        order = await self._store.find_order(effect.order_id)
        assert order is not None, "an effect is stored with its order"
        quote = await self._store.find_quote(order.quote_id)
        buyer = await self._invoices.find_buyer(order.customer_id)
        draft = draft_of(
            order,
            quote,
            seller=self._seller,
            buyer=None if buyer is None else buyer.party,
            now=self._clock.now(),
        )
        issued = await self._issue(draft)
        assert isinstance(issued, Invoice), "an invoice that corrects nothing is not refused"

    async def on_refund(self, effect: Effect) -> None:
        """Credit what was given back; the same effect again finds the same note.

        What operators have credited before cannot be credited twice: that is told and left.
        """
        assert isinstance(effect, CreditRefund)
        issued = await self._invoices.list_of(effect.order_id)
        originals = (one for one in issued if one.draft.kind is InvoiceKind.INVOICE)
        original = next(originals, None)
        if original is None:
            raise NotInvoicedYet(effect.order_id)
        draft = note_of(effect, original, seller=self._seller, now=self._clock.now())
        found = await self._issue(draft)
        if isinstance(found, Refusal):
            log = structlog.get_logger(__name__)
            log.warning("refund_not_credited", refund=effect.refund_id, why=found.code)

    async def on_paid_out(self, payout: Payout) -> None:
        """Issue the invoice for its fee, if it has one; the same payout has the same invoice."""
        if payout.fee_halalas:
            await self._issue(fee_draft(payout, seller=self._seller, now=self._clock.now()))

    async def on_returned(self, payout: Payout) -> None:
        """Credit its fee, if that was invoiced; the same payout has the same note.

        What operators have credited before cannot be credited twice.
        """
        causes = (fee_cause(payout.id),)
        for original in (await self._invoices.find_caused(causes)).values():
            note = fee_note(payout, original, seller=self._seller, now=self._clock.now())
            await self._issue(note)

    async def correct(
        self,
        invoice_id: InvoiceId,
        kind: InvoiceKind,
        lines: tuple[PriceLine, ...],
        *,
        reason: str,
        cause: str,
        by: Caller,
    ) -> Invoice | Refusal:
        """A credit or debit note for an order; never more is credited than was invoiced.

        The fee of a payout is credited by itself when the bank sends that back.
        """
        original = await self._invoices.find(invoice_id)
        if original is None or original.draft.order_id is None:
            return UNKNOWN_INVOICE(invoice_id=invoice_id)
        now = self._clock.now()
        draft = Draft(
            id=InvoiceId(derived_id("note", cause)),
            cause=cause,
            order_id=original.draft.order_id,
            kind=kind,
            seller=self._seller,
            buyer=original.draft.buyer,
            lines=lines,
            issued_at=now,
            supplied_at=now,
            original_id=original.id,
            original_number=original.number,
            reason=reason,
            paid_by=original.draft.paid_by,
        )
        record = acted(
            by,
            Action.CORRECT_INVOICE,
            f"invoice:{original.id}",
            at=now,
            after={"note_id": draft.id, "kind": kind, "lines": to_builtins(lines)},
            reason=reason,
        )
        issued = await self._issue(draft, record)
        if isinstance(issued, Invoice) and _asks(issued.draft) != _asks(draft):
            return KEY_REUSED()
        return issued

    async def _issue(self, draft: Draft, *records: AuditRecord) -> Invoice | Refusal:
        stamp = await self._stamp()
        return await self._invoices.issue(
            self._unit, draft, lambda chain: issue(draft, chain, stamp), records=records
        )


async def vat_of(store: Store, order: Order) -> int | None:
    """The VAT of an order's invoice; None while it has none."""
    if order.ended_at is None:
        return None
    quote = await store.find_quote(order.quote_id)
    return amounts(lines_of(order, quote)).vat_halalas


def _asks(draft: Draft) -> tuple[object, ...]:
    """What somebody asked for, without the time at which he did."""
    return draft.kind, draft.lines, draft.reason
