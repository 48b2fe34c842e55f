"""Cash at the door over HTTP: from the order to the deposit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors.clock import SystemClock
from actors.gateways.cash import Cash
from actors.gateways.settings import PaymentSettings, PaymentsMode
from api.sending import carry_out
from engine.kernel.ids import CommandId, CourierId, UserId
from engine.kernel.messages import Caller, Role
from engine.money.cash import DepositCash, Receipt
from engine.payments.gateways import GatewayName
from tests.api.test_earnings import PATIENCE_S, lines_of
from tests.api.town import Person, Town, a_town, order_body
from tests.builders import new_id

OPEN = {"description": "Roses", "hide_price": False}


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Town]:
    payments = PaymentSettings(mode=PaymentsMode.REQUIRED)
    gateways = {GatewayName.CASH: Cash()}
    async with a_town(tmp_path, payments=payments, gateways=gateways) as town:
        yield town


async def take_cash(town: Town, operator: Person, **parameters: int) -> None:
    body = {"parameters": parameters, "reason": "cash"}
    made = await operator.put(f"/v1/zones/{town.zone_id}/parameters", body, **{"If-Match": '"1"'})
    assert made.status_code < 300, made.text


async def wish(person: Person, **gift: Any) -> dict[str, Any]:
    order = order_body(await person.quote())
    order["gift"] = {**order["gift"], **OPEN, **gift}
    return {"order": order, "network": "cash", "source": {"kind": "cash"}}


async def until(person: Person, path: str, **fields: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = (await person.get(path)).json()
            if all(told[name] == value for name, value in fields.items()):
                return dict(told)
            await SystemClock().sleep(20)


async def test_what_is_taken_at_the_door_is_paid_in_once(till: Town) -> None:
    sara, operator = await till.log_in("customer"), await till.operator()
    none = await sara.post("/v1/payments", await wish(sara))
    assert (none.status_code, none.json()["code"]) == (409, "cash_not_taken")
    await take_cash(till, operator, cash_order_halalas_max=50_000)
    for hidden in ({"hide_price": True}, {"surprise": True}):
        shy = await sara.post("/v1/payments", await wish(sara, **hidden))
        assert (shy.status_code, shy.json()["code"]) == (422, "cash_shows_price")
    paid = (await sara.post("/v1/payments", await wish(sara))).json()
    assert (paid["status"], paid["is_placed"]) == ("authorised", True)
    order_id, due = paid["order_id"], paid["amount_halalas"]
    order = (await sara.get(f"/v1/orders/{order_id}")).json()
    assert order["cash_due_halalas"] == due

    courier, phone = await till.courier()
    offer = await phone.offer(courier)
    assert offer["orders"][0]["cash_due_halalas"] == due
    await phone.tell("accept", offer_id=offer["offer_id"])
    for step in ("reached_shop", "picked_up", "reached_door"):
        assert (await phone.tell("progress", order_id=order_id, step=step))["type"] == "reply"
    handed = {"order_id": order_id, "step": "delivered", "pin": order["pin"]}
    short = await phone.tell("progress", **handed, handover={"cash_halalas": due - 1})
    assert (short["code"], short["detail"]) == ("cash_due", {"due_halalas": due})
    told = await phone.tell("progress", **handed, handover={"cash_halalas": due})
    assert told["type"] == "reply", told
    payment = f"/v1/payments/{paid['payment_id']}"
    await until(sara, payment, status="captured", captured_halalas=due)
    await lines_of(courier, count=1)

    cash = f"/v1/couriers/{courier.user_id}/cash"
    shown = await until(courier, cash, held_halalas=due, entered_halalas=due)
    assert shown["limit_halalas"] == 100_000
    assert (await courier.get("/v1/courier")).json()["cash_held_halalas"] == due

    deposit = {"halalas": due - 100, "receipt": "RUH/417"}
    answers = await asyncio.gather(*(operator.post(f"{cash}/deposits", deposit) for _ in range(5)))
    assert {one.status_code for one in answers} == {200}
    assert {one.json()["held_halalas"] for one in answers} == {100}
    other = await operator.post(f"{cash}/deposits", {**deposit, "halalas": 1})
    assert (other.status_code, other.json()["code"]) == (409, "receipt_used")
    more = await operator.post(f"{cash}/deposits", {"halalas": 101, "receipt": "RUH/418"})
    assert (more.status_code, more.json()["code"]) == (409, "cash_exceeds")
    await until(operator, cash, held_halalas=100, entered_halalas=100)

    command = DepositCash(
        courier_id=CourierId(UserId(courier.user_id)), halalas=60, receipt=Receipt("RUH/419")
    )
    receipt_id = new_id()
    told_100 = await asyncio.gather(
        *(
            carry_out(
                till.parts,
                command,
                Caller(user_id=UserId(operator.user_id), role=Role.OPERATOR),
                command_id=CommandId(receipt_id),
                asked="RUH/419",
            )
            for _ in range(100)
        )
    )
    assert {one["held_halalas"] for one in told_100} == {40}
    await until(operator, cash, held_halalas=40, entered_halalas=40)

    refund = {"amount_halalas": 500, "reason": "late", "note": "an hour"}
    back = await operator.post(f"{payment}/refunds", refund)
    assert (back.status_code, back.json()["code"]) == (422, "only_to_wallet")
    given = await operator.post(f"{payment}/refunds", {**refund, "to": "wallet"})
    assert given.json()["credited_halalas"] == 500
