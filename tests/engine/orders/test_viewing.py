"""What must hold of who sees what."""

import json
from itertools import product
from typing import Any, Final

import pytest
from msgspec.structs import replace

from engine.dispatch.view import order_view, shared_view, work_view
from engine.kernel.place import Place
from engine.orders.order import Gift, Order, OrderStatus, Recipient
from engine.orders.viewing import SEEN, Viewer, When, sees
from tests.builders import DOOR, SHOP, Story, a_story

S, V = OrderStatus, Viewer
STATUSES: Final = sorted(set(OrderStatus) - {S.PLACED})
# What would give each of the table's rows away; a row without a text of its own is not here.
TELLTALE: Final = {
    "description": "the-description",
    "occasion": "the-occasion",
    "card": "the-card",
    "message": "the-message",
    "sender_name": "the-sender",
    "price": "987654",
    "pin": "pin-4711",
    "recipient_name": "the-recipient",
    "recipient_phone": "+966509999999",
    "neighbour": "the-neighbour",
    "door_address": "the-address",
}


# What the sender sees later, or not at all.
OF_THE_HANDOVER: Final = {"handover", "handover_place", "left_with", "proof_needed"}


def a_told_story(status: OrderStatus, *, surprise: bool, hide_sender: bool) -> Story:
    """A story of one order in which everything has a text of its own."""
    story = a_story(status)
    order = story.order
    story.things[order.id] = replace(
        order,
        gift=Gift(
            description="the-description",
            occasion="the-occasion",
            card="the-card",
            message="the-message",
            sender_name="the-sender",
            neighbour="the-neighbour",
            surprise=surprise,
            hide_sender=hide_sender,
            photo_consent=True,
        ),
        recipient=Recipient(name="the-recipient", phone="+966509999999"),
        door=Place(point=DOOR, name="x", address="the-address", notes="the-address too"),
        shop=Place(point=SHOP, name="Flowers"),
        pin="pin-4711",
        total_halalas=987654,
    )
    return story


def shown_to(viewer: Viewer, story: Story) -> Any:
    """What this viewer is really sent."""
    order = story.order
    carrier = story.courier if order.courier_id else None
    match viewer:
        case V.SENDER | V.OPERATOR:
            return order_view(order, carrier, eta=None)
        case V.COURIER:
            return work_view(story.courier, None, {order.id: order})
        case V.ASKED_COURIER:
            offer = story.find(story.courier.offer_id)
            return work_view(story.courier, offer, {order.id: order})["offer"]
        case V.RECIPIENT | V.LINK:
            return shared_view(order, viewer, carrier, eta=None)


@pytest.mark.parametrize("viewer", Viewer)
@pytest.mark.parametrize("status", STATUSES)
def test_nobody_is_sent_what_the_table_does_not_give_him(
    viewer: Viewer, status: OrderStatus
) -> None:
    for surprise, hide_sender in product((False, True), repeat=2):
        story = a_told_story(status, surprise=surprise, hide_sender=hide_sender)
        text = json.dumps(shown_to(viewer, story))
        for what, telltale in TELLTALE.items():
            if not sees(story.order, viewer, what):
                assert telltale not in text, f"{viewer} is told {what} while {status}"


@pytest.mark.parametrize("viewer", [V.RECIPIENT, V.LINK])
@pytest.mark.parametrize("status", STATUSES)
def test_a_surprise_is_one_until_it_is_at_the_door(viewer: Viewer, status: OrderStatus) -> None:
    story = a_told_story(status, surprise=True, hide_sender=False)
    shown = shown_to(viewer, story)
    if status not in {S.AT_DOOR, S.ATTEMPT_FAILED, S.DELIVERED}:
        assert set(shown) == {"code"}
    if status is not S.DELIVERED:
        assert not {"description", "occasion", "message", "sender_name"} & set(shown)


def test_who_gave_it_is_told_when_it_is_delivered() -> None:
    hidden = a_told_story(S.AT_DOOR, surprise=False, hide_sender=True)
    assert "sender_name" not in shown_to(V.RECIPIENT, hidden)
    opened = a_told_story(S.DELIVERED, surprise=True, hide_sender=True)
    shown = shown_to(V.RECIPIENT, opened)
    assert (shown["sender_name"], shown["message"]) == ("the-sender", "the-message")
    assert "sender_name" not in shown_to(V.LINK, opened)


def test_who_is_asked_learns_neither_whom_nor_which_door_and_who_accepts_does() -> None:
    asked = a_told_story(S.OFFERED, surprise=False, hide_sender=False)
    offer = shown_to(V.ASKED_COURIER, asked)["orders"][0]
    assert offer["recipient"] == {"name": "", "phone": ""}
    assert (offer["door"]["address"], offer["door"]["notes"], offer["door"]["lat"]) == (
        "",
        "",
        DOOR.lat,
    )
    accepted = a_told_story(S.ASSIGNED, surprise=False, hide_sender=False)
    carried = shown_to(V.COURIER, accepted)["orders"][0]
    assert carried["recipient"] == {"name": "the-recipient", "phone": "+966509999999"}
    assert (carried["door"]["address"], carried["gift"]["photo_consent"]) == ("the-address", True)


def test_who_carries_a_surprise_cannot_call() -> None:
    carried = shown_to(V.COURIER, a_told_story(S.PICKED_UP, surprise=True, hide_sender=True))
    (order,) = carried["orders"]
    assert order["recipient"] == {"name": "the-recipient", "phone": ""}
    assert order["gift"]["surprise"] is True


def test_the_sender_and_operators_see_all_of_it() -> None:
    order: Order = a_told_story(S.WAITING, surprise=True, hide_sender=True).order
    for what, row in SEEN.items():
        if what not in OF_THE_HANDOVER:
            assert row[V.SENDER] is row[V.OPERATOR] is When.ALWAYS
    text = json.dumps(order_view(order, None, eta=None))
    assert all(telltale in text for telltale in TELLTALE.values())
