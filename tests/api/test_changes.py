"""Another door or window over the wire: quoted, agreed to, and told to who carries the gift."""

from typing import Any

from tests.api.town import QUOTE, Town, order_body
from tests.builders import DOOR

HOUR_MS = 3_600_000
ELSEWHERE = {"lat": DOOR.lat + 0.01, "lng": DOOR.lng, "address": "Building 9"}


async def test_another_door_is_quoted_agreed_to_and_shown_to_its_courier(town: Town) -> None:
    customer = await town.log_in("customer")
    goods = [{"name": "Roses", "quantity": 1, "unit_halalas": 20000}]
    quoted = await customer.post("/v1/quotes", {**QUOTE, "goods": goods})
    placed = await customer.post("/v1/orders", order_body(quoted.json()["quote_id"]))
    order_id = placed.json()["order_id"]
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    path = f"/v1/orders/{order_id}"
    before = (await customer.get(path)).json()

    preview = await customer.post(f"{path}/change-quotes", {"door": ELSEWHERE})
    assert preview.status_code == 201, preview.text
    told = preview.json()
    assert (told["rule"], told["charge_halalas"]) == ("just_assigned", 0)
    assert told["total_before_halalas"] == before["total_halalas"]
    assert told["difference_halalas"] == told["total_halalas"] - before["total_halalas"]
    assert (await customer.get(path)).json()["door"] == before["door"]

    wish = {"quote_id": told["quote_id"], "door": ELSEWHERE, "charge_halalas_max": 0}
    changed = await customer.post(f"{path}/changes", wish, key="change-0001")
    assert changed.status_code == 200, changed.text
    again = await customer.post(f"{path}/changes", wish, key="change-0001")
    assert again.json() == changed.json()
    after = (await customer.get(path)).json()
    assert (after["status"], after["total_halalas"]) == ("assigned", told["total_halalas"])
    while True:
        body: dict[str, Any] = (await phone.next("update", channel=f"courier:{courier.user_id}"))[
            "body"
        ]
        if body["route"] and body["route"][-1]["lat"] == ELSEWHERE["lat"]:
            break
    assert body["orders"][0]["door"]["address"] == "Building 9"


async def test_a_gift_for_now_is_put_off_and_called_back(town: Town) -> None:
    customer = await town.log_in("customer")
    path = f"/v1/orders/{await customer.order()}"
    start = town.parts.clock.now() + 30 * HOUR_MS
    later = {"start": start, "end": start + HOUR_MS}
    for window, status in ((later, "scheduled"), (None, "waiting")):
        told = (await customer.post(f"{path}/change-quotes", {"window": window})).json()
        wish = {"quote_id": told["quote_id"], "window": window}
        changed = await customer.post(f"{path}/changes", wish)
        assert changed.json()["status"] == status, changed.text
    assert (await customer.get(path)).json()["window"] is None


async def test_what_cannot_be_changed_is_said(town: Town) -> None:
    customer, stranger = await town.log_in("customer"), await town.log_in("customer")
    path = f"/v1/orders/{await customer.order()}"
    far = {"lat": 21.5, "lng": 39.2}
    for who, body, status, code in (
        (customer, {}, 422, "invalid_request"),
        (customer, {"door": far}, 422, "outside_zones"),
        (customer, {"window": {"start": 1, "end": 2}}, 422, "bad_window"),
        (stranger, {"window": None}, 404, "unknown_order"),
    ):
        told = await who.post(f"{path}/change-quotes", body)
        assert (told.status_code, told.json()["code"]) == (status, code), told.text
    await customer.post(f"{path}/cancel", {"reason": "other"})
    late = await customer.post(f"{path}/change-quotes", {"door": ELSEWHERE})
    assert (late.status_code, late.json()["code"]) == (409, "too_late_to_change")
