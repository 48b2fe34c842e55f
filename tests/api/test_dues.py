"""Over HTTP: a dearer change is paid for; what a way back costs more is owed, paid or waived."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_invoices import invoices_of
from tests.api.test_payments import MADA, VISA, Shop, a_shop
from tests.api.town import Person
from tests.builders import DOOR

FAR = {"lat": DOOR.lat + 0.02, "lng": DOOR.lng + 0.01, "address": "Building 9"}
REASON = "our courier stood at another door"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


async def card(shop: Shop, sara: Person, number: str) -> dict[str, Any]:
    wish = await shop.wish(sara, number)
    return {"network": wish["network"], "source": wish["source"]}


async def came_back(shop: Shop, sara: Person, order_id: str) -> None:
    """A courier found nobody, twice, and the shop has it again."""
    courier, phone = await shop.town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    steps = (
        "reached_shop",
        "picked_up",
        "reached_door",
        "attempt_failed",
        "reached_door",
        "attempt_failed",
        "return_started",
        "returned",
    )
    for step in steps:
        body = {"order_id": order_id, "step": step, "reason": "nobody_home"}
        told = await courier.post("/v1/courier/progress", body)
        assert told.status_code == 200, told.text
    await until(shop, sara, f"/v1/orders/{order_id}/due", is_payable=True)


async def until(shop: Shop, who: Person, path: str, **fields: Any) -> dict[str, Any]:
    """What is answered, as soon as it shows these fields."""
    async with asyncio.timeout(60):
        while True:
            told = (await who.get(path)).json()
            if all(told[name] == value for name, value in fields.items()):
                return dict(told)
            await shop.town.parts.wall.sleep(20)


async def test_a_dearer_change_is_previewed_paid_for_and_made(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    placed = await shop.pay(sara, VISA)
    path = f"/v1/orders/{placed['order_id']}"
    preview = (await sara.post(f"{path}/change-quotes", {"door": FAR})).json()
    assert preview["to_pay_halalas"] == preview["difference_halalas"] > 0
    wish = {"quote_id": preview["quote_id"], "door": FAR, "charge_halalas_max": 0}
    unpaid = await sara.post(f"{path}/changes", wish)
    assert (unpaid.status_code, unpaid.json()["code"]) == (409, "more_than_paid")
    paying = {**wish, **await card(shop, sara, MADA)}
    paid = await sara.post(f"{path}/change-payments", paying, key="change-payment-1")
    assert paid.status_code == 201, paid.text
    again = await sara.post(f"{path}/change-payments", paying, key="change-payment-1")
    assert again.json()["payment_id"] == paid.json()["payment_id"]
    assert (paid.json()["amount_halalas"], paid.json()["is_placed"]) == (
        preview["to_pay_halalas"],
        True,
    )
    assert paid.json()["order_id"] == placed["order_id"]
    both = (await sara.get(f"/v1/payments?order_id={placed['order_id']}")).json()["payments"]
    assert [one["payment_id"] for one in both] == [
        paid.json()["payment_id"],
        placed["payment_id"],
    ]
    order = (await sara.get(path)).json()
    assert (order["door"]["address"], order["total_halalas"]) == (
        "Building 9",
        preview["total_halalas"],
    )
    due = (await sara.get(f"{path}/due")).json()
    assert (due["covered_halalas"], due["owed_halalas"]) == (order["total_halalas"], 0)
    operator = await shop.town.operator()
    money = (await operator.get(f"{path}/money")).json()
    assert paid.json()["payment_id"] in {one["about"] for one in money["lines"]}


async def test_what_a_way_back_costs_more_is_shown_and_paid_later(shop: Shop) -> None:
    sara, operator = await shop.town.log_in("customer"), await shop.town.operator()
    placed = await shop.pay(sara, MADA)
    path = f"/v1/orders/{placed['order_id']}"
    await came_back(shop, sara, placed["order_id"])
    due = (await sara.get(f"{path}/due")).json()
    assert due["owed_halalas"] == due["price_halalas"] - due["covered_halalas"] > 0
    paying = await card(shop, sara, VISA)
    paid = await sara.post(f"{path}/due/payments", paying)
    assert paid.json()["amount_halalas"] == due["owed_halalas"], paid.text
    settled = await until(shop, sara, f"{path}/due", owed_halalas=0)
    assert [one["kind"] for one in settled["settlements"]] == ["paid"]
    refused = await sara.post(f"{path}/due/payments", paying)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_owed")
    taken = due["price_halalas"]
    books = {"taken_halalas": taken, "owed_halalas": 0, "on_account_halalas": 0}
    money = await until(shop, operator, f"{path}/money", **books)
    assert {"sale", "difference"} & {one["type"] for one in money["lines"]}


async def test_what_was_not_rightly_charged_is_waived_once_and_credited(shop: Shop) -> None:
    sara, operator = await shop.town.log_in("customer"), await shop.town.operator()
    placed = await shop.pay(sara, MADA)
    path = f"/v1/orders/{placed['order_id']}"
    await came_back(shop, sara, placed["order_id"])
    wish = {"kind": "waived", "reason": REASON}
    told = await operator.post(f"{path}/due/write-off", wish, key="write-off-1")
    assert (told.status_code, told.json()["owed_halalas"]) == (200, 0), told.text
    again = await operator.post(f"{path}/due/write-off", wish, key="write-off-1")
    assert again.json() == told.json()
    other = await operator.post(f"{path}/due/write-off", wish)
    assert (other.status_code, other.json()["code"]) == (409, "nothing_owed")
    documents = await invoices_of(sara, placed["order_id"], count=2)
    assert {one["kind"] for one in documents} == {"invoice", "credit_note"}
