"""What issues invoices and prints them, and what takes payments."""

from fastapi import FastAPI

from actors.invoicing import Invoicing
from actors.paid import Paid
from actors.payments import Payments, Policy
from actors.printing import Printing
from actors.submitting import Submitting
from api.parts import Parts
from engine.kernel.backoff import Backoff
from engine.kernel.timing import SECOND_MS
from engine.payments.decide import Terms


def open_invoicing(parts: Parts) -> Invoicing:
    """What issues invoices, sealed by the stamp that is in force."""
    settings = parts.settings.invoices
    return Invoicing(
        parts.invoices,
        parts.store,
        clock=parts.clock,
        seller=settings.seller,
        unit=settings.unit,
        stamp=parts.certificates.stamp,
    )


def open_printing(app: FastAPI, parts: Parts) -> Printing:
    """What makes PDFs of invoices, also for the routes."""
    app.state.printing = printing = Printing(
        parts.invoices,
        is_judged=parts.authority.is_open,
        clock=parts.clock,
        wall=parts.wall,
        every_s=parts.settings.invoices.print_every_s,
    )
    return printing


def open_submitting(parts: Parts) -> Submitting:
    """What sends invoices to the tax authority, once our unit has a certificate."""
    settings = parts.settings.zatca
    backoff = Backoff(
        first_ms=round(settings.retry_s * SECOND_MS),
        most_ms=round(settings.retry_s_max * SECOND_MS),
    )
    return Submitting(
        parts.invoices,
        parts.authority,
        clock=parts.clock,
        wall=parts.wall,
        backoff=backoff,
        poll_s=settings.poll_s,
    )


def open_payments(parts: Parts) -> Payments:
    """What takes payments, whatever gateways there are."""
    settings = parts.settings.payments
    patience_s = parts.settings.runtime.command_timeout_s
    paid = Paid(parts.bus, parts.gift_links, clock=parts.clock, patience_s=patience_s)
    return Payments(
        parts.payments,
        parts.store,
        paid,
        parts.gateways,
        Policy(
            routes={
                network: name for network, name in settings.routes.items() if name in parts.gateways
            },
            terms=Terms(settle_s=settings.settle_s, commission_percent=settings.commission_percent),
            refund_limit_halalas=settings.refund_limit_halalas,
            poll_s=settings.poll_s,
        ),
        clock=parts.clock,
        wall=parts.wall,
    )
