"""Somebody gets all that is known of him, and is looked for in vain after he was erased."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
import redis

from api.privacy_settings import PrivacySettings
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.uploads import MediaType, Upload, UploadId, UploadPurpose, object_key
from storage.database import connected
from storage.store import TrailFix
from tests.api.stored_town import a_stored_town
from tests.api.test_invoices import a_delivered_order, invoices_of
from tests.api.town import QUOTE, Person, Town, order_body
from tests.builders import new_id
from tests.fixtures.servers import Databases

PATIENCE_S = 60
NAME, EMAIL, MESSAGE = "Nouraxyz", "nouraxyz@example.com", "Happy birthday Layla"
NEIGHBOUR, ADDRESS = "Abu Fahd", "Villa 77, Tulip Street"
TAKER = "Abu Fahd"
SAID = "The blue gate behind the mosque"


@pytest.fixture
async def stored(
    tmp_path: Path, databases: Databases, empty_redis_url: str
) -> AsyncIterator[tuple[Town, str, str]]:
    """A stored town in which an erasure is due at once, its database, and its Valkey."""
    privacy = PrivacySettings(grace_days=0)
    async with a_stored_town(tmp_path, databases, empty_redis_url, privacy=privacy) as (town, dsn):
        yield town, dsn, empty_redis_url


async def settled(person: Person, kind: str, *statuses: str) -> dict[str, Any]:
    """His newest request of a kind, once it has come so far or something stands in its way."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = (await person.get("/v1/privacy/requests")).json()["requests"]
            found: dict[str, Any] = next(one for one in told if one["kind"] == kind)
            if found["status"] in statuses or found["waits_for"]:
                return found
            await person.town.parts.wall.sleep(20)


async def an_hour_passes(dsn: str) -> None:
    """For what was put off."""
    async with connected(dsn) as connection:
        await connection.execute(
            "update privacy_requests set due_at = due_at - interval '1 hour'"
            " where due_at > now() + interval '50 minutes'"
        )


async def introduced(town: Town, role: str) -> Person:
    person = await town.log_in(role, device="Noura's phone")
    told = {"name_en": NAME, "email": EMAIL, "birth_date": "1990-02-28"}
    edited = await town.client.patch(
        "/v1/profile", json=told, headers={**person.headers, "If-Match": '"1"'}
    )
    assert edited.status_code == 200, edited.text
    return person


