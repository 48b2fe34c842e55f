"""A courier's words over REST, and that they are the same commands as over the socket."""

import pytest

from tests.api.town import ON_DUTY, Person, Socket, Town
from tests.builders import new_id


async def on_duty_with_an_offer(town: Town) -> tuple[Person, Socket, str, str]:
    order_id = await (await town.log_in("customer")).order()
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    return courier, phone, order_id, offer["offer_id"]


async def test_a_day_over_rest_alone(town: Town) -> None:
    courier = await town.log_in("courier")
    never = await courier.get("/v1/courier")
    assert (never.status_code, never.json()["code"]) == (404, "unknown_courier")
    for body, duty in (
        (ON_DUTY, "on"),
        ({"duty": "break"}, "break"),
        ({"duty": "resume"}, "on"),
        ({"duty": "off"}, "off"),
    ):
        told = await courier.post("/v1/courier/duty", body)
        assert (told.status_code, told.json()["duty"]) == (200, duty), told.text
    assert (await courier.post("/v1/courier/duty", ON_DUTY)).status_code == 200
    work = (await courier.get("/v1/courier")).json()
    assert (work["duty"], work["route"], work["offer"]) == ("on", [], None)
    assert work["zone_id"] == town.zone_id


async def test_who_is_off_duty_is_remembered_when_his_cell_starts_anew(town: Town) -> None:
    courier = await town.log_in("courier")
    await courier.post("/v1/courier/duty", ON_DUTY)
    await courier.post("/v1/courier/duty", {"duty": "off"})
    (cell,) = await town.parts.store.list_cells()
    await town.cells.kill(cell)
    work = await courier.get("/v1/courier")
    assert (work.status_code, work.json()["duty"]) == (200, "off")


async def test_an_offer_is_taken_and_carried_over_rest(town: Town) -> None:
    courier, _, order_id, offer_id = await on_duty_with_an_offer(town)
    path = f"/v1/courier/offers/{offer_id}"
    assert (await courier.post(f"{path}/acknowledge")).json()["status"] == "open"
    assert (await courier.post(f"{path}/accept")).json()["status"] == "accepted"
    work = (await courier.get("/v1/courier")).json()
    assert [stop["kind"] for stop in work["route"]] == ["pickup", "dropoff"]
    assert work["orders"][0]["recipient"]["name"] == "Noura"
    assert not {"pin", "total_halalas"} & set(work["orders"][0])
    progress = {"order_id": order_id, "step": "reached_shop"}
    assert (await courier.post("/v1/courier/progress", progress)).status_code == 200
    back = await courier.post(f"/v1/orders/{order_id}/unassign", {"reason": "flat tyre"})
    assert (back.status_code, back.json()["status"]) == (200, "waiting")


async def test_the_same_words_twice_are_one_command_whichever_way_they_come(town: Town) -> None:
    courier, phone, order_id, offer_id = await on_duty_with_an_offer(town)
    key = "device-event-1"
    first = await phone.tell("accept", id=key, offer_id=offer_id)
    again = await phone.tell("accept", id=key, offer_id=offer_id)
    over_rest = await courier.post(f"/v1/courier/offers/{offer_id}/accept", key=key)
    assert first == again
    assert over_rest.json() == first["body"]
    step = {"order_id": order_id, "step": "reached_shop", "device_at": 5}
    reports = [await phone.tell("progress", id="device-event-2", **step) for _ in range(2)]
    assert reports[0] == reports[1]
    assert (await courier.post("/v1/courier/progress", step, key="device-event-2")).json() == (
        reports[0]["body"]
    )
    other = await phone.tell("progress", id="device-event-2", **{**step, "device_at": 6})
    assert other["code"] == "idempotency_key_reused"


async def test_reports_may_come_in_any_order(town: Town) -> None:
    courier, phone, order_id, offer_id = await on_duty_with_an_offer(town)
    await phone.tell("accept", offer_id=offer_id)
    early = await phone.tell("progress", order_id=order_id, step="picked_up")
    assert early["body"]["kept"] is True
    await phone.tell("progress", order_id=order_id, step="reached_shop")
    shown = await phone.until(f"courier:{courier.user_id}")
    while shown["orders"] and shown["orders"][0]["status"] != "picked_up":
        shown = await phone.until(f"courier:{courier.user_id}")
    assert [stop["kind"] for stop in shown["route"]] == ["dropoff"]


