"""Proof of delivery over the wire: told offline, shown to whom it may be."""

import hashlib
from typing import Any

from tests.api.test_uploads import send
from tests.api.town import Person, Socket, Town, order_body
from tests.builders import DOOR
from tests.files import a_drawing, a_photo

GIFT = {"description": "Roses", "message": "مبروك", "neighbour": "Abu Fahd, flat 3"}
CONSENT = {**GIFT, "photo_consent": True, "surprise": True}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def a_gift_at_the_door(
    town: Town, customer: Person, gift: dict[str, Any], **more: Any
) -> tuple[str, Person, Socket]:
    body = order_body(await customer.quote(), gift=gift, **more)
    placed = await customer.post("/v1/orders", body)
    order_id = placed.json()["order_id"]
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    for step in ("reached_shop", "picked_up", "reached_door"):
        told = await phone.tell("progress", order_id=order_id, step=step)
        assert told["type"] == "reply", told
    return order_id, courier, phone


async def test_a_photo_follows_the_delivery_that_told_of_it(town: Town) -> None:
    customer, operator = await town.log_in("customer"), await town.operator()
    order_id, courier, phone = await a_gift_at_the_door(town, customer, CONSENT)
    work = (await courier.get("/v1/courier")).json()
    needed = {"recipient": ["pin"], "neighbour": ["name", "photo"]}
    assert work["orders"][0]["proof_needed"] == needed
    path = f"/v1/orders/{order_id}/handover"
    assert (await customer.get(path)).json()["code"] == "not_handed_over"
    photo, at = a_photo(), town.parts.clock.now() - 5000
    handover = {
        "to": "neighbour",
        "taken_by": "Abu Fahd",
        "photo": digest(photo),
        "lat": DOOR.lat,
        "lng": DOOR.lng,
        "accuracy_m": 9.5,
        "fix_at": at,
    }
    told = await phone.tell(
        "progress", order_id=order_id, step="delivered", device_at=at, handover=handover
    )
    assert told["body"]["status"] == "delivered"

    awaited = (await customer.get(path)).json()
    assert (awaited["handed_to"], awaited["taken_by"]) == ("neighbour", "Abu Fahd")
    assert awaited["photo"] == {"state": "awaited", "file": None}
    assert awaited["device_at"] == at
    assert (awaited["place"], awaited["distance_m"]) == (None, None)
    seen = (await operator.get(path)).json()
    assert (seen["place"], seen["distance_m"], seen["accuracy_m"]) == (
        {"lat": DOOR.lat, "lng": DOOR.lng},
        0.0,
        9.5,
    )

    about = {"purpose": "proof_photo", "order_id": order_id}
    assert (await send(courier, a_photo(32, 32), **about)).status_code == 201
    assert (await customer.get(path)).json()["photo"]["state"] == "awaited"
    assert (await send(courier, photo, **about)).status_code == 201
    kept = (await customer.get(path)).json()["photo"]
    assert kept["state"] == "kept"
    shown = await town.client.get(kept["file"]["url"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")


async def test_without_consent_there_is_no_photo_and_a_signature_counts(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id, courier, _ = await a_gift_at_the_door(town, customer, GIFT)
    refused = await send(courier, a_photo(), purpose="proof_photo", order_id=order_id)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_photo_consent")
    done = {"order_id": order_id, "step": "delivered"}
    taken = {"to": "neighbour", "taken_by": "Abu Fahd"}
    missing = await courier.post("/v1/courier/progress", {**done, "handover": taken})
    assert (missing.status_code, missing.json()["missing"]) == (422, ["signature"])
    signature = a_drawing()
    about = {"purpose": "signature", "order_id": order_id}
    assert (await send(courier, signature, **about)).status_code == 201
    signed = {**taken, "signature": digest(signature)}
    told = await courier.post("/v1/courier/progress", {**done, "handover": signed})
    assert told.json()["status"] == "delivered", told.text
    shown = (await customer.get(f"/v1/orders/{order_id}/handover")).json()
    assert (shown["proved_by"], shown["signature"]["state"]) == (["name", "signature"], "kept")


async def test_a_gift_to_ones_own_phone_is_an_order_like_any_other(town: Town) -> None:
    customer = await town.log_in("customer")
    own = {"name": "Noura", "phone": customer.phone}
    order_id, _, phone = await a_gift_at_the_door(town, customer, GIFT, recipient=own)
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]

    def told() -> list[str]:
        return [one.text for one in town.texts() if one.phone == customer.phone]

    while not any(pin in one for one in told()):
        await town.parts.wall.sleep(50)
    done = await phone.tell("progress", order_id=order_id, step="delivered", pin=pin)
    assert done["body"]["status"] == "delivered"
    assert sum(pin in one for one in told()) == 1


async def test_a_surprise_is_not_spoilt_by_its_proof(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id, courier, _ = await a_gift_at_the_door(town, customer, CONSENT)
    about = {"purpose": "proof_photo", "order_id": order_id}
    assert (await send(courier, a_photo(), **about)).status_code == 201
    link = (await customer.post(f"/v1/orders/{order_id}/links", {"viewer": "recipient"})).json()
    shown = (await town.client.get(link["path"])).json()
    assert not {"handover", "photo", "description"} & set(shown)
    assert (await customer.get(f"/v1/orders/{order_id}/handover")).status_code == 404
