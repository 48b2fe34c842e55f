"""From the payment to the door and back again, over HTTP and sockets, as the ledger sees it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.money.accounts import AccountId
from tests.api.test_payments import MADA, VISA, Shop, a_shop
from tests.api.town import Person


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path, refund_limit_halalas=1000) as running:
        yield running


async def deliver(shop: Shop, customer: Person, order_id: str) -> None:
    courier, phone = await shop.town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    for step in ("reached_shop", "picked_up", "reached_door"):
        await phone.tell("progress", order_id=order_id, step=step)
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]
    handed = await phone.tell("progress", order_id=order_id, step="delivered", pin=pin)
    assert handed["type"] == "reply", handed


async def settled(shop: Shop, **balances: int) -> None:
    """The balances, as soon as the outbox has entered all of it."""
    async with asyncio.timeout(60):
        while True:
            found = {
                name: (await shop.town.parts.ledger.find_balance(AccountId(name))).posted
                for name in balances
            }
            if found == balances:
                return
            await shop.town.parts.wall.sleep(50)


async def asked(shop: Shop, told: dict[str, Any], amount: int, **fields: Any) -> Any:
    operator = await shop.town.operator()
    body = {"amount_halalas": amount, "reason": "goods", "note": "withered", **fields}
    return await operator.post(f"/v1/payments/{told['payment_id']}/refunds", body)


async def test_paid_delivered_invoiced_and_partly_given_back(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara, VISA)
    total, order = told["amount_halalas"], f"order:{told['order_id']}"
    await deliver(shop, sara, told["order_id"])
    paid = await shop.until(sara, told["payment_id"], status="captured")
    assert paid["captured_halalas"] == total
    vat = total - round(total / 1.15)
    parts = {"gateway:moyasar": -total, order: 0, "vat": vat, "revenue": total - vat}
    await settled(shop, **parts)
    async with asyncio.timeout(60):
        while not (await sara.get(f"/v1/orders/{told['order_id']}/invoices")).json()["invoices"]:
            await shop.town.parts.wall.sleep(50)

    refunded = await asked(shop, told, 500)
    assert refunded.status_code == 201, refunded.text
    assert refunded.json()["refunded_halalas"] == 500
    await settled(shop, **{"gateway:moyasar": 500 - total, order: 0})
    # The points go back in proportion: a point for every whole riyal that is left.
    await settled(shop, **{f"points_pending:{sara.user_id}": (total - 500) // 100})
    again = await asked(shop, told, 250, to="wallet")
    assert again.json()["credited_halalas"] == 250
    await settled(shop, **{f"points_pending:{sara.user_id}": (total - 750) // 100})
    too_much = await asked(shop, told, total)
    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund_exceeds")
    assert too_much.json()["refundable_halalas"] == total - 750


async def test_a_refund_above_the_limit_waits_for_another_operator(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara, MADA)
    waiting = (await asked(shop, told, 1001, to="wallet")).json()
    (refund,) = waiting["refunds"]
    assert (refund["status"], waiting["credited_halalas"]) == ("waits_for_approval", 0)
    path = f"/v1/payments/{told['payment_id']}/refunds/{refund['refund_id']}/decision"
    first, second = (
        await shop.town.operator(),
        await shop.town.log_in("operator", "+966500000002"),
    )
    own = await first.post(path, {"approved": True})
    assert (own.status_code, own.json()["code"]) == (403, "not_your_approval")
    approved = await second.post(path, {"approved": True})
    assert approved.json()["credited_halalas"] == 1001
    await settled(shop, **{f"customer_wallet:{sara.user_id}": 1001})
    wallet = (await sara.get("/v1/wallet")).json()["accounts"][0]
    assert wallet["available"] == 1001


async def test_a_cancelled_order_lets_go_of_what_was_held(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    told = await shop.pay(sara, VISA)
    cancelled = await sara.post(f"/v1/orders/{told['order_id']}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200
    await shop.until(sara, told["payment_id"], status="voided")
