"""Which proof a handover needs, and what is kept of it."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.couriers.courier import ProgressStep
from engine.couriers.messages import ReportProgress
from engine.couriers.progress import Carrying
from engine.kernel.messages import Decision
from engine.kernel.place import Point
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from engine.orders.handover import HandedTo, Handover, HandoverTold, ProofKind
from engine.orders.order import Order, OrderDelivered, OrderStatus
from engine.orders.proof import VALUABLE_HALALAS, choices, needed
from tests.builders import DOOR, PIN, WRONG, Story, a_story, must

S, K = OrderStatus, ProofKind
DIGEST = "ab" * 32
NEIGHBOUR = HandoverTold(to=HandedTo.NEIGHBOUR, taken_by="Abu Fahd", photo=DIGEST)


def at_the_door(status: OrderStatus = S.AT_DOOR, *, worth: int = 0, **gift: Any) -> Story:
    story = a_story(status)
    order = story.order
    story.things[order.id] = replace(
        order,
        gift=replace(order.gift, **gift),
        fee_halalas=1000,
        total_halalas=1150 + worth,
    )
    return story


def report(story: Story, told: HandoverTold, pin: str = PIN) -> Decision | Refusal:
    order, courier = story.order, story.courier
    command = ReportProgress(
        courier_id=courier.id,
        order_id=order.id,
        step=ProgressStep.DELIVERED,
        device_at=story.at - MINUTE_MS,
        pin=pin,
        handover=told,
    )
    carrying = Carrying(courier, {order.id: order}, parameters=story.zone.parameters, now=story.at)
    return carrying.report(command)


def handed_over(story: Story, told: HandoverTold) -> Handover:
    things = [one.thing for one in must(report(story, told)).changes]
    (order,) = [one for one in things if isinstance(one, Order)]
    assert order.handover is not None
    return order.handover


def refusal(story: Story, told: HandoverTold, pin: str = PIN) -> Refusal:
    found = report(story, told, pin)
    assert isinstance(found, Refusal)
    return found


def test_the_recipient_needs_the_pin_and_more_for_what_is_valuable() -> None:
    assert needed(at_the_door(worth=VALUABLE_HALALAS - 1).order, HandedTo.RECIPIENT) == (K.PIN,)
    story = at_the_door(worth=VALUABLE_HALALAS)
    assert refusal(story, HandoverTold()).detail["missing"] == ["name", "signature"]
    told = HandoverTold(taken_by="Noura", signature=DIGEST)
    order = next(
        one.thing for one in must(report(story, told)).changes if one.thing.id == story.order.id
    )
    assert order.handover.proved_by == (K.PIN, K.NAME, K.SIGNATURE)


def test_a_neighbour_takes_it_without_a_pin_when_the_sender_named_one() -> None:
    assert refusal(at_the_door(photo_consent=True), NEIGHBOUR).code == "no_neighbour"
    story = at_the_door(photo_consent=True, neighbour="Abu Fahd, flat 3")
    assert refusal(story, replace(NEIGHBOUR, taken_by="")).detail["missing"] == ["name"]
    delivered = must(report(story, NEIGHBOUR, pin=""))
    events = [event for change in delivered.changes for event in change.events]
    assert OrderDelivered(at=story.at, device_at=story.at - MINUTE_MS, proof="name+photo") in events


def test_without_consent_a_signature_stands_in_for_the_photo() -> None:
    story = at_the_door(neighbour="Abu Fahd")
    assert refusal(story, NEIGHBOUR).code == "no_photo_consent"
    assert needed(story.order, HandedTo.NEIGHBOUR) == (K.NAME, K.SIGNATURE)
    valuable = at_the_door(neighbour="Abu Fahd", worth=VALUABLE_HALALAS)
    assert needed(valuable.order, HandedTo.NEIGHBOUR) == (K.NAME, K.SIGNATURE)
    assert choices(story.order) == {"recipient": ["pin"], "neighbour": ["name", "signature"]}
    assert choices(at_the_door().order) == {"recipient": ["pin"]}


@pytest.mark.parametrize("status", [S.ASSIGNED, S.PICKED_UP, S.AT_DOOR])
def test_what_is_missing_is_said_while_somebody_is_at_the_door(status: OrderStatus) -> None:
    story = at_the_door(status, worth=VALUABLE_HALALAS)
    assert refusal(story, HandoverTold()).code == "proof_missing"


def test_place_and_both_clocks_are_kept() -> None:
    story = at_the_door()
    there = Point(lat=DOOR.lat + 0.001, lng=DOOR.lng)
    told = HandoverTold(point=there, accuracy_m=12.0, fix_at=story.at - 2 * MINUTE_MS)
    order = next(
        one.thing for one in must(report(story, told)).changes if one.thing.id == story.order.id
    )
    kept = order.handover
    assert (kept.at, kept.device_at, kept.told) == (story.at, story.at - MINUTE_MS, told)
    assert kept.distance_m == pytest.approx(111.2, abs=0.1)


def test_a_wrong_pin_hands_nothing_over() -> None:
    story = at_the_door()
    decision = report(story, HandoverTold(), pin=WRONG)
    assert isinstance(decision, Decision)
    assert decision.refusal is not None
    assert decision.refusal.code == "wrong_pin"
    assert all(getattr(one.thing, "handover", None) is None for one in decision.changes)
