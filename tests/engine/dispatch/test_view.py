"""What must hold of what people are shown."""

import json
import re
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.couriers.courier import ProgressStep
from engine.dispatch.view import order_view, work_view
from engine.kernel.timing import MINUTE_MS
from engine.orders.order import Gift, OrderStatus
from tests.builders import DOOR, NOON, PIN, SHOP, WRONG, Story, a_courier, a_story, a_window, must

STATUSES = sorted(set(OrderStatus) - {OrderStatus.PLACED})


def work_of(story: Story) -> dict[str, Any]:
    offer = story.find(story.courier.offer_id)
    known = {one.id: one for one in story.orders}
    return work_view(story.courier, offer, known)


@pytest.mark.parametrize("status", STATUSES)
def test_a_customer_sees_his_order_and_who_carries_it(status: OrderStatus) -> None:
    story = a_story(status)
    order = story.order
    carrier = story.courier if order.courier_id else None
    view = order_view(order, carrier, eta=NOON + MINUTE_MS)
    assert (view["order_id"], view["code"], view["version"]) == (
        order.id,
        order.code,
        order.version,
    )
    assert (view["status"], view["public_status"]) == (status.value, order.public_status.value)
    assert view["pin"] == PIN
    assert view["eta"] == NOON + MINUTE_MS
    assert view["gift"]["message"] == "مبروك"
    assert view["recipient"] == {"name": "Noura", "phone": "+966501234567"}
    assert (view["shop"]["lat"], view["shop"]["lng"], view["shop"]["name"]) == (
        SHOP.lat,
        SHOP.lng,
        "Flowers",
    )
    assert (view["door"]["lat"], view["door"]["address"]) == (DOOR.lat, "Building 7")
    assert view["courier"] == (
        {"courier_id": carrier.id, "name": "Salem", "vehicle": "car"} if carrier else None
    )
    assert msgspec.json.decode(msgspec.json.encode(view)) == json.loads(json.dumps(view))


def test_a_window_is_shown_with_its_ends() -> None:
    window = a_window()
    view = order_view(a_story(OrderStatus.SCHEDULED).order, None, eta=None)
    assert view["window"] == {"start": window.start, "end": window.end}
    assert order_view(a_story().order, None, eta=None)["window"] is None


@pytest.mark.parametrize("status", STATUSES)
def test_a_courier_never_sees_a_pin_or_the_price_or_what_is_said_to_the_recipient(
    status: OrderStatus,
) -> None:
    story = a_story(status, orders=2)
    told = json.dumps(work_of(story), ensure_ascii=False)
    # Ids are hexadecimal, and one in some thousands spells a word.
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "id", told)
    for secret in (f'"{PIN}"', '"pin":', "total_halalas", "fee", "مبروك", "customer"):
        assert secret not in text


def test_a_courier_sees_the_trip_he_is_asked_about() -> None:
    story = a_story(OrderStatus.OFFERED, orders=2)
    work = work_of(story)
    ids = [one.id for one in story.orders]
    assert (work["status"], work["route"], work["orders"]) == ("offered", [], [])
    offer = work["offer"]
    assert (offer["offer_id"], offer["order_ids"]) == (story.offer.id, ids)
    assert (offer["made_at"], offer["expires_at"]) == (NOON, story.offer.expires_at)
    assert [one["kind"] for one in offer["stops"]] == ["pickup", "dropoff", "dropoff"]
    assert [one["order_id"] for one in offer["orders"]] == ids
    needs = {"size_units": 1, "weight_g": 0, "skills": []}
    untold = {"surprise": False, "photo_consent": False, "neighbour": ""}
    assert offer["orders"][0]["gift"] == {"description": "Roses", **needs, **untold}


def test_a_courier_sees_his_route_and_what_he_carries() -> None:
    story = a_story(OrderStatus.COURIER_AT_SHOP, orders=2)
    must(story.report(ProgressStep.PICKED_UP, 1))
    work = work_of(story)
    assert (work["duty"], work["status"], work["offer"]) == ("on", "busy", None)
    assert work["version"] == story.courier.version
    assert work["route"][0] == {
        "kind": "pickup",
        "lat": SHOP.lat,
        "lng": SHOP.lng,
        "orders": [story.orders[0].id],
        "ready_at": story.orders[0].ready_at,
        "arrived_at": NOON,
    }
    shown = {one["order_id"]: one["status"] for one in work["orders"]}
    assert shown == {one.id: one.status.value for one in story.orders}


def test_who_has_nothing_to_do_sees_that() -> None:
    courier = replace(a_courier(), shift_ends_at=NOON + MINUTE_MS)
    work = work_view(courier, None, {})
    assert (work["route"], work["orders"], work["offer"]) == ([], [], None)
    assert (work["status"], work["shift_ends_at"]) == ("on", NOON + MINUTE_MS)


def test_every_change_of_what_a_courier_is_shown_has_a_higher_version() -> None:
    story = a_story(OrderStatus.COURIER_AT_SHOP, orders=2)
    seen = [work_of(story)]
    for step, pin in (
        (ProgressStep.PICKED_UP, PIN),
        (ProgressStep.REACHED_DOOR, PIN),
        (ProgressStep.DELIVERED, WRONG),
        (ProgressStep.ATTEMPT_FAILED, PIN),
        (ProgressStep.RETURN_STARTED, PIN),
    ):
        story.report(step, pin=pin)
        seen.append(work_of(story))
    story.cancel(1)
    seen.append(work_of(story))
    story.go_off()
    seen.append(work_of(story))
    assert [one["version"] for one in seen] == sorted({one["version"] for one in seen})


def test_a_gift_keeps_all_that_was_said_about_it() -> None:
    gift = Gift(description="Oud", message="m", occasion="Eid", hide_sender=True, surprise=True)
    view = order_view(replace(a_story().order, gift=gift), None, eta=None)
    assert msgspec.convert(view["gift"], Gift) == gift
