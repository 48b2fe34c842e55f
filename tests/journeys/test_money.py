"""What customers, couriers and operators do about money, over HTTP and sockets, in one service."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from actors.gateways.moyasar import Moyasar
from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.gateways.settings import (
    MoyasarSettings,
    PaymentSettings,
    PaymentsMode,
    PayoutSettings,
)
from engine.money.accounts import AccountId
from engine.money.periods import after, month_at
from engine.payments.gateways import GatewayName
from simulations.gateways.moyasar import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    MoyasarProtocol,
)
from simulations.gateways.payouts import SECRET_KEY as PAYOUT_KEY
from simulations.gateways.payouts import SOURCE_ID, PayoutProtocol
from simulations.gateways.server import PaymentServer
from tests.api.town import Person, Socket, Town, a_town, order_body

pytestmark = pytest.mark.journey

VISA, MADA, SECURE, BROKE = (
    "4111111111111111",
    "4201320111111010",
    "4000000000003220",
    "4201320000311101",
)
_PATIENCE_S = 60
BANK = {"iban": "SA0380000000608010167519", "holder_name": "Salem", "city": "Riyadh"}


class Service:
    """The service, the gateways beside it, one courier, and whoever walks through it."""

    def __init__(self, town: Town, http: httpx2.AsyncClient, bank: PayoutProtocol) -> None:
        self.town, self.http, self.bank = town, http, bank
        self.courier: Person
        self.phone: Socket

    async def begin(self) -> None:
        self.courier, self.phone = await self.town.courier()

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What is looked for, as soon as it is there."""
        async with asyncio.timeout(_PATIENCE_S):
            while not (found := await look()):
                await self.town.parts.wall.sleep(30)
        return found

    async def pay(self, person: Person, number: str, quote_id: str = "") -> dict[str, Any]:
        card = {"name": "Sara", "number": number, "month": "12", "year": "2030", "cvc": "123"}
        made = await self.http.post("/v1/tokens", json=card, auth=(PUBLISHABLE_KEY, ""))
        wish = {
            "order": order_body(quote_id or await person.quote()),
            "network": "visa",
            "source": {"kind": "token", "value": made.json()["id"]},
        }
        told = await person.post("/v1/payments", wish)
        assert told.status_code == 201, told.text
        return dict(told.json())

    async def payment(self, person: Person, told: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The payment, as soon as it shows these fields."""

        async def look() -> dict[str, Any] | None:
            found = (await person.get(f"/v1/payments/{told['payment_id']}")).json()
            return found if all(found[one] == value for one, value in fields.items()) else None

        return dict(await self.until(look))

    async def history(self, person: Person, told: dict[str, Any], back: int) -> bool:
        """Whether his history shows that a card paid it, and that so much of it went back."""
        entries = (await person.get("/v1/payment-history?sort=number")).json()["entries"]
        of_it = [one for one in entries if one["payment_id"] == told["payment_id"]]
        moved = [
            (one["kind"], line["means"], line["amount"]) for one in of_it for line in one["lines"]
        ]
        return moved == [
            ("payment", "gateway", -told["amount_halalas"]),
            ("refund", "gateway", back),
        ]

    async def invoices(self, person: Person, order_id: str, count: int) -> list[dict[str, Any]]:
        async def look() -> list[dict[str, Any]] | None:
            found = (await person.get(f"/v1/orders/{order_id}/invoices")).json()["invoices"]
            return found if len(found) >= count else None

        return list(await self.until(look))

    async def carry(self, person: Person, order_id: str, *steps: str) -> None:
        """The courier takes the order, and comes so far."""
        while order_id not in (offer := await self.phone.offer(self.courier))["order_ids"]:
            pass
        await self.phone.tell("accept", offer_id=offer["offer_id"])
        pin = (await person.get(f"/v1/orders/{order_id}")).json()["pin"]
        more = {"delivered": {"pin": pin}, "attempt_failed": {"reason": "nobody_home"}}
        for step in steps:
            told = await self.phone.tell(
                "progress", order_id=order_id, step=step, **more.get(step, {})
            )
            assert told["type"] == "reply", told

    async def balance(self, name: str) -> int:
        return (await self.town.parts.ledger.find_balance(AccountId(name))).posted


TO_SHOP = ("reached_shop",)
ON_BOARD = (*TO_SHOP, "picked_up")
DELIVERED = (*ON_BOARD, "reached_door", "delivered")
RETURNED = (*ON_BOARD, "reached_door", "attempt_failed", "return_started", "returned")


async def ordered_paid_delivered_and_invoiced(one: Service) -> None:
    sara = await one.town.log_in("customer")
    told = await one.pay(sara, VISA)
    assert (told["status"], told["is_placed"]) == ("authorised", True)
    await one.carry(sara, told["order_id"], *DELIVERED)
    paid = await one.payment(sara, told, status="captured")
    assert paid["captured_halalas"] == told["amount_halalas"]
    (invoice,) = await one.invoices(sara, told["order_id"], 1)
    assert invoice["payable_halalas"] == told["amount_halalas"]
    xml = await one.town.client.get(invoice["xml"])
    assert invoice["number"].encode() in xml.content


async def declined_and_paid_with_another_card(one: Service) -> None:
    sara = await one.town.log_in("customer")
    quote_id = await sara.quote()
    told = await one.pay(sara, BROKE, quote_id)
    assert (told["status"], told["reason"]) == ("declined", "INSUFFICIENT_FUNDS")
    again = await one.pay(sara, MADA, quote_id)
    assert (again["status"], again["is_placed"]) == ("captured", True)
    cancelled = await sara.post(f"/v1/orders/{again['order_id']}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200, cancelled.text
    await one.payment(sara, again, status="refunded")


async def confirmed_at_the_bank(one: Service) -> None:
    sara = await one.town.log_in("customer")
    told = await one.pay(sara, SECURE)
    assert (told["status"], told["is_placed"]) == ("challenged", False)
    page = await one.http.get(told["challenge_url"])
    assert "3-D Secure" in page.text
    back = await one.http.post(told["challenge_url"], data={"answer": "yes"})
    assert told["payment_id"] in back.headers["location"]
    home = await one.town.client.get(f"/v1/payments/{told['payment_id']}/return")
    assert home.status_code in {200, 303}
    paid = await one.payment(sara, told, is_placed=True)
    assert paid["status"] == "authorised"
    cancelled = await sara.post(f"/v1/orders/{told['order_id']}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200, cancelled.text
    await one.payment(sara, told, status="voided")


async def cancelled_with_a_fee(one: Service) -> None:
    sara = await one.town.log_in("customer")
    told = await one.pay(sara, MADA)
    await one.carry(sara, told["order_id"], *TO_SHOP)
    terms = (await sara.get(f"/v1/orders/{told['order_id']}/cancellation")).json()
    assert terms["charge_halalas"] > 0
    cancelled = await sara.post(f"/v1/orders/{told['order_id']}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200, cancelled.text
    await one.payment(sara, told, refunded_halalas=terms["refund_halalas"])
    (invoice,) = await one.invoices(sara, told["order_id"], 1)
    assert invoice["payable_halalas"] == terms["charge_halalas"]


async def brought_back_when_nobody_was_there(one: Service) -> None:
    sara = await one.town.log_in("customer")
    told = await one.pay(sara, VISA)
    await one.carry(sara, told["order_id"], *RETURNED)
    paid = await one.payment(sara, told, status="captured")
    order = (await sara.get(f"/v1/orders/{told['order_id']}")).json()
    assert order["status"] == "returned"
    (invoice,) = await one.invoices(sara, told["order_id"], 1)
    assert invoice["payable_halalas"] >= paid["captured_halalas"] > 0


async def partly_given_back(one: Service) -> None:
    sara, operator = await one.town.log_in("customer"), await one.town.operator()
    told = await one.pay(sara, VISA)
    await one.carry(sara, told["order_id"], *DELIVERED)
    await one.invoices(sara, told["order_id"], 1)
    await one.payment(sara, told, status="captured")

    async def is_sold() -> bool:
        lines = (await operator.get(f"/v1/orders/{told['order_id']}/money")).json()["lines"]
        entered = {one["type"] for one in lines if one["source"] == "ledger"}
        return "sale" in entered and not await one.balance(f"order:{told['order_id']}")

    await one.until(is_sold)
    wish = {"amount_halalas": 700, "reason": "goods", "note": "withered"}
    given = await operator.post(f"/v1/payments/{told['payment_id']}/refunds", wish)
    assert (given.status_code, given.json()["refunded_halalas"]) == (201, 700)
    # Nobody asked for the credit note.
    _, note = await one.invoices(sara, told["order_id"], 2)
    assert (note["kind"], note["payable_halalas"]) == ("credit_note", 700)
    await one.until(lambda: one.history(sara, told, 700))
    story = (await operator.get(f"/v1/orders/{told['order_id']}/money")).json()
    assert {one["source"] for one in story["lines"]} == {"order", "payment", "ledger", "document"}
    kept = told["amount_halalas"] - 700
    assert story["taken_halalas"] - story["given_back_halalas"] == kept
    assert (story["documented_halalas"], story["on_account_halalas"]) == (kept, 0)
    times = [one["at"] for one in story["lines"]]
    assert times == sorted(times)


async def held_for_a_dispute_and_paid_out(one: Service) -> None:
    sara, operator = await one.town.log_in("customer"), await one.town.operator()
    told = await one.pay(sara, VISA)
    await one.carry(sara, told["order_id"], *DELIVERED)
    wallet = f"courier_wallet:{one.courier.user_id}"

    async def is_earned() -> bool:
        entries = await one.town.parts.ledger.list_entries_about(
            f"order:{told['order_id']}", limit=100
        )
        return any(entry.transfer.reason == "earning" for entry in entries)

    await one.until(is_earned)
    before = await one.balance(wallet)
    held = {
        "courier_id": one.courier.user_id,
        "order_id": told["order_id"],
        "halalas": 500,
        "reason": "the box was open",
    }
    opened = await operator.post("/v1/disputes", held)
    assert opened.status_code == 201, opened.text
    assert await one.balance(wallet) == before - 500
    kept = await one.courier.put("/v1/wallet/bank-account", BANK)
    assert kept.status_code == 200, kept.text
    made = await one.courier.post("/v1/wallet/payouts", {})
    assert made.status_code == 201, made.text
    payout = made.json()
    assert payout["amount_halalas"] + payout["fee_halalas"] == before - 500
    closed = await operator.post(
        f"/v1/disputes/{opened.json()['dispute_id']}/close",
        {"outcome": "released", "reason": "a misunderstanding"},
    )
    assert closed.status_code == 200, closed.text
    assert await one.balance(wallet) == 500
    one.bank.settle()
    assert one.bank.paid_halalas() == payout["amount_halalas"]


async def the_books_agree(one: Service) -> None:
    """What is declared is what was invoiced less what was credited, as the ledger has it.

    Orders are invoiced by a clock that runs ahead of the one their payments are entered by, and it
    may be in the next month already.
    """
    sara = await one.town.log_in("customer")
    operator, admin = await one.town.operator(), await one.town.admin()
    month = month_at(one.town.parts.wall.now())
    months = [f"/v1/periods/{of.name}" for of in (month, after(month))]

    async def declared() -> Counter[str] | None:
        found = Counter[str]()
        for path in months:
            told = (await admin.get(f"{path}/vat-return")).json()
            found.update({name: told[name] for name in told if name.endswith("_halalas")})
        return found if found["difference_halalas"] == 0 else None

    before = await one.until(declared)
    told = await one.pay(sara, VISA)
    await one.carry(sara, told["order_id"], *DELIVERED)
    await one.payment(sara, told, status="captured")
    back = {"amount_halalas": 1150, "reason": "goods", "note": "withered"}
    path = f"/v1/payments/{told['payment_id']}/refunds"
    assert (await operator.post(path, back)).status_code == 201
    invoice, note = await one.invoices(sara, told["order_id"], 2)
    vat = await one.until(declared)
    for name, part in (("output_vat_halalas", "vat_halalas"), ("sales_net_halalas", "net_halalas")):
        assert vat[name] - before[name] == invoice[part] - note[part] > 0
    for path in months:
        turnovers = (await admin.get(f"{path}/trial-balance")).json()["turnovers"]
        for asset in {each["asset"] for each in turnovers}:
            of_it = [each for each in turnovers if each["asset"] == asset]
            assert sum(each["debits"] - each["credits"] for each in of_it) == 0
    refused = await admin.post(f"{months[1]}/close")
    assert (refused.status_code, refused.json()["code"]) == (409, "period_not_over")


JOURNEYS = (
    ordered_paid_delivered_and_invoiced,
    declined_and_paid_with_another_card,
    confirmed_at_the_bank,
    cancelled_with_a_fee,
    brought_back_when_nobody_was_there,
    partly_given_back,
    held_for_a_dispute_and_paid_out,
    the_books_agree,
)


@asynccontextmanager
async def a_service(folder: Path) -> AsyncIterator[Service]:
    server = PaymentServer()
    cards, bank = MoyasarProtocol(server), PayoutProtocol(server)
    async with (
        server.running(),
        Moyasar(
            MoyasarSettings(
                url=server.url,
                secret_key=SecretStr(SECRET_KEY),
                publishable_key=PUBLISHABLE_KEY,
                webhook_secret=SecretStr(WEBHOOK_SECRET),
            ),
            return_url="https://x.example/v1/payments",
            timeout_s=20,
        ) as moyasar,
        MoyasarPayouts(
            PayoutSettings(url=server.url, api_key=SecretStr(PAYOUT_KEY), source_id=SOURCE_ID)
        ) as payouts,
        a_town(
            folder,
            payments=PaymentSettings(mode=PaymentsMode.REQUIRED),
            gateways={GatewayName.MOYASAR: moyasar},
            payout_gateway=payouts,
        ) as town,
        httpx2.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=20) as http,
    ):
        cards.webhook_url = f"{town.url}/v1/webhooks/moyasar"
        service = Service(town, http, bank)
        await service.begin()
        yield service


async def test_every_journey_of_money_comes_to_its_end(tmp_path: Path) -> None:
    async with a_service(tmp_path) as service:
        failed = list[Exception]()
        for journey in JOURNEYS:
            try:
                await journey(service)
            except Exception as error:  # noqa: BLE001 - the others are told, too
                error.add_note(f"journey: {journey.__name__}")
                failed.append(error)
    if failed:
        raise ExceptionGroup("journeys that came to no good end", failed)
