"""What must hold of who is told what by text message."""

from typing import Any

from engine.couriers.courier import ProgressStep
from engine.kernel.messages import Decision
from engine.kernel.timing import HOUR_MS
from engine.notices import notices_for
from engine.orders.messages import SendSms
from engine.orders.order import Gift, OrderStatus, Recipient
from tests.builders import PIN, Story, a_courier, a_story, a_zone, must

P, S = ProgressStep, OrderStatus


def a_trip_with(**fields: Any) -> Story:
    """One order, accepted."""
    zone = a_zone()
    story = Story(zone, a_courier(zone=zone))
    story.place(**fields)
    story.make()
    story.accept()
    return story


def told(decision: Decision) -> list[SendSms]:
    effects = notices_for(decision)
    assert len({one.id for one in effects}) == len(effects)
    return [one for one in effects if isinstance(one, SendSms)]


def reported(story: Story, *steps: ProgressStep) -> list[SendSms]:
    return [one for step in steps for one in told(must(story.report(step)))]


def test_the_recipient_learns_the_pin_in_both_languages_when_the_gift_sets_out() -> None:
    story = a_story(S.COURIER_AT_SHOP)
    (sms,) = told(must(story.report(P.PICKED_UP)))
    assert sms.phone == story.order.recipient.phone
    arabic, english = sms.text.splitlines()
    assert arabic.endswith(PIN)
    assert english.endswith(PIN)
    assert "هدية" in arabic


def test_a_surprise_is_told_only_at_the_door() -> None:
    story = a_trip_with(gift=Gift(description="Ring", surprise=True))
    assert reported(story, P.REACHED_SHOP, P.PICKED_UP) == []
    assert len(reported(story, P.REACHED_DOOR)) == 1


def test_a_recipient_without_a_phone_is_told_nothing() -> None:
    story = a_trip_with(recipient=Recipient(name="Grandmother"))
    assert reported(story, P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED) == []


def test_a_whole_delivery_sends_one_message() -> None:
    story = a_story(S.WAITING, orders=1)
    decisions = [story.make(), story.accept()]
    steps = (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED)
    decisions += [must(story.report(step)) for step in steps]
    assert len([one for decision in decisions for one in told(decision)]) == 1


def test_each_order_of_a_bundle_has_its_own_message() -> None:
    story = a_story(S.COURIER_AT_SHOP, orders=2)
    messages = [one for index in (0, 1) for one in told(must(story.report(P.PICKED_UP, index)))]
    assert len({one.id for one in messages}) == 2


def test_the_same_decision_gives_the_same_messages() -> None:
    decision = must(a_story(S.COURIER_AT_SHOP).report(P.PICKED_UP))
    assert told(decision) == told(decision)


def test_what_happens_twice_in_one_decision_is_told_once() -> None:
    story = a_trip_with(gift=Gift(description="Ring", surprise=True))
    must(story.report(P.REACHED_SHOP))
    story.at += HOUR_MS
    must(story.report(P.REACHED_DOOR, device_at=story.at - 3))
    must(story.report(P.ATTEMPT_FAILED, device_at=story.at - 2))
    must(story.report(P.REACHED_DOOR, device_at=story.at - 1))
    decision = must(story.report(P.PICKED_UP))
    assert story.order.failed_attempts == 1
    assert story.status() is S.AT_DOOR
    assert len(told(decision)) == 1
