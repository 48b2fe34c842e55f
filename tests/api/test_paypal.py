"""Paying by PayPal over HTTP: shown where there is an account, approved by the customer, heard."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from actors.clock import SystemClock
from actors.gateways.cash import Cash
from actors.gateways.paypal import PayPal
from actors.gateways.settings import PaymentSettings, PaymentsMode, PayPalSettings
from engine.payments.gateways import GatewayName
from simulations.gateways.cards import Silence
from simulations.gateways.paypal import CLIENT_ID, SECRET, WEBHOOK_ID, PayPalProtocol
from simulations.gateways.server import PaymentServer
from tests.api.town import Person, Town, a_town, order_body

BUYER = {"answer": "buyer@paypal.example"}


class Shop:
    """The edge with PayPal alone, and the server that plays it."""

    def __init__(self, town: Town, server: PaymentServer, http: httpx2.AsyncClient) -> None:
        self.town, self.server, self.http = town, server, http

    async def pay(self, person: Person) -> dict[str, Any]:
        wish = {
            "order": order_body(await person.quote()),
            "network": "paypal",
            "source": {"kind": "paypal"},
        }
        made = await person.post("/v1/payments", wish)
        assert made.status_code == 201, made.text
        return dict(made.json())


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    server = PaymentServer()
    async with server.running():
        protocol = PayPalProtocol(server)
        settings = PayPalSettings(
            url=server.url,
            client_id=CLIENT_ID,
            secret_key=SecretStr(SECRET),
            webhook_id=WEBHOOK_ID,
        )
        url = "https://x.example/v1/payments"
        async with PayPal(settings, return_url=url, timeout_s=20, clock=SystemClock()) as paypal:
            required = PaymentSettings(mode=PaymentsMode.REQUIRED)
            async with (
                a_town(
                    tmp_path,
                    payments=required,
                    gateways={GatewayName.PAYPAL: paypal, GatewayName.CASH: Cash()},
                ) as town,
                httpx2.AsyncClient(
                    base_url=server.url, trust_env=False, verify=False, timeout=20
                ) as http,
            ):
                protocol.webhook_url = f"{town.url}/v1/webhooks/paypal"
                yield Shop(town, server, http)


async def test_it_is_offered_and_what_has_no_account_is_not(shop: Shop) -> None:
    told = (await shop.town.client.get("/v1/payment-methods")).json()
    shown = {one["network"]: (one["gateway"], one["flow"]) for one in told["methods"]}
    assert shown == {"paypal": ("paypal", "hold"), "cash": ("cash", "hold")}
    sara = await shop.town.log_in("customer")
    wish = {
        "order": order_body(await sara.quote()),
        "network": "visa",
        "source": {"kind": "token", "value": "t"},
    }
    refused = await sara.post("/v1/payments", wish)
    assert (refused.status_code, refused.json()["code"]) == (422, "method_not_offered")


async def test_a_customer_approves_and_comes_back(shop: Shop) -> None:
    shop.server.holds_webhooks = True
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara)
    assert (told["status"], told["card"]) == ("challenged", None)
    sent = await shop.http.post(told["challenge_url"], data=BUYER)
    back = httpx2.URL(sent.headers["location"])
    assert back.path == f"/v1/payments/{told['payment_id']}/return"
    shown = await shop.town.client.get(f"{back.path}?{back.query.decode()}")
    assert shown.json() == {
        "payment_id": told["payment_id"],
        "status": "authorised",
        "is_placed": True,
    }


async def test_a_webhook_is_enough(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara)
    await shop.http.post(told["challenge_url"], data=BUYER)
    async with asyncio.timeout(60):
        while not told["is_placed"]:
            await shop.town.parts.wall.sleep(20)
            told = (await sara.get(f"/v1/payments/{told['payment_id']}")).json()
    assert told["status"] == "authorised"


async def test_a_webhook_is_sent_again_when_it_could_not_be_verified(shop: Shop) -> None:
    shop.server.holds_webhooks = True
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara)
    await shop.http.post(told["challenge_url"], data=BUYER)
    (word,) = shop.server.webhooks

    async def send(**headers: str) -> httpx2.Response:
        sent = {**word.headers, **headers}
        return await shop.town.client.post("/v1/webhooks/paypal", content=word.body, headers=sent)

    shop.server.fall_silent("verify-webhook-signature", Silence.AFTER)
    assert (await send()).status_code == 503
    forged = await send(**{"paypal-transmission-sig": "guessed"})
    assert (forged.status_code, forged.json()["code"]) == (403, "notice_not_genuine")
    assert (await send()).json() == {"is_known": True}
