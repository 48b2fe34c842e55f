"""A client of Stripe's between the tills and the local payment server."""

from pydantic import SecretStr

from actors.gateways.settings import StripeSettings
from actors.gateways.stripe import Stripe
from simulations.gateways.stripe import SECRET_KEY, WEBHOOK_SECRET, StripeProtocol
from tests.actors.tills import Tills


def at_stripe(tills: Tills) -> tuple[Stripe, StripeProtocol]:
    protocol = StripeProtocol(tills.server, webhook_url="http://held.example/")
    settings = StripeSettings(
        url=tills.server.url,
        secret_key=SecretStr(SECRET_KEY),
        webhook_secret=SecretStr(WEBHOOK_SECRET),
    )
    gateway = Stripe(settings, return_url="https://x.example/v1/payments", timeout_s=20)
    return gateway, protocol
