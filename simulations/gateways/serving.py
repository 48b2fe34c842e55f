"""The local payment server as a program: what to set, which cards there are, what is asked."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table

from actors.clock import SystemClock
from engine.kernel.timing import SECOND_MS
from simulations.gateways.cards import ACCOUNTS, CARDS
from simulations.gateways.moyasar import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    MoyasarProtocol,
)
from simulations.gateways.moyasar_settlements import MoyasarSettlements
from simulations.gateways.payouts import SECRET_KEY as PAYOUT_KEY
from simulations.gateways.payouts import SOURCE_ID, PayoutProtocol
from simulations.gateways.paypal import CLIENT_ID as PAYPAL_ID
from simulations.gateways.paypal import SECRET as PAYPAL_SECRET
from simulations.gateways.paypal import WEBHOOK_ID, PayPalProtocol
from simulations.gateways.paypal_transactions import PayPalTransactions
from simulations.gateways.server import PaymentServer, Reply, Request
from simulations.gateways.stripe import SECRET_KEY as STRIPE_KEY
from simulations.gateways.stripe import WEBHOOK_SECRET as STRIPE_WEBHOOKS
from simulations.gateways.stripe import StripeProtocol
from simulations.gateways.stripe_reports import StripeReports
from simulations.gateways.zatca import SECRET as ZATCA_SECRET
from simulations.gateways.zatca import SELLER, ZatcaProtocol
from simulations.gateways.zatca import TOKEN as ZATCA_TOKEN
from simulations.gateways.zatca_csids import CsidProtocol

# As in ZATCA's sandbox; a few, for each is good once.
OTPS: Final = ("123345", "272826", "302210")


def run(*, port: int, api: str) -> None:
    """Serve until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(port, api.rstrip("/")))


async def _serve(port: int, api: str) -> None:
    console, server = Console(), PaymentServer()

    def tell(request: Request) -> Reply | None:
        console.print(f"{request.method} {request.path}", highlight=False)
        return None

    server.serve(tell)
    moyasar = MoyasarProtocol(server, webhook_url=f"{api}/v1/webhooks/moyasar")
    stripe = StripeProtocol(server, webhook_url=f"{api}/v1/webhooks/stripe")
    paypal = PayPalProtocol(server, webhook_url=f"{api}/v1/webhooks/paypal")
    MoyasarSettlements(server, moyasar, closes_by_itself=True)
    StripeReports(server, stripe)
    PayoutProtocol(server, settles_when_asked=True)
    PayPalTransactions(server, paypal)
    zatca = ZatcaProtocol(server, vat_number=SELLER)
    csids = CsidProtocol(server, zatca, vat_number=SELLER, now=_now())
    csids.otps.update(OTPS)
    async with server.running(port):
        console.print(settings_for(server.url), highlight=False, soft_wrap=True)
        console.print(_cards())
        passwords = ", each once: ".join(("one-time passwords for onboard-unit", ", ".join(OTPS)))
        console.print(passwords, highlight=False)
        await asyncio.Event().wait()


def _now() -> datetime:
    return datetime.fromtimestamp(SystemClock().now() // SECOND_MS, tz=UTC)


def settings_for(url: str) -> str:
    """The variables with which `hadiyati up` and `demo` use a server at this address."""
    return "\n".join(
        (
            "HADIYATI_PAYMENTS__MODE=required",
            f"HADIYATI_MOYASAR__URL={url}",
            f"HADIYATI_MOYASAR__SECRET_KEY={SECRET_KEY}",
            f"HADIYATI_MOYASAR__PUBLISHABLE_KEY={PUBLISHABLE_KEY}",
            f"HADIYATI_MOYASAR__WEBHOOK_SECRET={WEBHOOK_SECRET}",
            f"HADIYATI_STRIPE__URL={url}",
            f"HADIYATI_STRIPE__FILES_URL={url}",
            f"HADIYATI_STRIPE__SECRET_KEY={STRIPE_KEY}",
            f"HADIYATI_STRIPE__WEBHOOK_SECRET={STRIPE_WEBHOOKS}",
            f"HADIYATI_PAYPAL__URL={url}",
            f"HADIYATI_PAYPAL__CLIENT_ID={PAYPAL_ID}",
            f"HADIYATI_PAYPAL__SECRET_KEY={PAYPAL_SECRET}",
            f"HADIYATI_PAYPAL__WEBHOOK_ID={WEBHOOK_ID}",
            "HADIYATI_PAYOUTS__PROVIDER=moyasar",
            f"HADIYATI_PAYOUTS__URL={url}",
            f"HADIYATI_PAYOUTS__API_KEY={PAYOUT_KEY}",
            f"HADIYATI_PAYOUTS__SOURCE_ID={SOURCE_ID}",
            'HADIYATI_BOOKS__FETCH_SETTLEMENTS=["moyasar","stripe","paypal"]',
            f"HADIYATI_ZATCA__URL={url}",
            f"HADIYATI_ZATCA__TOKEN={ZATCA_TOKEN}",
            f"HADIYATI_ZATCA__SECRET={ZATCA_SECRET}",
        )
    )


def _cards() -> Table:
    table = Table("card or account", "network", "what happens")
    for one in (*CARDS, *ACCOUNTS):
        table.add_row(one.number, one.network.value, one.meaning)
    return table
