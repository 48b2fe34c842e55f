"""The same gift once more, and one that went back."""

from tests.api.town import QUOTE, Person, Socket, Town, order_body

GOODS = [{"name": "Roses", "quantity": 2, "unit_halalas": 10000}]


async def a_returned_gift(town: Town, customer: Person) -> tuple[str, Socket]:
    quoted = await customer.post("/v1/quotes", {**QUOTE, "goods": GOODS})
    placed = await customer.post("/v1/orders", order_body(quoted.json()["quote_id"]))
    order_id: str = placed.json()["order_id"]
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    for step in (
        "reached_shop",
        "picked_up",
        "reached_door",
        "attempt_failed",
        "return_started",
        "returned",
    ):
        told = await phone.tell("progress", order_id=order_id, step=step, reason="nobody_home")
        assert told["type"] == "reply", told
    return order_id, phone


async def test_a_gift_that_went_back_is_brought_once_more_and_only_once(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id, _ = await a_returned_gift(town, customer)
    old = (await customer.get(f"/v1/orders/{order_id}")).json()
    assert old["status"] == "returned"
    assert [one["kind"] for one in old["fees"]] == ["failed_attempt"]
    path = f"/v1/orders/{order_id}/reorder"
    asked = await customer.post(path, {"redelivery": True})
    assert asked.status_code == 201, asked.text
    again = asked.json()
    (back, delivery) = again["quote"]["lines"]
    assert back["gross_halalas"] < 20000
    assert delivery["name"] == "delivery"
    other = {**again["order"], "gift": {**again["order"]["gift"], "description": "A watch"}}
    refused = await customer.post("/v1/orders", other)
    assert (refused.status_code, refused.json()["field"]) == (422, "gift")
    placed = await customer.post("/v1/orders", again["order"])
    assert placed.status_code == 201, placed.text
    new = (await customer.get(f"/v1/orders/{placed.json()['order_id']}")).json()
    assert new["redelivers"] == order_id
    twice = await customer.post(path, {"redelivery": True})
    assert (twice.status_code, twice.json()["code"]) == (409, "quote_used")


async def test_any_gift_may_be_ordered_again(town: Town) -> None:
    customer = await town.log_in("customer")
    quoted = await customer.post("/v1/quotes", {**QUOTE, "goods": GOODS})
    placed = await customer.post("/v1/orders", order_body(quoted.json()["quote_id"]))
    path = f"/v1/orders/{placed.json()['order_id']}/reorder"
    again = (await customer.post(path, {})).json()
    assert again["quote"]["lines"][0]["name"] == "Roses"
    assert again["order"]["recipient"]["name"] == "Noura"
    second = await customer.post("/v1/orders", again["order"])
    assert second.status_code == 201, second.text
    refused = await customer.post(path, {"redelivery": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "order_state")
