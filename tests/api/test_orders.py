"""Quotes and orders over REST."""

import asyncio
from typing import Any

import pytest

from engine.kernel.ids import CourierId, UserId
from engine.kernel.timing import HOUR_MS
from tests.api.town import ON_DUTY, QUOTE, Town, order_body
from tests.builders import new_id

FAR: dict[str, float] = {"lat": 21.4, "lng": 39.8}


async def test_a_quote_says_what_it_costs_and_when_it_is_there(town: Town) -> None:
    customer = await town.log_in("customer")
    made = await customer.post("/v1/quotes", QUOTE)
    body = made.json()
    assert made.status_code == 201
    assert body["zone_id"] == town.zone_id
    assert body["total_halalas"] == body["fee_halalas"] + body["vat_halalas"]
    assert body["promised_at"] > body["valid_until"] - HOUR_MS
    assert 1500 < body["distance_m"] < 5000


@pytest.mark.parametrize("place", ["shop", "door"])
async def test_a_place_outside_every_zone_cannot_be_quoted(town: Town, place: str) -> None:
    customer = await town.log_in("customer")
    refused = await customer.post("/v1/quotes", {**QUOTE, place: FAR})
    assert refused.status_code == 422
    assert (refused.json()["code"], refused.json()["place"]) == ("outside_zones", place)


