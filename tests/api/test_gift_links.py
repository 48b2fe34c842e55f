"""From a gift without an address to an order, by the recipient's answer."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from api.gift_links import GiftLinks
from engine.kernel.timing import HOUR_MS
from engine.orders.gift_link import GiftLink, GiftLinkId, GiftLinkStatus
from tests.api.town import QUOTE, Person, Town

LINK: dict[str, Any] = {
    "gift": {"description": "Oud", "sender_name": "Huda", "message": "مبروك"},
    "recipient": {"name": "Noura", "phone": "0501234567"},
    "shop": {**QUOTE["shop"], "name": "Perfumes"},
    "preparation_s": 600,
    "goods": [{"name": "عود", "unit_halalas": 50_000}],
    "limit_halalas": 60_000,
}
DOOR = {"door": {**QUOTE["door"], "address": "Building 7"}}
FAR = {"door": {"lat": 21.4, "lng": 39.8}}


async def made(customer: Person, **more: Any) -> dict[str, Any]:
    told = await customer.post("/v1/gift-links", {**LINK, **more})
    assert told.status_code == 201, told.text
    body: dict[str, Any] = told.json()
    return body


def links_of(town: Town) -> GiftLinks:
    links: GiftLinks = town.app.state.gift_links
    return links


async def texts_to(town: Town, phone: str, *, count: int) -> list[str]:
    """What a phone was told, once it is so much."""
    async with asyncio.timeout(30):
        while True:
            told = [one.text for one in town.texts() if one.phone == phone]
            if len(told) >= count:
                assert len(told) == count
                return told
            await town.parts.wall.sleep(20)


async def stored(town: Town, told: dict[str, Any]) -> GiftLink:
    link = await town.parts.gift_links.find(GiftLinkId(told["gift_link_id"]))
    assert link is not None
    return link


async def test_the_recipient_says_where_and_when_and_sees_neither_gift_nor_price(
    town: Town,
) -> None:
    customer = await town.log_in("customer")
    link = await made(customer)
    asked = await town.client.get(link["path"])
    assert asked.json() == {
        "status": "open",
        "public_status": None,
        "recipient_name": "Noura",
        "sender_name": "Huda",
        "expires_at": link["expires_at"],
        "window": None,
    }
    now = town.parts.clock.now()
    window = {"start": now + 6 * HOUR_MS, "end": now + 7 * HOUR_MS}
    away = await town.client.post(link["path"], json={**FAR, "window": window})
    assert (away.status_code, away.json()["code"]) == (422, "outside_zones")
    answers = await asyncio.gather(
        *(town.client.post(link["path"], json={**DOOR, "window": window}) for _ in range(4))
    )
    # Who asks while another answer is under way is told that the link is answered.
    assert {one.status_code for one in answers} <= {200, 410}
    again = await town.client.post(link["path"], json={**DOOR, "window": window})
    assert (again.status_code, again.json()["status"]) == (200, "placed")
    for shown in (asked, again, *answers):
        for secret in ("Oud", "عود", "halalas", "50000", "60000"):
            assert secret not in shown.text

    (order,) = (await customer.get("/v1/orders")).json()["orders"]
    (mine,) = (await customer.get("/v1/gift-links")).json()["gift_links"]
    assert (mine["status"], mine["order_id"]) == ("placed", order["order_id"])
    assert (order["status"], order["door"]["address"]) == ("scheduled", "Building 7")
    assert mine["refund_halalas"] == 60_000 - order["total_halalas"] > 0


async def test_the_recipient_sees_how_far_it_is_and_when_it_comes_by_now(town: Town) -> None:
    customer = await town.log_in("customer")
    link = await made(customer)
    now = town.parts.clock.now()
    window = {"start": now + 6 * HOUR_MS, "end": now + 7 * HOUR_MS}
    answered = await town.client.post(link["path"], json={**DOOR, "window": window})
    assert (answered.json()["public_status"], answered.json()["window"]) == ("pending", window)
    (order,) = (await customer.get("/v1/orders")).json()["orders"]
    later = {"start": now + 8 * HOUR_MS, "end": now + 9 * HOUR_MS}
    path = f"/v1/orders/{order['order_id']}"
    quoted = (await customer.post(f"{path}/change-quotes", {"window": later})).json()
    wish = {"quote_id": quoted["quote_id"], "window": later, "charge_halalas_max": 0}
    changed = await customer.post(f"{path}/changes", wish)
    assert changed.status_code == 200, changed.text
    shown = (await town.client.get(link["path"])).json()
    assert (shown["public_status"], shown["window"]) == ("pending", later)
    cancelled = await customer.post(f"{path}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200, cancelled.text
    shown = (await town.client.get(link["path"])).json()
    assert (shown["status"], shown["public_status"]) == ("placed", "cancelled")


async def test_of_a_surprise_not_even_the_sender_is_told(town: Town) -> None:
    customer = await town.log_in("customer")
    link = await made(customer, gift={**LINK["gift"], "surprise": True})
    assert (await town.client.get(link["path"])).json()["sender_name"] == ""


async def test_a_link_that_no_answer_could_serve_is_not_made(town: Town) -> None:
    customer = await town.log_in("customer")
    low = await customer.post("/v1/gift-links", {**LINK, "limit_halalas": 50_000})
    assert (low.status_code, low.json()["code"]) == (422, "limit_too_low")
    assert low.json()["least_halalas"] > 50_000
    away = await customer.post("/v1/gift-links", {**LINK, "shop": FAR["door"]})
    assert (away.status_code, away.json()["code"], away.json()["place"]) == (
        422,
        "outside_zones",
        "shop",
    )
    assert (await customer.get("/v1/gift-links")).json()["gift_links"] == []


async def test_an_address_that_costs_more_is_out_of_reach_and_another_may_be_tried(
    town: Town,
) -> None:
    customer = await town.log_in("customer")
    wish = {"shop": LINK["shop"], "goods": LINK["goods"]}
    priced = (await customer.post("/v1/gift-link-prices", wish)).json()
    link = await made(customer, limit_halalas=priced["least_halalas"])
    refused = await town.client.post(link["path"], json=DOOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "gift_out_of_reach")
    assert "halalas" not in refused.text
    late = {"start": town.parts.clock.now() + 60_000, "end": town.parts.clock.now() + 61_000}
    other = await made(customer)
    unreachable = await town.client.post(other["path"], json={**DOOR, "window": late})
    assert (unreachable.status_code, unreachable.json()["code"]) == (409, "gift_out_of_reach")
    assert (await town.client.get(other["path"])).json()["status"] == "open"
    assert (await town.client.post(other["path"], json=DOOR)).json()["status"] == "placed"


async def test_the_same_key_is_the_same_link_and_withdrawn_once(town: Town) -> None:
    customer, key = await town.log_in("customer"), town.key()
    first = await customer.post("/v1/gift-links", LINK, key=key)
    assert (await customer.post("/v1/gift-links", LINK, key=key)).json() == first.json()
    other = await customer.post("/v1/gift-links", {**LINK, "limit_halalas": 7}, key=key)
    assert other.json()["code"] == "idempotency_key_reused"
    path = f"/v1/gift-links/{first.json()['gift_link_id']}/withdraw"
    stranger = await (await town.log_in("customer")).post(path)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_gift_link")
    for _ in range(2):
        withdrawn = (await customer.post(path)).json()
        assert (withdrawn["status"], withdrawn["refund_halalas"]) == ("withdrawn", 60_000)
    closed = await town.client.post(first.json()["path"], json=DOOR)
    assert (closed.status_code, closed.json()["code"]) == (410, "gift_link_closed")


@pytest.mark.parametrize(
    ("age_h", "reminders", "status"), [(23, 0, "open"), (50, 1, "open"), (72, 0, "expired")]
)
async def test_time_reminds_and_expires(
    town: Town, age_h: int, reminders: int, status: str
) -> None:
    customer, phone = await town.log_in("customer"), town.phone()
    link = await stored(town, await made(customer, recipient={"name": "Noura", "phone": phone}))
    before = age_h * HOUR_MS
    aged = replace(
        link, version=2, made_at=link.made_at - before, expires_at=link.expires_at - before
    )
    assert await town.parts.gift_links.save(aged)
    for _ in range(4):
        await links_of(town).look()
    found = await town.parts.gift_links.find(link.id)
    assert found is not None
    assert found.status.value == status
    told = await texts_to(town, phone, count=reminders)
    assert all("/v1/gift/" in one and "Oud" not in one for one in told)
    # The first is the code by which he logged in.
    sender = await texts_to(town, customer.phone, count=1 if age_h < 48 else 2)
    assert ("expired" in sender[-1]) is (status == "expired")


async def test_an_answer_whose_process_died_becomes_its_order_at_the_next_look(
    town: Town,
) -> None:
    customer = await town.log_in("customer")
    told = await made(customer)
    answered = await town.client.post(told["path"], json=DOOR)
    assert answered.json()["status"] == "placed"
    placed = await stored(town, told)
    # As it was when the order was stored and the link was not.
    back = replace(
        placed,
        version=placed.version + 1,
        status=GiftLinkStatus.ANSWERED,
        refund_halalas=0,
        is_refunded=False,
    )
    assert await town.parts.gift_links.save(back)
    await links_of(town).look()
    assert (await stored(town, told)).status is GiftLinkStatus.PLACED
    assert len((await customer.get("/v1/orders")).json()["orders"]) == 1