async def received_gift(town: Town, phone: str) -> str:
    """The name of somebody's order, delivered to this phone."""
    sender = await town.log_in("customer")
    quoted = (await sender.post("/v1/quotes", QUOTE)).json()["quote_id"]
    body = order_body(quoted, recipient={"name": NAME, "phone": phone})
    placed = (await sender.post("/v1/orders", body)).json()
    cancelled = await sender.post(f"/v1/orders/{placed['order_id']}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200, cancelled.text
    return str(placed["order_id"])


async def sent_gift(town: Town, customer: Person) -> str:
    gift = {"description": "Roses", "message": MESSAGE, "sender_name": NAME, "neighbour": NEIGHBOUR}
    quoted = (await customer.post("/v1/quotes", QUOTE)).json()["quote_id"]
    door = {**QUOTE["door"], "address": ADDRESS}
    placed = await customer.post("/v1/orders", order_body(quoted, gift=gift, door=door))
    order_id = str(placed.json()["order_id"])
    await customer.post(f"/v1/orders/{order_id}/cancel", {"reason": "other"})
    link = {
        "gift": gift,
        "recipient": {"name": "Layla", "phone": "0501112223"},
        "shop": {**QUOTE["shop"], "name": "Flowers"},
        "preparation_s": 0,
        "limit_halalas": 50_000,
    }
    made = (await customer.post("/v1/gift-links", link)).json()["gift_link_id"]
    await customer.post(f"/v1/gift-links/{made}/withdraw")
    return order_id


async def a_photo_of(town: Town, person: Person, order_id: str) -> str:
    """The key of a file that was sent about an order."""
    upload = Upload(
        id=UploadId(new_id()),
        owner_id=UserId(person.user_id),
        purpose=UploadPurpose.PROOF_PHOTO,
        order_id=OrderId(order_id),
        media_type=MediaType.JPEG,
        size_bytes=4,
        width=1,
        height=1,
        sent_digest="0" * 64,
        is_scanned=True,
        made_at=town.parts.wall.now(),
    )
    assert await town.parts.uploads.save(upload)
    await town.parts.objects.put(object_key(upload.id), b"door", upload.media_type)
    return object_key(upload.id)


async def everything_in(dsn: str, redis_url: str) -> dict[str, str]:
    """All text of every table, and all bytes of Valkey."""
    found = {}
    async with connected(dsn) as connection:
        await connection.execute("set timezone = 'UTC'")
        tables = await connection.fetch(
            "select relname from pg_class"
            " where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        for (table,) in tables:
            rows = await connection.fetch(f'select t::text as told from "{table}" t')
            found[table] = "\n".join(row["told"] for row in rows)
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter():
            found[key.decode()] = client.dump(key).decode("latin-1") + key.decode()
    return found


def where(texts: Iterable[str], everything: dict[str, str]) -> dict[str, set[str]]:
    hits = {one: {name for name, told in everything.items() if one in told} for one in texts}
    return {one: names for one, names in hits.items() if names}


async def test_a_customer_is_told_everything_and_then_looked_for_in_vain(
    stored: tuple[Town, str, str],
) -> None:
    town, dsn, redis_url = stored
    customer, admin = await introduced(town, "customer"), await town.admin()
    delivered = await a_delivered_order(town, customer, taken_by=TAKER)
    (invoice,) = await invoices_of(customer, delivered, count=1)
    said = await customer.post(f"/v1/orders/{delivered}/messages", {"text": SAID})
    assert said.status_code == 201, said.text
    received = await received_gift(town, customer.phone)
    sent = await sent_gift(town, customer)
    key = await a_photo_of(town, customer, sent)
    await customer.put("/v1/privacy/consents/terms", {"wording": "2026-11"})

    asked = await customer.post("/v1/privacy/exports")
    assert asked.status_code == 202, asked.text
    done = await settled(customer, "export", "done")
    fetched = await town.client.get(done["file"])
    assert fetched.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as packed:
        told = {one: packed.read(one).decode() for one in packed.namelist()}
    for text in (customer.phone, NAME, EMAIL, MESSAGE, NEIGHBOUR, ADDRESS, SAID, invoice["number"]):
        assert any(text in each for each in told.values()), text
    assert {one["id"] for one in json.loads(told["orders.json"])} == {delivered, received, sent}
    assert "refresh_digest" not in told["sessions.json"]

    before = await everything_in(dsn, redis_url)
    personal = (customer.phone, NAME, MESSAGE, NEIGHBOUR, ADDRESS, SAID, TAKER, "Noura's phone")
    assert where(personal, before).keys() >= {*personal[:-1]}
    # The orders and the invoice stay, but lead to nobody.
    assert (await customer.post("/v1/privacy/erasure")).status_code == 202
    async with asyncio.timeout(PATIENCE_S):
        while (await customer.get("/v1/me")).status_code != 401:
            # What was to be given back of the gift link may have stood in the way.
            await an_hour_passes(dsn)
            await town.parts.wall.sleep(20)
    (request,) = (await told_of(admin, customer, "erase_person"))[:1]
    everything = await everything_in(dsn, redis_url)
    assert where([*personal, EMAIL, customer.phone[4:]], everything) == {}
    assert request["subject"] == f"user:{customer.user_id}"
    for table in ("users", "profiles", "exports", "trail"):
        assert customer.user_id not in everything[table], table
    live = {name: text for name, text in everything.items() if name.startswith("hadiyati")}
    assert where([customer.user_id, delivered, sent], live) == {}
    assert await town.parts.objects.get(key) is None
    assert everything["invoices"] == before["invoices"]
    assert delivered in everything["orders"]
    again = await town.log_in("customer", customer.phone)
    assert again.user_id != customer.user_id
    assert (await again.get("/v1/orders")).json()["orders"] == []
    check = await town.app.state.audit.verify()
    assert check.faults == []


async def told_of(admin: Person, person: Person, action: str) -> list[dict[str, Any]]:
    log = await admin.get(f"/v1/audit-log?subject=user:{person.user_id}")
    return [one for one in log.json()["records"] if one["action"] == action]


async def test_a_courier_is_erased_once_he_is_off_duty(stored: tuple[Town, str, str]) -> None:
    town, dsn, redis_url = stored
    courier, socket = await town.courier()
    fix = TrailFix(
        courier_id=CourierId(courier.user_id),
        at=town.parts.clock.now(),
        lat=24.7,
        lng=46.6,
        accuracy_m=5,
    )
    await town.parts.store.save_trail([fix])
    assert (await courier.post("/v1/privacy/erasure")).status_code == 202
    waits = await settled(courier, "erasure")
    assert (waits["status"], waits["waits_for"]) == ("open", ["duty"])
    assert (await socket.tell("duty", duty="off"))["type"] == "reply"
    await an_hour_passes(dsn)
    assert await socket.closed() is not None
    everything = await everything_in(dsn, redis_url)
    assert where(["Salem", courier.phone], everything) == {}
    live = {name: text for name, text in everything.items() if name.startswith("hadiyati")}
    assert where([courier.user_id], {**live, "trail": everything["trail"]}) == {}
    assert courier.user_id in everything["couriers"]


async def test_a_recipient_without_an_account_is_erased_when_an_admin_asks(
    stored: tuple[Town, str, str],
) -> None:
    town, dsn, redis_url = stored
    admin, phone = await town.admin(), "+966598887776"
    order_id = await received_gift(town, phone)
    body = {"kind": "export", "phone": "0598887776", "reason": "letter 7"}
    asked = (await admin.post("/v1/privacy-requests", body)).json()
    async with asyncio.timeout(PATIENCE_S):
        while asked["file"] is None:
            asked = (await admin.get(f"/v1/privacy-requests/{asked['request_id']}")).json()
            await town.parts.wall.sleep(20)
    fetched = await town.client.get(asked["file"])
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as packed:
        (order,) = json.loads(packed.read("orders.json"))
    assert (order["id"], order["recipient"]["phone"]) == (order_id, phone)
    assert "total_halalas" not in order
    erased = (await admin.post("/v1/privacy-requests", {**body, "kind": "erasure"})).json()
    async with asyncio.timeout(PATIENCE_S):
        while erased["status"] != "done":
            erased = (await admin.get(f"/v1/privacy-requests/{erased['request_id']}")).json()
            await town.parts.wall.sleep(20)
    assert where([phone, NAME], await everything_in(dsn, redis_url)) == {}
    assert (await town.client.get(asked["file"])).json()["code"] == "export_gone"


async def test_an_erasure_is_told_to_the_phone_and_can_be_withdrawn(town: Town) -> None:
    customer, admin = await town.log_in("customer"), await town.admin()
    first = (await customer.post("/v1/privacy/erasure")).json()
    again = (await customer.post("/v1/privacy/erasure")).json()
    assert (first["request_id"], first["status"]) == (again["request_id"], "open")
    assert first["due_at"] - first["asked_at"] == 7 * 86_400_000
    async with asyncio.timeout(PATIENCE_S):
        while not any("erased" in one.text for one in town.texts() if one.phone == customer.phone):
            await town.parts.wall.sleep(20)
    waiting = (await admin.get("/v1/privacy-requests")).json()["requests"]
    assert [one["request_id"] for one in waiting] == [first["request_id"]]
    kept = await town.client.delete("/v1/privacy/erasure", headers=customer.headers)
    assert kept.json()["status"] == "withdrawn"
    twice = await town.client.delete("/v1/privacy/erasure", headers=customer.headers)
    assert (twice.status_code, twice.json()["code"]) == (404, "no_open_request")
    assert (await customer.get("/v1/me")).status_code == 200
    assert len(await told_of(admin, customer, "ask_erasure")) == 1
    assert len(await told_of(admin, customer, "withdraw_erasure")) == 1


async def test_consents_are_given_replaced_and_withdrawn(town: Town) -> None:
    customer = await town.log_in("customer")
    for wording in ("2026-11", "2026-11", "2026-12"):
        told = await customer.put("/v1/privacy/consents/marketing", {"wording": wording})
        assert (told.status_code, told.json()["wording"]) == (200, wording)
    await customer.put("/v1/privacy/consents/terms", {"wording": "1"})
    needed = await town.client.delete("/v1/privacy/consents/terms", headers=customer.headers)
    assert (needed.status_code, needed.json()["code"]) == (409, "consent_needed")
    path = "/v1/privacy/consents/marketing"
    withdrawn = await town.client.delete(path, headers=customer.headers)
    assert withdrawn.json()["is_withdrawn"] is True
    twice = await town.client.delete(path, headers=customer.headers)
    assert (twice.status_code, twice.json()["code"]) == (404, "no_consent")
    listed = (await customer.get("/v1/privacy/consents")).json()["consents"]
    marketing = [one for one in listed if one["purpose"] == "marketing"]
    assert {(one["wording"], one["is_withdrawn"]) for one in marketing} == {
        ("2026-11", False),
        ("2026-12", True),
    }
    assert all(one["ended_at"] for one in marketing)


async def test_an_export_of_an_unknown_person_and_a_wrong_link_are_refused(town: Town) -> None:
    admin = await town.admin()
    body = {"kind": "export", "user_id": "00000000-0000-7000-8000-00000000000f", "reason": "x"}
    told = await admin.post("/v1/privacy-requests", body)
    assert (told.status_code, told.json()["code"]) == (404, "unknown_person")
    both = await admin.post("/v1/privacy-requests", {**body, "phone": "0501234567"})
    assert both.status_code == 422
    wrong = await town.client.get("/v1/privacy-files/AAAA")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "unknown_link")
