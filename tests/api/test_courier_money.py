"""What a courier earns by rules that change, is short of, owes and gets, as he sees it himself."""

import asyncio
from pathlib import Path
from typing import Any

from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.gateways.settings import PayoutSettings
from engine.money.accounts import AccountKind, account
from tests.actors.bank import a_bank
from tests.actors.test_payouts import settings
from tests.api.test_earnings import in_wallet, lines_of
from tests.api.test_payouts import ACCOUNT, PAYOUTS
from tests.api.test_wallet import enter
from tests.api.town import Person, Socket, Town, a_town


async def rule(town: Town, seen: int, **parameters: int) -> int:
    """New rules of pay by an operator; their version."""
    operator = await town.operator()
    told = await operator.put(
        f"/v1/zones/{town.zone_id}/parameters",
        {"parameters": parameters, "reason": "rain"},
        **{"If-Match": f'"{seen}"'},
    )
    assert told.status_code == 200, told.text
    return int(told.json()["parameters_version"])


async def account_of(person: Person, kind: str) -> int:
    accounts = (await person.get("/v1/wallet")).json()["accounts"]
    (found,) = (one["posted"] for one in accounts if one["kind"] == kind)
    return int(found)


async def carried(phone: Socket, customer: Person, offer: dict[str, Any]) -> None:
    """He accepts what he is asked and brings it."""
    await phone.tell("accept", offer_id=offer["offer_id"])
    (order_id,) = offer["order_ids"]
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]
    for step in ("reached_shop", "picked_up", "reached_door", "delivered"):
        told = await phone.tell("progress", order_id=order_id, step=step, pin=pin)
        assert told["type"] == "reply", told


async def test_each_line_is_that_of_the_rules_with_the_offer(town: Town) -> None:
    version = await rule(town, 1, pay_bonus_halalas=300)
    customer = await town.log_in("customer")
    await customer.order()
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    lines = {one["kind"]: one["halalas"] for one in offer["orders"][0]["pay"]["lines"]}
    assert set(lines) == {"base", "distance", "bonus"}
    assert lines["bonus"] == 300
    await rule(town, version, pay_bonus_halalas=900)
    await carried(phone, customer, offer)
    (earned,) = await lines_of(courier, count=1)
    assert {one["kind"]: one["halalas"] for one in earned["lines"]}.items() >= lines.items()
    await customer.order()
    dearer = (await phone.offer(courier))["orders"][0]["pay"]["lines"]
    assert {one["kind"]: one["halalas"] for one in dearer}["bonus"] == 900


async def test_a_shift_is_filled_up_to_what_was_guaranteed(town: Town) -> None:
    await rule(
        town,
        1,
        pay_base_halalas=0,
        pay_per_km_halalas=0,
        pay_guarantee_per_h_halalas=100_000,
    )
    customer = await town.log_in("customer")
    await customer.order()
    courier, phone = await town.courier()
    await carried(phone, customer, await phone.offer(courier))
    told = await phone.tell("duty", duty="off")
    assert told["body"] == {"duty": "off"}
    (filled,) = await lines_of(courier, count=1)
    (line,) = filled["lines"]
    assert (filled["reason"], line["kind"]) == ("earning", "guarantee")
    assert line["halalas"] == filled["amount"] == await in_wallet(courier) > 0


async def test_what_he_owes_is_kept_back_before_he_is_paid(tmp_path: Path) -> None:
    fee = PayoutSettings().instant_fee_halalas
    async with (
        a_bank() as (bank, url),
        MoyasarPayouts(settings(url)) as gateway,
        a_town(tmp_path, payout_gateway=gateway) as town,
    ):
        courier, judge = (await town.courier())[0], await town.operator()
        mine = account(AccountKind.COURIER_WALLET, courier.user_id)
        await enter(town, mine, 2_000)
        await courier.put("/v1/wallet/bank-account", ACCOUNT)
        held: dict[str, Any] = {
            "courier_id": courier.user_id,
            "order_id": await (await town.log_in("customer")).order(),
            "halalas": 3_000,
            "reason": "the cake fell",
        }
        opened = await judge.post("/v1/disputes", held)
        assert opened.status_code == 201, opened.text
        # What the wallet lacks he owes.
        kinds = ("courier_wallet", "courier_hold", "courier_debt")
        accounts = {one: await account_of(courier, one) for one in kinds}
        assert accounts == {"courier_wallet": 0, "courier_hold": 3_000, "courier_debt": -1_000}
        closed = await judge.post(
            f"/v1/disputes/{opened.json()['dispute_id']}/close",
            {"outcome": "upheld", "reason": "it did"},
        )
        assert closed.status_code == 200, closed.text
        assert await account_of(courier, "courier_debt") == -1_000
        await enter(town, mine, 10_000)
        made = await courier.post(PAYOUTS, {})
        assert made.status_code == 201, made.text
        assert made.json()["amount_halalas"] == 9_000 - fee
        assert (await in_wallet(courier), await account_of(courier, "courier_debt")) == (0, 0)
        (sent,) = bank.kept.values()
        assert sent["amount"] == 9_000 - fee
        bank.become("paid")
        async with asyncio.timeout(30):
            while (await courier.get(PAYOUTS)).json()["payouts"][0]["status"] != "paid":
                await town.parts.wall.sleep(50)
        reasons = {one["reason"]: one["amount"] for one in await lines_of(courier, count=4)}
        assert reasons["recovery"] == -1_000