async def test_the_same_key_and_body_place_one_order(town: Town) -> None:
    customer = await town.log_in("customer")
    body, key = order_body(await customer.quote()), town.key()
    first = await customer.post("/v1/orders", body, key=key)
    again = await customer.post("/v1/orders", body, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    listed = (await customer.get("/v1/orders")).json()["orders"]
    assert [one["order_id"] for one in listed] == [first.json()["order_id"]]


async def test_the_same_key_with_another_body_is_refused(town: Town) -> None:
    customer = await town.log_in("customer")
    quote_id, key = await customer.quote(), town.key()
    await customer.post("/v1/orders", order_body(quote_id), key=key)
    other = order_body(quote_id, recipient={"name": "Huda"})
    refused = await customer.post("/v1/orders", other, key=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_one_quote_is_one_order_whatever_the_key_and_also_after_its_end(town: Town) -> None:
    customer = await town.log_in("customer")
    body, first_key = order_body(await customer.quote()), town.key()
    answers = await asyncio.gather(
        customer.post("/v1/orders", body, key=first_key),
        *(customer.post("/v1/orders", body) for _ in range(7)),
    )
    placed = [one.json() for one in answers if one.status_code == 201]
    refused = [one.json() for one in answers if one.status_code == 409]
    assert (len(placed), len(refused)) == (1, 7)
    order_id = placed[0]["order_id"]
    assert {(one["code"], one["order_id"]) for one in refused} == {("quote_used", order_id)}
    cancelled = await customer.post(f"/v1/orders/{order_id}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200
    again = await customer.post("/v1/orders", body)
    assert (again.status_code, again.json()["code"]) == (409, "quote_used")
    listed = (await customer.get("/v1/orders")).json()["orders"]
    assert [one["order_id"] for one in listed] == [order_id]


async def test_a_quote_lists_what_is_sold_and_is_reproduced_from_what_is_stored(
    town: Town,
) -> None:
    customer = await town.log_in("customer")
    now = town.parts.clock.now()
    window = {"start": now + 6 * HOUR_MS, "end": now + 7 * HOUR_MS}
    goods = [{"name": "ورد جوري", "quantity": 2, "unit_halalas": 5750}]
    made = (await customer.post("/v1/quotes", {**QUOTE, "goods": goods, "window": window})).json()
    assert made["lines"][0] == {
        "name": "ورد جوري",
        "quantity": 2,
        "net_halalas": 10000,
        "vat_halalas": 1500,
        "gross_halalas": 11500,
    }
    nets = sum(one["net_halalas"] for one in made["lines"])
    assert made["total_halalas"] == nets + made["vat_halalas"] + made["rounding_halalas"]
    assert made["likely_by"] == made["promised_at"] == window["end"]
    placed = await customer.post("/v1/orders", order_body(made["quote_id"], window=window))
    path = f"/v1/orders/{placed.json()['order_id']}"
    shown = (await customer.get(path)).json()
    assert shown["total_halalas"] == made["total_halalas"]
    # What is dearer today does not change what was quoted yesterday.
    dearer = {"reason": "test", "parameters": {"fee_base_halalas": 9_000}}
    operator, zone = await town.operator(), f"/v1/zones/{town.zone_id}/parameters"
    changed = await operator.put(zone, dearer, **{"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    for person in (customer, operator):
        again = (await person.get(f"{path}/quote")).json()
        assert (again["again_halalas"], again["is_same"]) == (made["total_halalas"], True)
        assert again["zone_parameters_version"] < changed.json()["parameters_version"]
        assert {**again, **made} == {**again, "split": made["split"]}
    past = {**QUOTE, "window": {"start": now - HOUR_MS, "end": now + HOUR_MS}}
    assert (await customer.post("/v1/quotes", past)).json()["code"] == "bad_window"


async def test_two_people_may_use_the_same_key(town: Town) -> None:
    one, two = await town.log_in("customer"), await town.log_in("customer")
    orders = [
        (await one_of.post("/v1/orders", order_body(await one_of.quote()), key="the same key"))
        for one_of in (one, two)
    ]
    assert orders[0].json()["order_id"] != orders[1].json()["order_id"]


@pytest.mark.parametrize("key", [None, "short", "x" * 129])
async def test_an_order_needs_a_key_of_fair_length(town: Town, key: str | None) -> None:
    customer = await town.log_in("customer")
    headers = {**customer.headers, **({"Idempotency-Key": key} if key else {})}
    body = order_body(await customer.quote())
    refused = await town.client.post("/v1/orders", json=body, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def test_a_quote_of_somebody_else_is_of_no_use(town: Town) -> None:
    one, two = await town.log_in("customer"), await town.log_in("customer")
    refused = await two.post("/v1/orders", order_body(await one.quote()))
    assert (refused.status_code, refused.json()["code"]) == (422, "quote_mismatch")


async def test_an_unknown_quote_is_as_good_as_an_expired_one(town: Town) -> None:
    customer = await town.log_in("customer")
    refused = await customer.post("/v1/orders", order_body(new_id()))
    assert (refused.status_code, refused.json()["code"]) == (410, "quote_expired")


async def test_the_recipients_phone_is_kept_in_one_spelling(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    shown = (await customer.get(f"/v1/orders/{order_id}")).json()
    assert shown["recipient"]["phone"] == "+966501234567"
    body = order_body(await customer.quote(), recipient={"name": "Noura", "phone": "12"})
    refused = await customer.post("/v1/orders", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_phone")


async def test_a_gift_may_be_scheduled(town: Town) -> None:
    customer = await town.log_in("customer")
    now = town.parts.clock.now()
    window = {"start": now + 6 * HOUR_MS, "end": now + 7 * HOUR_MS}
    placed = await customer.post("/v1/orders", order_body(await customer.quote(), window=window))
    assert placed.json()["status"] == "scheduled"
    past = {"start": now - HOUR_MS, "end": now + HOUR_MS}
    refused = await customer.post("/v1/orders", order_body(await customer.quote(), window=past))
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_window")


async def test_an_order_is_its_customers_and_the_operators_to_see(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    for path in (f"/v1/orders/{order_id}", f"/v1/orders/{order_id}/timeline"):
        assert (await customer.get(path)).status_code == 200
        assert (await (await town.operator()).get(path)).status_code == 200
        stranger = await (await town.log_in("customer")).get(path)
        assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_order")
        courier = await (await town.log_in("courier")).get(path)
        assert (courier.status_code, courier.json()["code"]) == (403, "not_allowed")


async def test_an_order_that_nobody_placed_is_not_found(town: Town) -> None:
    customer = await town.log_in("customer")
    unknown = await customer.get(f"/v1/orders/{new_id()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_order")
    cancelled = await customer.post(f"/v1/orders/{new_id()}/cancel", {"reason": "other"})
    assert (cancelled.status_code, cancelled.json()["code"]) == (404, "unknown_order")
    odd = await customer.get("/v1/orders/17")
    assert odd.json()["errors"][0]["pointer"] == "/path/order_id"


async def test_an_order_is_cancelled_once_and_the_answer_repeated(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id, key = await customer.order(), town.key()
    path, body = f"/v1/orders/{order_id}/cancel", {"reason": "changed_mind"}
    first = await customer.post(path, body, key=key)
    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert (await customer.post(path, body, key=key)).json() == first.json()
    other = await customer.post(path, {"reason": "too_slow"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    shown = (await customer.get(f"/v1/orders/{order_id}")).json()
    assert (shown["status"], shown["public_status"]) == ("cancelled", "cancelled")


async def test_couriers_who_said_no_are_the_operators_to_know(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("decline", offer_id=offer["offer_id"], reason="too far")
    path = f"/v1/orders/{order_id}"
    assert courier.user_id not in (await customer.get(f"{path}/timeline")).text
    operator = await town.operator()
    assert courier.user_id in (await operator.get(f"{path}/timeline")).text
    explained = (await operator.get(f"{path}/offers")).json()["offers"]
    assert [one["decline_reason"] for one in explained] == ["too far"]
    assert explained[0]["explanation"]["candidates"] == 1
    assert (await customer.get(f"{path}/offers")).status_code == 403


async def test_an_order_is_shown_as_stored_while_its_cell_is_away(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    before = (await customer.get(f"/v1/orders/{order_id}")).json()
    (cell,) = await town.parts.store.list_cells()
    await town.cells.kill(cell)
    assert (await customer.get(f"/v1/orders/{order_id}")).json() == before


BAD: list[tuple[str, Any, str]] = [
    ("gift", {"description": ""}, "/gift/description"),
    ("gift", {"description": "x", "message": "m" * 501}, "/gift/message"),
    ("gift", {"description": "x", "size_units": 0}, "/gift/size_units"),
    ("gift", {"description": "x", "weight_g": -1}, "/gift/weight_g"),
    ("gift", {"description": "x", "skills": ["magic"]}, "/gift/skills/0"),
    ("gift", {"description": "x", "vehicles": ["camel"]}, "/gift/vehicles/0"),
    ("gift", {"description": "x", "hide_price": "yes"}, "/gift/hide_price"),
    ("gift", {"description": "a\x00b"}, "/gift/description"),
    ("gift", {"description": "x", "price": 5}, "/gift/price"),
    ("recipient", {"name": "  "}, "/recipient/name"),
    ("recipient", {}, "/recipient/name"),
    ("shop", {"lat": 91, "lng": 0}, "/shop/lat"),
    ("shop", {"lat": True, "lng": 0}, "/shop/lat"),
    ("door", {"lat": 24.7, "lng": -181}, "/door/lng"),
    ("door", {"lat": "24.7", "lng": 46}, "/door/lat"),
    ("window", {"start": 1}, "/window/end"),
    ("window", {"start": -1, "end": 5}, "/window/start"),
    ("quote_id", "17", "/quote_id"),
    ("quote_id", None, "/quote_id"),
    ("nonsense", 1, "/nonsense"),
]


async def test_a_field_that_is_wrong_is_pointed_at(town: Town) -> None:
    customer = await town.log_in("customer")
    quote_id = await customer.quote()
    for field, value, pointer in BAD:
        refused = await customer.post("/v1/orders", {**order_body(quote_id), field: value})
        told = refused.json()
        assert (refused.status_code, told["code"]) == (422, "invalid_request"), field
        assert pointer in [one["pointer"] for one in told["errors"]], told


async def test_a_place_that_is_no_number_is_nowhere(town: Town) -> None:
    customer = await town.log_in("customer")
    headers = {**customer.headers, "Content-Type": "application/json"}
    for number in ("NaN", "Infinity", "-Infinity", "1e999"):
        body = (
            f'{{"shop":{{"lat":{number},"lng":46}},"door":{{"lat":24,"lng":46}},"preparation_s":0}}'
        )
        refused = await town.client.post("/v1/quotes", content=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), number


async def test_what_is_no_json_object_is_refused(town: Town) -> None:
    customer = await town.log_in("customer")
    headers = {**customer.headers, "Content-Type": "application/json"}
    for content in (b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{" * 5000, b"[" * 100_000):
        refused = await town.client.post("/v1/quotes", content=content, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), content


async def test_what_a_gift_needs_is_kept_and_shown(town: Town) -> None:
    customer = await town.log_in("customer")
    needs = {"weight_g": 2500, "skills": ["upright", "cold", "cold"], "vehicles": ["car"]}
    body = order_body(await customer.quote(), gift={"description": "Cake", **needs})
    placed = await customer.post("/v1/orders", body)
    assert placed.status_code == 201, placed.text
    gift = (await customer.get(f"/v1/orders/{placed.json()['order_id']}")).json()["gift"]
    assert gift.items() >= {**needs, "skills": ["cold", "upright"]}.items()


async def test_a_courier_says_what_he_can_carry(town: Town) -> None:
    courier = await town.log_in("courier")
    words = {**ON_DUTY, "capacity_g": 7000, "skills": ["heavy", "cold"]}
    assert (await courier.post("/v1/courier/duty", words)).status_code == 200
    stored = await town.parts.store.find_courier(CourierId(UserId(courier.user_id)))
    assert stored is not None
    assert (stored.capacity_g, stored.skills) == (7000, ("cold", "heavy"))


async def test_what_a_cancellation_costs_is_told_before_it_is_confirmed(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    path = f"/v1/orders/{order_id}"
    total = (await customer.get(path)).json()["total_halalas"]
    told = (await customer.get(f"{path}/cancellation")).json()
    assert told == {
        "order_id": order_id,
        "rule": "unassigned",
        "charge_halalas": 0,
        "refund_halalas": total,
        "until": None,
    }
    cancelled = await customer.post(
        f"{path}/cancel", {"reason": "changed_mind", "charge_halalas_max": 0}
    )
    assert cancelled.json() == {
        "order_id": order_id,
        "status": "cancelled",
        "charge_halalas": 0,
        "refund_halalas": total,
    }
    late = await customer.get(f"{path}/cancellation")
    assert (late.status_code, late.json()["code"]) == (409, "too_late_to_cancel")


async def test_orders_are_found_by_what_people_remember_page_by_page(town: Town) -> None:
    customer = await town.log_in("customer")
    names = ("آمنة", "سارة", "أمنه", "هدى", "امنة")
    placed = {}
    for name in names:
        body = order_body(await customer.quote(), recipient={"name": name, "phone": "0501234567"})
        placed[name] = (await customer.post("/v1/orders", body)).json()

    async def found(query: str, cursor: str = "") -> tuple[list[str], str | None]:
        params = {"q": query, "limit": "2", "cursor": cursor}
        told = await town.client.get("/v1/orders", params=params, headers=customer.headers)
        page = told.json()
        return [one["recipient"]["name"] for one in page["orders"]], page["next"]

    first, after = await found("امنه")
    assert first == ["امنة", "أمنه"]
    assert after is not None
    assert await found("امنه", after) == (["آمنة"], None)
    assert await found("0501234567 سارة") == (["سارة"], None)
    assert await found(placed["هدى"]["code"].lower()) == (["هدى"], None)
    assert await found("nobody") == ([], None)
    long = await town.client.get("/v1/orders", params={"q": "x" * 101}, headers=customer.headers)
    assert long.json()["code"] == "invalid_request"
    stranger = await town.log_in("customer")
    assert (await stranger.get("/v1/orders?q=4567")).json()["orders"] == []