async def test_an_offer_that_is_over_cannot_be_taken(town: Town) -> None:
    courier, phone, _, offer_id = await on_duty_with_an_offer(town)
    assert (await phone.tell("decline", offer_id=offer_id, reason="tired"))["type"] == "reply"
    late = await phone.tell("accept", offer_id=offer_id)
    assert (late["type"], late["code"]) == ("refused", "offer_closed")
    over_rest = await courier.post(f"/v1/courier/offers/{offer_id}/accept")
    assert (over_rest.status_code, over_rest.json()["code"]) == (410, "offer_closed")


async def test_an_offer_made_to_somebody_else_does_not_exist(town: Town) -> None:
    _, _, _, offer_id = await on_duty_with_an_offer(town)
    other, phone = await town.courier()
    refused = await phone.tell("accept", offer_id=offer_id)
    assert refused["code"] == "unknown_offer"
    over_rest = await other.post(f"/v1/courier/offers/{new_id()}/accept")
    assert (over_rest.status_code, over_rest.json()["code"]) == (404, "unknown_offer")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lat": 0.0, "lng": 0.0}, 422, "outside_zones"),
        ({"zone_id": new_id()}, 404, "unknown_zone"),
        ({"shift_ends_at": 5}, 422, "shift_over"),
        ({"shift_begins_at": 4_102_444_800_000}, 422, "shift_begin"),
        ({"vehicle": "camel"}, 422, "invalid_request"),
        ({"capacity_units": 0}, 422, "invalid_request"),
        ({"capacity_g": -1}, 422, "invalid_request"),
        ({"skills": ["magic"]}, 422, "invalid_request"),
        ({"lat": 90.5}, 422, "invalid_request"),
        ({"duty": "sleep"}, 422, "invalid_request"),
        ({"extra": 1}, 422, "invalid_request"),
    ],
)
async def test_a_duty_that_cannot_be_is_refused_the_same_way_on_both_ways(
    town: Town, change: dict[str, object], status: int, code: str
) -> None:
    courier = await town.log_in("courier")
    phone = await courier.socket()
    words = {**ON_DUTY, **change}
    over_rest = await courier.post("/v1/courier/duty", words)
    assert (over_rest.status_code, over_rest.json()["code"]) == (status, code), over_rest.text
    refused = await phone.tell("duty", **words)
    assert (refused["type"], refused["code"]) == ("refused", code)


async def test_a_break_is_announced_and_taken_back_on_both_ways(town: Town) -> None:
    courier, phone = await town.courier()
    await phone.until(f"courier:{courier.user_id}")
    at = town.parts.clock.now() + 3_600_000
    told = await courier.post(
        "/v1/courier/duty", {"duty": "break", "break_begins_at": at, "break_s": 900}
    )
    assert (told.status_code, told.json()["duty"]) == (200, "on")
    shown = await phone.until(f"courier:{courier.user_id}")
    assert (shown["break_begins_at"], shown["break_ends_at"]) == (at, at + 900_000)
    assert (await phone.tell("duty", duty="resume"))["type"] == "reply"
    assert (await phone.until(f"courier:{courier.user_id}"))["break_begins_at"] is None
    assert (await phone.tell("duty", duty="break", break_s=60))["type"] == "reply"
    resting = await phone.until(f"courier:{courier.user_id}")
    assert resting["duty"] == "break"
    assert resting["break_ends_at"] == resting["break_begins_at"] + 60_000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"break_begins_at": 4_102_444_800_000}, "break_time"),
        ({"break_s": 59}, "invalid_request"),
        ({"break_s": 14_401}, "invalid_request"),
    ],
)
async def test_a_break_that_cannot_be_is_refused_the_same_way_on_both_ways(
    town: Town, words: dict[str, object], code: str
) -> None:
    courier, phone = await town.courier()
    over_rest = await courier.post("/v1/courier/duty", {"duty": "break", **words})
    assert (over_rest.status_code, over_rest.json()["code"]) == (422, code), over_rest.text
    assert (await phone.tell("duty", duty="break", **words))["code"] == code


async def test_who_says_that_he_waits_where_nobody_sent_him_changes_nothing(town: Town) -> None:
    courier, phone = await town.courier()
    before = (await courier.get("/v1/courier")).json()
    told = await courier.post("/v1/courier/waiting-point", {"device_at": 5}, key="device-event-7")
    assert (told.status_code, told.json()) == (200, {"status": "on"})
    again = await phone.tell("reached_waiting_point", id="device-event-7", device_at=5)
    assert again["body"] == told.json()
    assert (await courier.get("/v1/courier")).json() == before
