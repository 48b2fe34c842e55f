"""Paying over HTTP, with a payment server on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from pydantic import SecretStr

from actors.gateways.cash import Cash
from actors.gateways.moyasar import Moyasar
from actors.gateways.payouts import PayoutGateway
from actors.gateways.settings import MoyasarSettings, PaymentSettings, PaymentsMode, PayPalSettings
from actors.gateways.wallet import Wallet
from actors.ledger import LedgerKeeper
from api.parts import Parts
from api.server import open_gateways
from api.settings import Settings
from engine.money.accounts import AccountKind, account
from engine.payments.gateways import GatewayName
from simulations.gateways.moyasar import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    MoyasarProtocol,
)
from simulations.gateways.server import PaymentServer
from simulations.gateways.stc_pay import RIGHT, WRONG
from storage.memory_ledger import MemoryLedger
from tests.api.passing import outlive_quote
from tests.api.test_wallet import balances, enter
from tests.api.town import QUOTE, Person, Town, a_town, order_body

VISA, MADA, SECURE, BROKE = (
    "4111111111111111",
    "4201320111111010",
    "4000000000003220",
    "4201320000311101",
)


class Shop:
    """The edge with payments, and the server that stands for the gateway."""

    def __init__(
        self,
        town: Town,
        server: PaymentServer,
        protocol: MoyasarProtocol,
        http: httpx2.AsyncClient,
    ) -> None:
        self.town, self.server, self.protocol, self.http = town, server, protocol, http

    async def wish(self, person: Person, number: str) -> dict[str, Any]:
        card = {"name": "Sara", "number": number, "month": "12", "year": "2030", "cvc": "123"}
        made = await self.http.post("/v1/tokens", json=card, auth=(PUBLISHABLE_KEY, ""))
        return {
            "order": order_body(await person.quote()),
            "network": "visa",
            "source": {"kind": "token", "value": made.json()["id"]},
        }

    async def pay(self, person: Person, number: str) -> dict[str, Any]:
        made = await person.post("/v1/payments", await self.wish(person, number))
        assert made.status_code == 201, made.text
        return dict(made.json())

    async def until(self, person: Person, payment_id: str, **fields: Any) -> dict[str, Any]:
        """The payment, as soon as it shows these fields."""
        async with asyncio.timeout(30):
            while True:
                told = (await person.get(f"/v1/payments/{payment_id}")).json()
                if all(told[name] == value for name, value in fields.items()):
                    return dict(told)
                await self.town.parts.wall.sleep(20)


@asynccontextmanager
async def a_shop(
    folder: Path, *, payout_gateway: PayoutGateway | None = None, **payments: Any
) -> AsyncIterator[Shop]:
    server = PaymentServer()
    async with server.running():
        protocol = MoyasarProtocol(server)
        settings = MoyasarSettings(
            url=server.url,
            secret_key=SecretStr(SECRET_KEY),
            publishable_key=PUBLISHABLE_KEY,
            webhook_secret=SecretStr(WEBHOOK_SECRET),
        )
        async with (
            Moyasar(settings, return_url="https://x.example/v1/payments", timeout_s=20) as moyasar,
            a_town(
                folder,
                payments=PaymentSettings(mode=PaymentsMode.REQUIRED, **payments),
                gateways={GatewayName.MOYASAR: moyasar, GatewayName.CASH: Cash()},
                parts_of=_with_wallet,
                payout_gateway=payout_gateway,
            ) as town,
            httpx2.AsyncClient(
                base_url=server.url, trust_env=False, verify=False, timeout=20
            ) as http,
        ):
            protocol.webhook_url = f"{town.url}/v1/webhooks/moyasar"
            yield Shop(town, server, protocol, http)


def _with_wallet(parts: Parts) -> Parts:
    wallet = Wallet(LedgerKeeper(parts.ledger, wall=parts.wall), parts.ledger)
    return replace(parts, gateways={**parts.gateways, GatewayName.WALLET: wallet})


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


async def test_a_paid_quote_becomes_an_order(shop: Shop) -> None:
    sara, other = await shop.town.log_in("customer"), await shop.town.log_in("customer")
    told = await shop.pay(sara, VISA)
    assert (told["status"], told["flow"], told["is_placed"]) == ("authorised", "hold", True)
    assert told["card"] == {
        "network": "visa",
        "last_four": "1111",
        "expires_year": 2030,
        "expires_month": 12,
    }
    order = await sara.get(f"/v1/orders/{told['order_id']}")
    assert order.json()["status"] == "waiting"
    path = f"/v1/payments/{told['payment_id']}"
    assert (await sara.get(path)).json() == told
    assert (await sara.get("/v1/payments")).json() == {
        "payments": [told],
        "next": None,
        "previous": None,
    }
    assert (await other.get(path)).status_code == 404
    assert (await other.get("/v1/payments")).json()["payments"] == []
    assert (await (await shop.town.operator()).get(path)).status_code == 200


async def test_where_orders_are_paid_for_none_is_placed_without(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    body = order_body(await sara.quote())
    refused = await sara.post("/v1/orders", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_required")
    methods = (await shop.town.client.get("/v1/payment-methods")).json()
    assert methods["is_required"]
    flows = {one["network"]: one["flow"] for one in methods["methods"]}
    assert (flows["mada"], flows["visa"]) == ("charge", "hold")


async def test_where_they_are_not_nobody_pays(town: Town) -> None:
    sara = await town.log_in("customer")
    source = {"kind": "token", "value": "t"}
    wish = {"order": order_body(await sara.quote()), "network": "visa", "source": source}
    refused = await sara.post("/v1/payments", wish)
    assert (refused.status_code, refused.json()["code"]) == (409, "payments_off")
    assert (await town.client.get("/v1/payment-methods")).json() == {
        "is_required": False,
        "methods": [],
    }


async def test_a_customer_confirms_at_his_bank_and_comes_back(tmp_path: Path) -> None:
    async with a_shop(tmp_path, return_url="hadiyati://paid") as shop:
        sara = await shop.town.log_in("customer")
        told = await shop.pay(sara, SECURE)
        assert told["status"] == "challenged"
        page = await shop.http.get(told["challenge_url"])
        assert "3-D Secure" in page.text
        confirmed = await shop.http.post(told["challenge_url"], data={"answer": "yes"})
        back = confirmed.headers["location"].removeprefix("https://x.example")
        returned = await shop.town.client.get(back, follow_redirects=False)
        assert returned.status_code == 303
        wanted = f"hadiyati://paid?payment_id={told['payment_id']}"
        assert returned.headers["location"] == wanted
        assert (await sara.get(f"/v1/orders/{told['order_id']}")).status_code == 200


async def test_who_pays_by_stc_pay_tells_its_code(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    source = {"kind": "stc_pay", "value": "+966500000001"}
    for code, status in ((WRONG, "declined"), (RIGHT, "captured")):
        wish = {**await shop.wish(sara, VISA), "network": "stc_pay", "source": source}
        told = (await sara.post("/v1/payments", wish)).json()
        assert (told["status"], told["is_placed"]) == ("challenged", False), told
        await shop.http.post(told["challenge_url"], json={"otp_value": code})
        fields = {"status": status, "is_placed": code == RIGHT}
        told = await shop.until(sara, told["payment_id"], **fields)
        assert told["reason"] == ("" if code == RIGHT else "Invalid OTP")
        order = await sara.get(f"/v1/orders/{told['order_id']}")
        assert order.status_code == (200 if code == RIGHT else 404)


async def test_a_webhook_is_enough(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara, SECURE)
    await shop.http.post(told["challenge_url"], data={"answer": "yes"})
    await shop.until(sara, told["payment_id"], status="authorised", is_placed=True)


async def test_nobody_speaks_for_the_gateway(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara, SECURE)
    word = {"id": "1", "secret_token": "guess", "data": {"id": told["payment_id"]}}
    for body in (msgspec.json.encode(word), b"{", b""):
        refused = await shop.town.client.post("/v1/webhooks/moyasar", content=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "notice_not_genuine")
    # Who only says that he has paid has not.
    back = await shop.town.client.get(f"/v1/payments/{told['payment_id']}/return?status=paid")
    assert back.json()["status"] == "challenged"


async def test_the_same_key_is_the_same_payment_and_never_another(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    wish = await shop.wish(sara, MADA)
    first = await sara.post("/v1/payments", wish, key="one same key")
    again = await sara.post("/v1/payments", wish, key="one same key")
    assert first.json() == again.json()
    assert len(shop.protocol.till.charges) == 1
    other = await shop.wish(sara, MADA)
    reused = await sara.post("/v1/payments", other, key="one same key")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_same_key_is_the_same_payment_when_its_quote_has_expired_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sara = await shop.town.log_in("customer")
    wish, other = await shop.wish(sara, MADA), await shop.wish(sara, MADA)
    first = await sara.post("/v1/payments", wish, key="one same key")
    sara = await outlive_quote(monkeypatch, shop.town, sara, other["order"])
    again = await sara.post("/v1/payments", wish, key="one same key")
    assert (again.status_code, again.json()) == (201, first.json())
    reused = await sara.post("/v1/payments", other, key="one same key")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    late = await sara.post("/v1/payments", other)
    assert (late.status_code, late.json()["code"]) == (410, "quote_expired")
    assert len(shop.protocol.till.charges) == 1


async def test_what_was_not_quoted_so_is_refused_before_the_card_is_asked(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    wish = await shop.wish(sara, MADA)
    door = {**wish["order"]["door"], "lat": QUOTE["door"]["lat"] + 0.01}
    past = {"start": 1, "end": 2}
    for fields, code, field in (
        ({"door": door}, "quote_mismatch", "door"),
        ({"shop": door}, "quote_mismatch", "shop"),
        ({"window": past}, "bad_window", None),
    ):
        refused = await sara.post("/v1/payments", {**wish, "order": {**wish["order"], **fields}})
        told = refused.json()
        assert (refused.status_code, told["code"], told.get("field")) == (422, code, field)
    assert shop.protocol.till.charges == {}
    assert (await sara.post("/v1/payments", wish)).json()["is_placed"]


async def test_a_declined_card_says_why(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara, BROKE)
    assert (told["status"], told["reason"]) == ("declined", "INSUFFICIENT_FUNDS")
    assert (await sara.get(f"/v1/orders/{told['order_id']}")).status_code == 404


async def test_no_card_number_is_anywhere(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara, MADA)
    payment = await shop.town.parts.payments.find(told["payment_id"])
    kept = msgspec.json.encode((payment, told)).decode()
    assert MADA not in kept
    assert "token_" not in kept


async def test_the_gateways_are_those_that_the_settings_give_accounts_at() -> None:
    async def found(**fields: Any) -> set[GatewayName]:
        async with open_gateways(Settings(**fields), MemoryLedger()) as gateways:
            assert all(name is one.name for name, one in gateways.items())
            return set(gateways)

    account = MoyasarSettings(secret_key=SecretStr(SECRET_KEY))
    required = PaymentSettings(mode=PaymentsMode.REQUIRED)
    assert await found() == set()
    assert await found(moyasar=account) == {GatewayName.MOYASAR}
    everything = await found(moyasar=account, payments=required)
    assert everything == {GatewayName.MOYASAR, GatewayName.WALLET, GatewayName.CASH}
    paypal = PayPalSettings(client_id="app", secret_key=SecretStr("secret"))
    assert await found(paypal=paypal) == {GatewayName.PAYPAL}
    with pytest.raises(ValueError, match="secret_key is empty"):
        Settings(payments=required)


async def test_a_saved_card_pays_again_and_nobody_elses_does(shop: Shop) -> None:
    sara, other = await shop.town.log_in("customer"), await shop.town.log_in("customer")
    wish = await shop.wish(sara, MADA)
    paid = await sara.post("/v1/payments", {**wish, "save": True})
    assert paid.status_code == 201
    (saved,) = (await sara.get("/v1/saved-methods")).json()["methods"]
    assert (saved["network"], saved["card"]["last_four"]) == ("mada", MADA[-4:])
    assert "token_" not in str(saved)
    source = {"kind": "saved", "value": saved["method_id"]}
    again = {**await shop.wish(sara, MADA), "source": source}
    assert (await sara.post("/v1/payments", again)).json()["status"] == "captured"
    theirs = {**await shop.wish(other, MADA), "source": source}
    refused = await other.post("/v1/payments", theirs)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_method")
    path = f"/v1/saved-methods/{saved['method_id']}"
    assert (await shop.town.client.delete(path, headers=other.headers)).status_code == 404
    left = await shop.town.client.delete(path, headers=sara.headers)
    assert left.json() == {"methods": []}
    assert (await sara.post("/v1/payments", again)).status_code == 404


async def test_a_declined_card_is_not_saved(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    await sara.post("/v1/payments", {**await shop.wish(sara, BROKE), "save": True})
    assert (await sara.get("/v1/saved-methods")).json() == {"methods": []}


async def test_the_wallet_pays_a_part_and_the_card_the_rest(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    for kind, amount in ((AccountKind.GIFT_CREDIT, 300), (AccountKind.CUSTOMER_WALLET, 500)):
        await enter(shop.town, account(kind, sara.user_id), amount)
    wish = await shop.wish(sara, VISA)
    quote = (await sara.post("/v1/quotes", QUOTE)).json()
    assert quote["split"] == {
        "wallet_halalas": 800,
        "credit_halalas": 300,
        "rest_halalas": quote["total_halalas"] - 800,
    }
    for part in (quote["total_halalas"], 100_000):
        refused = await sara.post("/v1/payments", {**wish, "wallet_halalas": part})
        assert (refused.status_code, refused.json()["code"]) == (422, "split_refused")
    split = {**wish, "wallet_halalas": 800}
    made = await sara.post("/v1/payments", split, key="split-payment")
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["wallet"] == {"amount_halalas": 800, "captured_halalas": 0, "refunded_halalas": 0}
    assert (told["status"], told["gateway"], told["is_placed"]) == ("authorised", "moyasar", True)
    (charge,) = shop.protocol.till.charges.values()
    assert charge.amount == told["amount_halalas"] - 800
    assert (await balances(sara))["customer_wallet"] == (0, 500)
    same = await sara.post("/v1/payments", split, key="split-payment")
    assert same.json()["payment_id"] == told["payment_id"]
    other = await sara.post("/v1/payments", wish, key="split-payment")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    await sara.post(f"/v1/orders/{told['order_id']}/cancel", {"reason": "other"})
    await shop.until(sara, told["payment_id"], status="voided")
    assert (await balances(sara))["customer_wallet"] == (500, 500)
    assert (await balances(sara))["gift_credit"] == (300, 300)


async def test_a_wallet_that_has_too_little_declines_and_the_card_is_not_charged(
    shop: Shop,
) -> None:
    sara = await shop.town.log_in("customer")
    wish = {**await shop.wish(sara, VISA), "wallet_halalas": 800}
    told = (await sara.post("/v1/payments", wish)).json()
    assert (told["status"], told["reason"]) == ("declined", "BALANCE_TOO_LOW")
    assert not shop.protocol.till.charges
