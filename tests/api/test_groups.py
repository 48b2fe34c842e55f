"""Several gifts, one payment: from quotes to doors, over HTTP and with a payment server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.timing import HOUR_MS
from engine.money.accounts import AccountId, AccountKind, account
from engine.orders.grouping import group_name
from tests.api.passing import outlive_quote
from tests.api.test_invoices import invoices_of
from tests.api.test_paid_gift_links import source
from tests.api.test_payments import BROKE, MADA, SECURE, VISA, Shop, a_shop
from tests.api.town import QUOTE, Person, Town, order_body

DOORS = [{"lat": QUOTE["door"]["lat"] + n / 500, "lng": QUOTE["door"]["lng"]} for n in range(3)]
GOODS = [{"name": "ورد", "unit_halalas": 11_500}]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


async def a_group(person: Person, count: int = 3) -> list[dict[str, Any]]:
    """The bodies of so many orders, quoted together."""
    wishes = [{**QUOTE, "door": door, "goods": GOODS} for door in DOORS[:count]]
    quoted = await person.post("/v1/group-quotes", {"deliveries": wishes})
    assert quoted.status_code == 200, quoted.text
    told = quoted.json()
    assert told["total_halalas"] == sum(one["total_halalas"] for one in told["quotes"])
    return [
        order_body(one["quote_id"], door={**door, "address": f"Building {n}"})
        for n, (one, door) in enumerate(zip(told["quotes"], DOORS, strict=False))
    ]


async def pay(shop: Shop, sara: Person, number: str, count: int = 3) -> dict[str, Any]:
    body = {"orders": await a_group(sara, count), **await source(shop, number)}
    paid = await sara.post("/v1/group-payments", body)
    assert paid.status_code == 201, paid.text
    return dict(paid.json())


async def group_of(sara: Person) -> list[dict[str, Any]]:
    """Her newest order and those with it, in the order in which they were placed."""
    newest = (await sara.get("/v1/orders")).json()["orders"][0]["order_id"]
    told = (await sara.get(f"/v1/orders/{newest}/group")).json()
    found: list[dict[str, Any]] = told["orders"]
    assert told["total_halalas"] == sum(one["total_halalas"] for one in found)
    return found


async def balance(town: Town, account_id: AccountId) -> int:
    return (await town.parts.ledger.find_balance(account_id)).posted


async def test_all_are_placed_once_however_often_it_is_asked(town: Town) -> None:
    sara, other = await town.log_in("customer"), await town.log_in("customer")
    body, key = {"orders": await a_group(sara)}, town.key()
    answers = await asyncio.gather(
        *(sara.post("/v1/group-orders", body, key=key) for _ in range(4))
    )
    assert {one.status_code for one in answers} == {201}
    assert len({one.text for one in answers}) == 1
    ids = [one["order_id"] for one in answers[0].json()["orders"]]
    group = await group_of(sara)
    assert [one["order_id"] for one in group] == ids
    assert [one["door"]["address"] for one in group] == ["Building 0", "Building 1", "Building 2"]
    assert all(one["group"] == ids for one in group)
    again = await sara.post("/v1/group-orders", body)
    assert (again.status_code, again.json()["code"]) == (409, "quote_used")
    strange = await other.get(f"/v1/orders/{ids[0]}/group")
    assert (strange.status_code, strange.json()["code"]) == (404, "unknown_order")


async def test_a_group_is_told_again_when_its_quotes_have_expired_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    sara, key = await town.log_in("customer"), town.key()
    body, other = {"orders": await a_group(sara)}, {"orders": await a_group(sara)}
    placed = await sara.post("/v1/group-orders", body, key=key)
    sara = await outlive_quote(monkeypatch, town, sara, other["orders"][0])
    again = await sara.post("/v1/group-orders", body, key=key)
    assert (again.status_code, again.json()) == (201, placed.json())
    late = await sara.post("/v1/group-orders", other)
    told = late.json()
    assert (late.status_code, told["code"], told["delivery"]) == (410, "quote_expired", 0)


async def test_a_paid_group_is_told_again_when_its_quotes_have_expired_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sara, key = await shop.town.log_in("customer"), shop.town.key()
    body = {"orders": await a_group(sara), **await source(shop, MADA)}
    paid = await sara.post("/v1/group-payments", body, key=key)
    sara = await outlive_quote(monkeypatch, shop.town, sara, body["orders"][0])
    again = await sara.post("/v1/group-payments", body, key=key)
    assert (again.status_code, again.json()) == (201, paid.json())
    assert len(shop.protocol.till.charges) == 1


async def test_what_one_is_refused_for_all_are(town: Town) -> None:
    sara = await town.log_in("customer")
    orders = await a_group(sara)
    now = town.parts.clock.now()
    late = {"start": now + 60_000, "end": now + 61_000}
    refused = await sara.post(
        "/v1/group-orders", {"orders": [*orders[:2], {**orders[2], "window": late}]}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "window_unreachable")
    assert refused.json()["delivery"] == 2
    assert (await sara.get("/v1/orders")).json()["orders"] == []
    twice = await sara.post("/v1/group-orders", {"orders": [orders[0], orders[0]]})
    assert (twice.status_code, twice.json()["code"]) == (409, "quote_used")
    many = await sara.post("/v1/group-quotes", {"deliveries": [QUOTE] * 21})
    assert (many.status_code, many.json()["code"], many.json()["limit"]) == (
        422,
        "group_too_large",
        20,
    )
    window = {"start": now + 6 * HOUR_MS, "end": now + 7 * HOUR_MS}
    placed = await sara.post(
        "/v1/group-orders", {"orders": [*orders[:2], {**orders[2], "window": window}]}
    )
    assert [one["status"] for one in placed.json()["orders"]] == ["waiting", "waiting", "scheduled"]


async def test_two_are_brought_one_is_cancelled_and_only_its_part_goes_back(shop: Shop) -> None:
    town, sara = shop.town, await shop.town.log_in("customer")
    paid = await pay(shop, sara, VISA)
    assert (paid["status"], paid["is_placed"]) == ("authorised", True)
    first, second, third = await group_of(sara)
    whole = sum(one["total_halalas"] for one in (first, second, third))
    assert paid["amount_halalas"] == whole
    path = f"/v1/orders/{third['order_id']}"
    terms = (await sara.get(f"{path}/cancellation")).json()
    assert terms["refund_halalas"] == third["total_halalas"]

    courier, phone = await town.courier()
    brought = []
    for _ in range(2):
        offer = await phone.offer(courier)
        await phone.tell("accept", offer_id=offer["offer_id"])
        (order_id,) = (await courier.get("/v1/courier")).json()["route"][0]["orders"]
        brought.append(order_id)
        pin = (await sara.get(f"/v1/orders/{order_id}")).json()["pin"]
        for step in ("reached_shop", "picked_up"):
            await phone.tell("progress", order_id=order_id, step=step)
        if len(brought) == 1:
            # All that is held is taken with the first of them.
            taken = await shop.until(sara, paid["payment_id"], status="captured")
            assert taken["captured_halalas"] == whole
        for step in ("reached_door", "delivered"):
            at_door = {"handover": {"taken_by": "Noura"}} if step == "delivered" else {}
            told = await phone.tell("progress", order_id=order_id, step=step, pin=pin, **at_door)
            assert told["type"] == "reply", told
    (left,) = [one for one in (first, second, third) if one["order_id"] not in brought]
    operator = await town.operator()
    # The courier may have it already; for who looks after the zone it costs nothing.
    await operator.post(f"/v1/orders/{left['order_id']}/cancel", {"reason": "other"})
    over = await shop.until(sara, paid["payment_id"], refunded_halalas=left["total_halalas"])
    assert over["status"] == "captured"
    for order_id in brought:
        (invoice,) = await invoices_of(sara, order_id, count=1)
        assert invoice["order_id"] == order_id
    kept = whole - left["total_halalas"]
    name = group_name([one["order_id"] for one in (first, second, third)])
    async with asyncio.timeout(30):
        while await balance(town, account(AccountKind.ORDER, name)) != 0:
            await town.parts.wall.sleep(20)
    assert await balance(town, account(AccountKind.GATEWAY, "moyasar")) == -kept
    assert shop.protocol.till.kept() == kept

    body = {"amount_halalas": 500, "reason": "goodwill", "note": "crushed"}
    refunds = f"/v1/payments/{paid['payment_id']}/refunds"
    nameless = await operator.post(refunds, body)
    assert (nameless.status_code, nameless.json()["code"]) == (404, "unknown_order")
    too_much = {**body, "amount_halalas": whole, "order_id": brought[0]}
    assert (await operator.post(refunds, too_much)).json()["code"] == "refund_exceeds"
    given = await operator.post(refunds, {**body, "order_id": brought[0]})
    assert given.status_code == 201, given.text
    await shop.until(sara, paid["payment_id"], refunded_halalas=left["total_halalas"] + 500)
    async with asyncio.timeout(30):
        while await balance(town, account(AccountKind.GATEWAY, "moyasar")) != 500 - kept:
            await town.parts.wall.sleep(20)
    assert await balance(town, account(AccountKind.ORDER, name)) == 0


@pytest.mark.parametrize(("number", "end"), [(VISA, "voided"), (MADA, "refunded")])
async def test_all_are_cancelled_after_a_look_at_the_price(
    shop: Shop, number: str, end: str
) -> None:
    sara = await shop.town.log_in("customer")
    paid = await pay(shop, sara, number)
    order_id = (await group_of(sara))[1]["order_id"]
    path = f"/v1/orders/{order_id}/group"
    shown = (await sara.get(f"{path}/cancellation")).json()
    assert (shown["charge_halalas"], shown["refund_halalas"]) == (0, paid["amount_halalas"])
    key, body = shop.town.key(), {"reason": "changed_mind", "charge_halalas_max": 0}
    first = await sara.post(f"{path}/cancel", body, key=key)
    again = await sara.post(f"{path}/cancel", body, key=key)
    assert first.json() == again.json()
    assert {one["status"] for one in first.json()["orders"]} == {"cancelled"}
    assert (await sara.get(path)).json()["open"] == 0
    await shop.until(sara, paid["payment_id"], status=end)
    assert shop.protocol.till.kept() == 0


async def test_one_of_a_charged_group_is_given_back_while_the_others_wait(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    paid = await pay(shop, sara, MADA)
    (gone, *others) = await group_of(sara)
    await sara.post(f"/v1/orders/{gone['order_id']}/cancel", {"reason": "other"})
    over = await shop.until(sara, paid["payment_id"], refunded_halalas=gone["total_halalas"])
    assert [one["reason"] for one in over["refunds"]] == ["cancelled"]
    assert {one["status"] for one in await group_of(sara)} == {"cancelled", "waiting"}
    assert shop.protocol.till.kept() == sum(one["total_halalas"] for one in others)
    operator = await shop.town.operator()
    for one in (gone, *others):
        story = (await operator.get(f"/v1/orders/{one['order_id']}/money")).json()
        taken = 0 if one is gone else one["total_halalas"]
        assert (story["taken_halalas"], story["given_back_halalas"]) == (taken, 0)
        assert paid["payment_id"] in {line["about"] for line in story["lines"]}


async def test_a_refusal_before_paying_names_which_one(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    orders = await a_group(sara)
    orders[2] = {**orders[2], "door": {**orders[2]["door"], "lat": 24.61}}
    body = {"orders": orders, **await source(shop, MADA)}
    refused = await sara.post("/v1/group-payments", body)
    told = refused.json()
    assert (refused.status_code, told["code"]) == (422, "quote_mismatch")
    assert (told["field"], told["delivery"]) == ("door", 2)
    assert shop.protocol.till.charges == {}


async def test_what_is_not_paid_is_not_placed_and_what_cannot_be_placed_is_given_back(
    shop: Shop,
) -> None:
    town, sara = shop.town, await shop.town.log_in("customer")
    alone = await sara.post("/v1/group-orders", {"orders": await a_group(sara)})
    assert (alone.status_code, alone.json()["code"]) == (409, "payment_required")
    assert (await pay(shop, sara, BROKE))["status"] == "declined"
    orders = await a_group(sara)
    body = {"orders": orders, **await source(shop, SECURE)}
    waits = (await sara.post("/v1/group-payments", body, key="one same key")).json()
    assert waits["status"] == "challenged"
    kept = await town.parts.payments.find(waits["payment_id"])
    assert kept is not None
    assert len(kept.orders) == 3
    # Meanwhile one of them is ordered alone.
    wish = {"order": orders[1], **await source(shop, MADA)}
    assert (await sara.post("/v1/payments", wish)).json()["is_placed"]
    await shop.http.post(waits["challenge_url"], data={"answer": "yes"})
    over = await shop.until(sara, waits["payment_id"], status="voided")
    assert (over["is_placed"], over["reason"]) == (False, "quote_used")
    assert len((await sara.get("/v1/orders")).json()["orders"]) == 1
    done = await town.parts.payments.find(waits["payment_id"])
    assert done is not None
    assert done.orders == ()
