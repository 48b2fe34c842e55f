"""A client of PayPal's between the tills and the local payment server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from actors.gateways.paypal import PayPal
from actors.gateways.settings import PayPalSettings
from engine.payments.gateways import Source, SourceKind
from simulations.gateways.paypal import CLIENT_ID, SECRET, WEBHOOK_ID, PayPalProtocol
from tests.actors.tills import Tills

PAYPAL = Source(kind=SourceKind.PAYPAL)
BUYER, DECLINED = "buyer@paypal.example", "declined@paypal.example"
MUTE, DEAF = "mute@paypal.example", "deaf@paypal.example"


@asynccontextmanager
async def at_paypal(tills: Tills, **more: Any) -> AsyncIterator[tuple[PayPal, PayPalProtocol]]:
    protocol = PayPalProtocol(tills.server, webhook_url="http://held.example/")
    settings = PayPalSettings(
        client_id=CLIENT_ID,
        secret_key=SecretStr(SECRET),
        **{"url": tills.server.url, "webhook_id": WEBHOOK_ID, **more},
    )
    url = "https://hadiyati.example/v1/payments"
    async with PayPal(settings, return_url=url, timeout_s=20, clock=tills.clock) as gateway:
        yield gateway, protocol
