"""A gift is thought of, changed, quoted and placed; until then it is its sender's draft."""

import asyncio
from typing import Any

import httpx2

from engine.orders.drafting import DRAFTS_MAX
from tests.api.town import QUOTE, Person, Town, order_body

GIFT = {"description": "Roses", "message": "مبروك 🎉", "surprise": True}


def whole(**more: Any) -> dict[str, Any]:
    """All that an order needs, as a draft takes it."""
    placed = order_body("no quote yet")
    told = {name: placed[name] for name in ("gift", "recipient", "shop", "door")}
    return {**told, "preparation_s": QUOTE["preparation_s"], **more}


async def put(person: Person, draft: dict[str, Any], **told: Any) -> httpx2.Response:
    path = f"/v1/drafts/{draft['draft_id']}"
    return await person.put(path, told, **{"If-Match": f'"{draft["version"]}"'})


async def begun(person: Person, **told: Any) -> dict[str, Any]:
    made = await person.post("/v1/drafts", told)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def test_a_draft_becomes_a_quote_and_an_order_and_is_gone(town: Town) -> None:
    sara = await town.log_in("customer")
    draft = await begun(sara, gift=GIFT)
    assert (draft["version"], draft["missing"]) == (1, ["recipient", "shop", "door"])
    assert (draft["gift"]["message"], draft["door"]) == ("مبروك 🎉", None)
    path = f"/v1/drafts/{draft['draft_id']}"
    early = await sara.post(f"{path}/quotes")
    assert (early.status_code, early.json()["code"]) == (409, "draft_incomplete")
    assert early.json()["missing"] == draft["missing"]
    changed = await put(sara, draft, **whole())
    assert (changed.status_code, changed.json()["missing"]) == (200, []), changed.text
    assert (await sara.get(path)).headers["etag"] == changed.headers["etag"] == '"2"'
    key = town.key()
    quoted = await sara.post(f"{path}/quotes", key=key)
    assert quoted.status_code == 201, quoted.text
    assert (await sara.post(f"{path}/quotes", key=key)).json() == quoted.json()
    told = quoted.json()
    assert told["order"]["quote_id"] == told["quote"]["quote_id"]
    assert (await sara.get("/v1/drafts")).json()["drafts"][0]["draft_id"] == draft["draft_id"]
    placed = await sara.post("/v1/orders", told["order"])
    assert placed.status_code == 201, placed.text
    order = (await sara.get(f"/v1/orders/{placed.json()['order_id']}")).json()
    assert order["total_halalas"] == told["quote"]["total_halalas"]
    assert (await sara.get("/v1/drafts")).json() == {"drafts": []}
    gone = await sara.post(f"{path}/quotes")
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_draft")


async def test_a_draft_is_its_senders_alone(town: Town) -> None:
    sara, other = await town.log_in("customer"), await town.log_in("customer")
    draft = await begun(sara, **whole())
    path = f"/v1/drafts/{draft['draft_id']}"
    assert (await other.get(path)).status_code == 404
    assert (await put(other, draft, gift=GIFT)).status_code == 404
    assert (await other.post(f"{path}/quotes")).status_code == 404
    assert (await town.client.delete(path, headers=other.headers)).status_code == 404
    assert (await other.get("/v1/drafts")).json() == {"drafts": []}
    left = await town.client.delete(path, headers=sara.headers)
    assert (left.status_code, left.json()) == (200, {"drafts": []})


async def test_nobodys_change_is_lost(town: Town) -> None:
    sara = await town.log_in("customer")
    draft = await begun(sara)
    assert draft["missing"] == ["gift", "recipient", "shop", "door"]
    path = f"/v1/drafts/{draft['draft_id']}"
    blind = await sara.put(path, {"gift": GIFT})
    assert (blind.status_code, blind.json()["code"]) == (428, "if_match_missing")
    told = await asyncio.gather(*(put(sara, draft, preparation_s=n) for n in range(10)))
    assert sorted(one.status_code for one in told) == [200] + [409] * 9
    stale = await put(sara, draft, gift=GIFT)
    assert (stale.json()["code"], stale.json()["last_version"]) == ("stale_draft", 2)


async def test_what_a_draft_says_is_held_to_the_rules_of_orders(town: Town) -> None:
    sara = await town.log_in("customer")
    for told, code in (
        ({"gift": {**GIFT, "message": "x" * 501}}, "invalid_request"),
        ({"gift": {**GIFT, "card": "none of ours"}}, "invalid_request"),
        ({"recipient": {"name": "Noura", "phone": "12"}}, "bad_phone"),
        ({"goods": [{"name": "Oud", "unit_halalas": -1}]}, "invalid_request"),
    ):
        refused = await sara.post("/v1/drafts", told)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
    key = town.key()
    first = await sara.post("/v1/drafts", {"gift": GIFT}, key=key)
    assert (await sara.post("/v1/drafts", {"gift": GIFT}, key=key)).json() == first.json()
    other = await sara.post("/v1/drafts", {}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    for _ in range(DRAFTS_MAX - 1):
        await begun(sara)
    full = await sara.post("/v1/drafts", {})
    assert (full.status_code, full.json()["code"]) == (409, "too_many_drafts")
