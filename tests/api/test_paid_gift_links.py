"""From a paid gift without an address to its invoice, over HTTP and with a payment server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from engine.kernel.ids import OrderId
from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.money.accounts import AccountKind, account
from engine.orders.gift_link import GiftLink, GiftLinkId, GiftLinkStatus
from simulations.gateways.moyasar import PUBLISHABLE_KEY
from simulations.gateways.till import ChargeStatus
from tests.api.test_gift_links import DOOR, LINK, links_of, texts_to
from tests.api.test_invoices import invoices_of
from tests.api.test_payments import BROKE, MADA, SECURE, VISA, Shop, a_shop
from tests.api.town import Person

SURPRISE: dict[str, Any] = {
    **{name: value for name, value in LINK.items() if name != "limit_halalas"},
    "gift": {**LINK["gift"], "surprise": True, "hide_sender": True, "hide_price": True},
    "hours": 72,
}
SECRETS = ("Oud", "عود", "مبروك", "Huda", "Perfumes", "halalas", "price", "visa", "mada", "paid")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


async def source(shop: Shop, number: str) -> dict[str, Any]:
    card = {"name": "Sara", "number": number, "month": "12", "year": "2030", "cvc": "123"}
    made = await shop.http.post("/v1/tokens", json=card, auth=(PUBLISHABLE_KEY, ""))
    return {"network": "visa", "source": {"kind": "token", "value": made.json()["id"]}}


async def made(sara: Person, **more: Any) -> dict[str, Any]:
    told = await sara.post("/v1/gift-links", {**SURPRISE, **more})
    assert told.status_code == 201, told.text
    return dict(told.json())


async def pay(shop: Shop, sara: Person, link: dict[str, Any], number: str) -> httpx2.Response:
    path = f"/v1/gift-links/{link['gift_link_id']}/payments"
    return await sara.post(path, await source(shop, number))


async def a_paid_link(
    shop: Shop, sara: Person, number: str = VISA, **more: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The link as its sender sees it, and its payment."""
    link = await made(sara, **more)
    paid = await pay(shop, sara, link, number)
    assert paid.status_code == 201, paid.text
    return await mine(sara, link), dict(paid.json())


async def mine(sara: Person, link: dict[str, Any]) -> dict[str, Any]:
    found = (await sara.get("/v1/gift-links")).json()["gift_links"]
    return next(one for one in found if one["gift_link_id"] == link["gift_link_id"])


async def aged(shop: Shop, link: dict[str, Any], ms: int) -> None:
    """As if it had been made so much earlier."""
    store = shop.town.parts.gift_links
    found = await store.find(GiftLinkId(link["gift_link_id"]))
    assert found is not None
    earlier = replace(
        found,
        version=found.version + 1,
        made_at=found.made_at - ms,
        expires_at=found.expires_at - ms,
    )
    assert await store.save(earlier)


def must_tell_nothing(answer: httpx2.Response) -> None:
    shown = f"{answer.headers} {answer.text}".replace("/v1/gift/", "")
    assert not [word for word in SECRETS if word in shown], shown


