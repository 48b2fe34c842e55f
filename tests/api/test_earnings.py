"""From the offer to the courier's wallet, and the tip on top."""

import asyncio
from typing import Any

from actors.clock import SystemClock
from engine.money.accounts import AccountKind, account
from tests.api.test_wallet import enter
from tests.api.town import Person, Town
from tests.builders import new_id

PATIENCE_S = 60


async def lines_of(person: Person, *, count: int) -> list[dict[str, Any]]:
    """The statement of a wallet, newest first, once it has so many lines."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = (await person.get("/v1/wallet/statement")).json()
            found: list[dict[str, Any]] = told["lines"]
            if len(found) >= count:
                return found
            await SystemClock().sleep(20)


async def in_wallet(person: Person) -> int:
    accounts = (await person.get("/v1/wallet")).json()["accounts"]
    found: int = accounts[0]["available"]
    return found


async def test_what_an_offer_promises_is_in_the_wallet_after_the_delivery_and_so_is_the_tip(
    town: Town,
) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    pay = offer["orders"][0]["pay"]
    assert [one["kind"] for one in pay["lines"]] == ["base", "distance"]
    assert offer["pay_halalas"] == pay["halalas"] == sum(one["halalas"] for one in pay["lines"])
    tip = f"/v1/orders/{order_id}/tip"
    early = await customer.post(tip, {"halalas": 500})
    assert (early.status_code, early.json()["code"]) == (409, "tip_before_delivery")

    await phone.tell("accept", offer_id=offer["offer_id"])
    work = (await courier.get("/v1/courier")).json()
    assert work["orders"][0]["pay"] == pay
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]
    for step in ("reached_shop", "picked_up", "reached_door", "delivered"):
        told = await phone.tell("progress", order_id=order_id, step=step, pin=pin)
        assert told["type"] == "reply", told
    (earned,) = await lines_of(courier, count=1)
    assert (earned["reason"], earned["about"]) == ("earning", f"order:{order_id}")
    more = [one for one in earned["lines"] if one not in pay["lines"]]
    assert {one["kind"] for one in more} <= {"waiting"}
    assert len(earned["lines"]) - len(more) == len(pay["lines"])
    assert earned["amount"] == pay["halalas"] + sum(one["halalas"] for one in more)
    assert await in_wallet(courier) == earned["amount"]

    poor = await customer.post(tip, {"halalas": 500})
    assert (poor.status_code, poor.json()["code"]) == (409, "balance_too_low")
    await enter(town, account(AccountKind.CUSTOMER_WALLET, customer.user_id), 1200)
    key = town.key()
    given = [await customer.post(tip, {"halalas": 500}, key=key) for _ in range(3)]
    assert {one.status_code for one in given} == {201}
    other = await customer.post(tip, {"halalas": 400}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await in_wallet(courier) == earned["amount"] + 500
    assert await in_wallet(customer) == 700
    assert (await lines_of(courier, count=2))[0]["reason"] == "tip"
    stranger = await town.log_in("customer")
    for who, path in ((stranger, tip), (customer, f"/v1/orders/{new_id()}/tip")):
        missing = await who.post(path, {"halalas": 1})
        assert (missing.status_code, missing.json()["code"]) == (404, "unknown_order")
