"""Cards, and links to an order."""

import pytest

from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link, sign_link
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS
from tests.api.town import Town, order_body
from tests.builders import NOON, new_id

KEY = b"k" * 32


@pytest.mark.parametrize("side", [0, 1, 255])
def test_a_link_is_read_as_it_was_signed_until_it_expires(side: int) -> None:
    identifier = new_id()
    token = sign_link(identifier, side, NOON, key=KEY)
    assert read_link(token, key=KEY, now=NOON) == (identifier, side)
    late = read_link(token, key=KEY, now=NOON + 1)
    assert isinstance(late, Refusal)
    assert late.code == LINK_EXPIRED.code


def test_no_letter_of_a_link_can_be_changed() -> None:
    token = sign_link(new_id(), 1, NOON, key=KEY)
    changed = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(52)]
    for odd in (*changed, token[:-4], token + "AAAA", "", "%%", "A" * 200):
        read = read_link(odd, key=KEY, now=NOON)
        assert isinstance(read, Refusal)
        assert read.code == UNKNOWN_LINK.code
    other = read_link(token, key=b"o" * 32, now=NOON)
    assert isinstance(other, Refusal)


async def test_a_link_shows_what_its_viewer_may_see(town: Town) -> None:
    customer = await town.log_in("customer")
    gift = {
        "description": "Oud",
        "sender_name": "Huda",
        "hide_sender": True,
        "message": "👨‍👩‍👧‍👦" * 500,
    }
    placed = await customer.post("/v1/orders", order_body(await customer.quote(), gift=gift))
    assert placed.status_code == 201, placed.text
    path = f"/v1/orders/{placed.json()['order_id']}/links"
    made = await customer.post(path, {"viewer": "recipient", "hours": 1})
    assert made.status_code == 201
    assert made.json()["expires_at"] <= town.parts.clock.now() + HOUR_MS
    shown = await town.client.get(made.json()["path"])
    assert shown.headers["cache-control"] == "no-store"
    body = shown.json()
    assert (body["public_status"], body["description"]) == ("pending", "Oud")
    assert not {"message", "sender_name", "pin"} & set(body)
    anybody = (await customer.post(path, {"viewer": "link"})).json()["path"]
    assert set((await town.client.get(anybody)).json()) == {
        "code",
        "public_status",
        "courier_name",
        "times",
    }
    odd = await town.client.get(made.json()["path"] + "A")
    assert (odd.status_code, odd.json()["code"]) == (404, "unknown_link")
    stranger = await (await town.log_in("customer")).post(path, {})
    assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_order")


async def test_a_card_is_one_of_ours_and_its_message_has_room(town: Town) -> None:
    customer = await town.log_in("customer")
    cards = (await town.client.get("/v1/cards")).json()["cards"]
    assert {
        "id": "eid_crescent",
        "occasion": "eid_al_fitr",
        "en": "Eid Mubarak",
        "ar": "عيد مبارك",
    } in (cards)
    for field, value in (("card", "none_of_ours"), ("message", "👋🏽" * 501)):
        body = order_body(await customer.quote(), gift={"description": "x", field: value})
        refused = await customer.post("/v1/orders", body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == f"/gift/{field}"
    body = order_body(
        await customer.quote(),
        gift={"description": "x", "card": "eid_crescent", "message": "\u202eعيد\u202c مبارك\x07"},
    )
    placed = await customer.post("/v1/orders", body)
    shown = (await customer.get(f"/v1/orders/{placed.json()['order_id']}")).json()
    assert (shown["gift"]["card"], shown["gift"]["message"]) == ("eid_crescent", "عيد مبارك")