async def test_a_surprise_goes_from_a_paid_link_to_its_invoice(shop: Shop) -> None:
    town, sara = shop.town, await shop.town.log_in("customer")
    asked = {name: SURPRISE[name] for name in ("shop", "goods")}
    priced = (await sara.post("/v1/gift-link-prices", asked)).json()
    link = await made(sara)
    stranger = await pay(shop, await town.log_in("customer"), link, VISA)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_gift_link")
    assert (link["status"], link["path"]) == ("unpaid", "")
    assert link["limit_halalas"] == priced["most_halalas"] > priced["least_halalas"] > 50_000
    paid = (await pay(shop, sara, link, VISA)).json()
    assert (paid["status"], paid["flow"], paid["is_placed"]) == ("authorised", "hold", True)
    assert paid["amount_halalas"] == link["limit_halalas"]
    link = await mine(sara, link)
    assert (link["status"], link["payment_id"]) == ("open", paid["payment_id"])

    must_tell_nothing(await town.client.get(link["path"]))
    answered = await town.client.post(link["path"], json=DOOR)
    assert (answered.status_code, answered.json()["status"]) == (200, "placed")
    must_tell_nothing(answered)
    order_id = (await mine(sara, link))["order_id"]
    assert order_id == paid["order_id"]
    total = (await sara.get(f"/v1/orders/{order_id}")).json()["total_halalas"]
    # What the nearer door costs is taken at once; the bank lets go of the rest.
    taken = await shop.until(sara, paid["payment_id"], status="captured")
    assert taken["captured_halalas"] == total < link["limit_halalas"]
    assert taken["refunds"] == []
    assert (await mine(sara, link))["refund_halalas"] == link["limit_halalas"] - total

    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    recipient = "+966501234567"
    pin = (await sara.get(f"/v1/orders/{order_id}")).json()["pin"]
    for step in ("reached_shop", "picked_up"):
        await phone.tell("progress", order_id=order_id, step=step)
    # Nothing tells the recipient of a surprise before it is at the door.
    assert not [one for one in town.texts() if one.phone == recipient]
    for step in ("reached_door", "delivered"):
        at_door = {"handover": {"taken_by": "Noura"}} if step == "delivered" else {}
        told = await phone.tell("progress", order_id=order_id, step=step, pin=pin, **at_door)
        assert told["type"] == "reply", told
    (invoice,) = await invoices_of(sara, order_id, count=1)
    assert invoice["payable_halalas"] == total
    gateway, left = account(AccountKind.GATEWAY, "moyasar"), account(AccountKind.ORDER, order_id)
    async with asyncio.timeout(30):
        while (await town.parts.ledger.find_balance(account(AccountKind.REVENUE))).posted == 0:
            await town.parts.wall.sleep(20)
    assert (await town.parts.ledger.find_balance(gateway)).posted == -total
    assert (await town.parts.ledger.find_balance(left)).posted == 0


@pytest.mark.parametrize(
    ("number", "hours", "flow", "end"),
    [
        (VISA, 72, "hold", "voided"),
        (VISA, 14 * 24, "charge", "refunded"),
        (MADA, 72, "charge", "refunded"),
    ],
)
async def test_an_expired_link_gives_everything_back(
    shop: Shop, number: str, hours: int, flow: str, end: str
) -> None:
    sara = await shop.town.log_in("customer")
    link, paid = await a_paid_link(shop, sara, number, hours=hours)
    assert paid["flow"] == flow
    await aged(shop, link, 15 * DAY_MS)
    for _ in range(3):
        await links_of(shop.town).look()
    over = await shop.until(sara, paid["payment_id"], status=end)
    assert over["captured_halalas"] == over["refunded_halalas"]
    assert over["reason"] == "expired"
    assert shop.protocol.till.kept() == 0
    assert (await mine(sara, link))["status"] == "expired"
    gone = await shop.town.client.post(link["path"], json=DOOR)
    assert (gone.status_code, gone.json()["code"]) == (410, "gift_link_closed")
    must_tell_nothing(gone)


@pytest.mark.parametrize("who", ["sender", "recipient"])
async def test_both_may_say_no_and_everything_goes_back_once(shop: Shop, who: str) -> None:
    town, sara = shop.town, await shop.town.log_in("customer")
    link, paid = await a_paid_link(shop, sara, MADA)
    withdraw = f"/v1/gift-links/{link['gift_link_id']}/withdraw"

    async def say_no() -> httpx2.Response:
        if who == "sender":
            return await sara.post(withdraw)
        return await town.client.post(f"{link['path']}/decline")

    answers = await asyncio.gather(*(say_no() for _ in range(4)))
    assert {one.status_code for one in answers} <= {200, 410}
    again = await say_no()
    assert (again.status_code, again.json()["status"]) == (
        200,
        "withdrawn" if who == "sender" else "declined",
    )
    over = await shop.until(sara, paid["payment_id"], status="refunded")
    assert [one["reason"] for one in over["refunds"]] == ["unused"]
    assert shop.protocol.till.kept() == 0
    late = await town.client.post(link["path"], json=DOOR)
    assert late.status_code == 410
    for one in (*answers, again, late) if who == "recipient" else (late,):
        must_tell_nothing(one)
    # The first is the code by which she logged in; who withdraws is told nothing that he knows.
    told = await texts_to(town, sara.phone, count=2 if who == "recipient" else 1)
    assert ("declined with thanks" in told[-1]) is (who == "recipient")


async def test_a_link_opens_when_the_bank_has_heard_from_its_customer(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    link = await made(sara)
    refused = (await pay(shop, sara, link, BROKE)).json()
    assert refused["status"] == "declined"
    waits = (await pay(shop, sara, link, SECURE)).json()
    assert waits["status"] == "challenged"
    second = await pay(shop, sara, link, VISA)
    assert (second.status_code, second.json()["code"]) == (409, "order_paid")
    assert (await mine(sara, link))["path"] == ""
    # Its address could not be known yet; who made it up is told nothing.
    stored = await shop.town.parts.gift_links.find(GiftLinkId(link["gift_link_id"]))
    assert stored is not None
    early = await shop.town.client.get(f"/v1/gift/{links_of(shop.town).token(stored)}")
    assert (early.status_code, early.json()["code"]) == (404, "unknown_link")
    await shop.http.post(waits["challenge_url"], data={"answer": "yes"})
    await shop.until(sara, waits["payment_id"], status="authorised", is_placed=True)
    assert (await mine(sara, link))["status"] == "open"
    closed = await pay(shop, sara, link, VISA)
    assert (closed.status_code, closed.json()["code"]) == (410, "gift_link_closed")


async def test_who_confirms_after_withdrawing_has_his_money_back(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    link = await made(sara)
    waits = (await pay(shop, sara, link, SECURE)).json()
    withdrawn = await sara.post(f"/v1/gift-links/{link['gift_link_id']}/withdraw")
    assert withdrawn.json()["refund_halalas"] == 0
    await shop.http.post(waits["challenge_url"], data={"answer": "yes"})
    await shop.until(sara, waits["payment_id"], status="voided", is_placed=False)
    assert (await mine(sara, link))["status"] == "withdrawn"


async def test_when_the_bank_lets_go_the_link_is_closed_before_anything_is_ordered(
    shop: Shop,
) -> None:
    sara = await shop.town.log_in("customer")
    link, paid = await a_paid_link(shop, sara)
    shop.protocol.till.charges[paid["payment_id"]].status = ChargeStatus.VOIDED
    payments = shop.town.app.state.payments
    found = await shop.town.parts.payments.find(paid["payment_id"])
    assert found is not None
    await payments._look_at(found)
    refused = await shop.town.client.post(link["path"], json=DOOR)
    assert (refused.status_code, refused.json()["code"]) == (410, "gift_link_closed")
    must_tell_nothing(refused)
    assert (await sara.get("/v1/orders")).json()["orders"] == []
    assert (await mine(sara, link))["status"] == "expired"


async def test_nothing_that_a_recipient_is_told_spoils_anything(shop: Shop) -> None:
    """Every answer of every route that he can reach, in every state of a link."""
    town, sara = shop.town, await shop.town.log_in("customer")
    now = town.parts.clock.now()
    past = {"start": now - 2 * HOUR_MS, "end": now - HOUR_MS}
    bodies: list[Any] = [
        {"door": {"lat": 21.4, "lng": 39.8}},
        {**DOOR, "window": past},
        {"door": 7},
        None,
        DOOR,
    ]
    told = []
    for status in GiftLinkStatus:
        link, _ = await a_paid_link(shop, sara, MADA)
        stored = await town.parts.gift_links.find(GiftLinkId(link["gift_link_id"]))
        assert stored is not None
        changed = replace(stored, version=stored.version + 1, status=status, is_refunded=True)
        if status is GiftLinkStatus.ANSWERED:
            changed = await placed_and_forgotten(shop, link)
        else:
            assert await town.parts.gift_links.save(changed)
        told.append(await town.client.get(link["path"]))
        told += [await town.client.post(link["path"], json=body) for body in bodies]
        told.append(await town.client.post(f"{link['path']}/decline"))
    assert {one.status_code for one in told} == {200, 404, 409, 410, 422} - {409}
    for one in told:
        must_tell_nothing(one)


async def placed_and_forgotten(shop: Shop, link: dict[str, Any]) -> GiftLink:
    """As it was when its order was stored and the link was not."""
    store = shop.town.parts.gift_links
    assert (await shop.town.client.post(link["path"], json=DOOR)).status_code == 200
    async with asyncio.timeout(30):
        while (found := await store.find(GiftLinkId(link["gift_link_id"]))) is not None:
            if found.is_refunded:
                break
            await shop.town.parts.wall.sleep(20)
    assert found is not None
    assert await shop.town.parts.store.find_order(OrderId(found.order_id or "")) is not None
    back = replace(found, version=found.version + 1, status=GiftLinkStatus.ANSWERED)
    assert await store.save(back)
    return back
