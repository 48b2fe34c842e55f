"""What must hold of an offer: one winner, all or nothing, never again after a no."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, CourierStatus, Duty, ProgressStep, RouteChanged
from engine.couriers.messages import AcceptOffer, AcknowledgeOffer, DeclineOffer
from engine.dispatch import cancellation, leaving, offers
from engine.dispatch.offer import (
    Offer,
    OfferAccepted,
    OfferAcknowledged,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferStatus,
    OfferWithdrawn,
)
from engine.kernel.ids import CourierId, OfferId, UserId, ZoneId
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import (
    Gift,
    Lapse,
    Lapsed,
    Order,
    OrderAssigned,
    OrderOffered,
    OrderOfferLapsed,
    OrderStatus,
)
from tests.builders import (
    NOON,
    Story,
    a_courier,
    a_made_offer,
    a_story,
    an_offer,
    customer,
    must,
    new_id,
    operator,
)

S = OrderStatus


def accepting(story: Story) -> AcceptOffer:
    return AcceptOffer(courier_id=story.courier.id, offer_id=story.offer.id)


def declining(story: Story) -> DeclineOffer:
    return DeclineOffer(courier_id=story.courier.id, offer_id=story.offer.id, reason="too far")


def test_a_question_is_put_to_courier_and_orders_together() -> None:
    story = a_story(S.WAITING, orders=2)
    decision = story.make()
    offer, ids = story.offer, tuple(one.id for one in story.orders)
    assert (offer.status, offer.version, offer.order_ids) == (OfferStatus.OPEN, 1, ids)
    assert story.courier.offer_id == offer.id
    assert story.courier.status is CourierStatus.OFFERED
    assert [(one.status, one.offer_id) for one in story.orders] == [(S.OFFERED, offer.id)] * 2
    made = OfferMade(
        at=NOON, courier_id=story.courier.id, order_ids=ids, expires_at=offer.expires_at
    )
    offered = OrderOffered(at=NOON, offer_id=offer.id, courier_id=story.courier.id)
    events = [event for change in decision.changes for event in change.events]
    assert events == [made, offered, offered]


def declined_before(courier: Courier, reason: Lapse) -> dict[str, Any]:
    return {"lapsed": (Lapsed(courier_id=courier.id, reason=reason, at=NOON),)}


@pytest.mark.parametrize(
    ("order_fields", "courier_fields", "can"),
    [
        (lambda c: {}, {}, True),
        (lambda c: {"status": S.SCHEDULED}, {}, False),
        (lambda c: {"status": S.OFFERED}, {}, False),
        (lambda c: {"status": S.ASSIGNED}, {}, False),
        (lambda c: {"status": S.CANCELLED}, {}, False),
        (lambda c: {"zone_id": ZoneId(new_id())}, {}, False),
        (lambda c: declined_before(c, Lapse.DECLINED), {}, False),
        (lambda c: declined_before(c, Lapse.EXPIRED), {}, True),
        (lambda c: declined_before(c, Lapse.WITHDRAWN), {}, True),
        (lambda c: {}, {"duty": Duty.OFF}, False),
        (lambda c: {}, {"duty": Duty.BREAK}, False),
        (lambda c: {}, {"duty": Duty.ENDING}, False),
        (lambda c: {}, {"offer_id": OfferId(new_id())}, False),
        (lambda c: {}, {"shift_ends_at": NOON}, False),
        (lambda c: {}, {"shift_ends_at": NOON + 1}, True),
        (lambda c: {"gift": Gift(description="Piano", size_units=4)}, {}, True),
        (lambda c: {"gift": Gift(description="Piano", size_units=5)}, {}, False),
        (lambda c: {}, {"capacity_units": 0}, False),
    ],
)
def test_only_who_is_free_for_it_is_asked(
    order_fields: Callable[[Courier], dict[str, Any]],
    courier_fields: dict[str, Any],
    *,
    can: bool,
) -> None:
    story = a_story(S.WAITING)
    courier = replace(story.courier, **courier_fields)
    order = replace(story.order, **order_fields(courier))
    decision = offers.make(an_offer([order], courier), [order], courier, now=NOON)
    assert (decision is not None) is can


def test_a_bundle_is_offered_whole_or_not_at_all() -> None:
    story = a_story(S.WAITING, orders=2)
    story.cancel(1)
    offer = an_offer(story.orders, story.courier)
    assert offers.make(offer, story.orders, story.courier, now=NOON) is None
    assert offers.make(an_offer(courier=story.courier), [], story.courier, now=NOON) is None


def test_a_bundle_must_fit_the_vehicle() -> None:
    story = a_story(S.WAITING, orders=3)
    for capacity, fits in ((2, False), (3, True)):
        courier = replace(story.courier, capacity_units=capacity)
        offer = an_offer(story.orders, courier)
        assert (offers.make(offer, story.orders, courier, now=NOON) is not None) is fits


def test_who_carries_something_may_be_asked_for_the_next_trip() -> None:
    story = a_story(S.PICKED_UP)
    next_one = a_story(S.WAITING, zone=story.zone)
    offer = an_offer(next_one.orders, story.courier)
    story.things[next_one.order.id] = next_one.order
    decision = must(offers.make(offer, next_one.orders, story.courier, now=NOON))
    assert story.store(decision)
    assert story.courier.status is CourierStatus.BUSY
    command = AcceptOffer(courier_id=story.courier.id, offer_id=offer.id)
    orders = [story.things[next_one.order.id]]
    before, leaves_at = story.courier.route, story.courier.leaves_at
    now = NOON + SECOND_MS
    must(accepted := offers.accept(story.things[offer.id], orders, story.courier, command, now=now))
    assert story.store(must(accepted))
    assert story.courier.route == (*before, *offer.stops)
    assert story.courier.leaves_at == leaves_at
    must(story.report(ProgressStep.REACHED_DOOR))
    must(story.report(ProgressStep.DELIVERED))
    assert story.courier.orders == (next_one.order.id,)
    assert story.courier.status is CourierStatus.BUSY


def test_the_phone_says_once_that_it_has_the_offer() -> None:
    offer = a_made_offer()
    command = AcknowledgeOffer(courier_id=offer.courier_id, offer_id=offer.id)
    decision = must(offers.acknowledge(offer, command, now=NOON + 1))
    (change,) = decision.changes
    assert change.events == (OfferAcknowledged(at=NOON + 1, courier_id=offer.courier_id),)
    assert (change.thing.acknowledged_at, change.thing.version) == (NOON + 1, 2)
    again = must(offers.acknowledge(change.thing, command, now=NOON + 2))
    assert again == Decision(reply={"offer_id": offer.id, "status": "open"})


@pytest.mark.parametrize("status", [one for one in OfferStatus if one is not OfferStatus.OPEN])
def test_an_acknowledgement_that_comes_too_late_is_harmless(status: OfferStatus) -> None:
    offer = a_made_offer(status)
    command = AcknowledgeOffer(courier_id=offer.courier_id, offer_id=offer.id)
    assert offers.acknowledge(offer, command, now=NOON) == Decision(
        reply={"offer_id": offer.id, "status": status.value}
    )


def test_a_yes_gives_offer_orders_and_courier_to_each_other() -> None:
    story = a_story(S.OFFERED, orders=2)
    story.at += SECOND_MS
    decision = story.accept()
    assert (story.offer.status, story.offer.answered_at) == (OfferStatus.ACCEPTED, story.at)
    assert story.courier.offer_id is None
    assert story.courier.route == story.offer.stops
    assert story.courier.leaves_at == story.at
    for order in story.orders:
        assert (order.status, order.courier_id) == (S.ASSIGNED, story.courier.id)
        assert (order.offer_id, order.assigned_at) == (story.offer.id, story.at)
    assigned = OrderAssigned(at=story.at, offer_id=story.offer.id, courier_id=story.courier.id)
    assert [event for change in decision.changes for event in change.events] == [
        OfferAccepted(at=story.at, courier_id=story.courier.id),
        RouteChanged(at=story.at, stops=3),
        assigned,
        assigned,
    ]
    assert decision.reply["status"] == "accepted"
    assert decision.reply["assigned_at"] == story.at


def test_a_second_yes_is_the_first_one_again() -> None:
    story = a_story(S.PICKED_UP)
    answer = offers.accept(
        story.offer, story.orders, story.courier, accepting(story), now=NOON + MINUTE_MS
    )
    assert answer == Decision(reply={"offer_id": story.offer.id, "status": "accepted"})


def test_a_yes_counts_until_the_last_millisecond() -> None:
    story = a_story(S.OFFERED)
    ends = story.offer.expires_at
    answers = [
        offers.accept(story.offer, story.orders, story.courier, accepting(story), now=now)
        for now in (ends - 1, ends)
    ]
    assert isinstance(answers[0], Decision)
    assert answers[1] == Refusal(code="offer_expired", detail={"offer_id": story.offer.id})


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (OfferStatus.EXPIRED, "offer_expired"),
        (OfferStatus.DECLINED, "offer_closed"),
        (OfferStatus.WITHDRAWN, "offer_closed"),
    ],
)
def test_a_yes_to_a_closed_offer_is_refused(status: OfferStatus, code: str) -> None:
    offer, courier = a_made_offer(status), a_courier()
    command = AcceptOffer(courier_id=offer.courier_id, offer_id=offer.id)
    answer = offers.accept(offer, [], courier, command, now=NOON)
    assert isinstance(answer, Refusal)
    assert answer.code == code


def test_nobody_answers_for_another() -> None:
    story, other = a_story(S.OFFERED), CourierId(UserId(new_id()))
    no = Refusal(code="unknown_offer")
    acceptance = AcceptOffer(courier_id=other, offer_id=story.offer.id)
    refusal = DeclineOffer(courier_id=other, offer_id=story.offer.id, reason="")
    shown = AcknowledgeOffer(courier_id=other, offer_id=story.offer.id)
    for offer in (None, story.offer):
        assert offers.accept(offer, story.orders, story.courier, acceptance, now=NOON) == no
        assert offers.decline(offer, story.orders, story.courier, refusal, now=NOON) == no
        assert offers.acknowledge(offer, shown, now=NOON) == no


def test_after_a_no_the_orders_wait_again_and_he_is_not_asked_again() -> None:
    story = a_story(S.OFFERED, orders=2)
    decision = story.decline()
    assert (story.offer.status, story.offer.decline_reason) == (OfferStatus.DECLINED, "far")
    assert story.offer.answered_at == NOON
    assert story.courier.status is CourierStatus.ON
    lapsed = OrderOfferLapsed(
        at=NOON, offer_id=story.offer.id, courier_id=story.courier.id, reason=Lapse.DECLINED
    )
    for order in story.orders:
        assert (order.status, order.offer_id) == (S.WAITING, None)
        assert order.was_declined_by(story.courier.id)
        assert not offers.can_be_offered(order, story.courier)
        assert story.events_of(order.id)[-1] == lapsed
    assert (
        OfferDeclined(at=NOON, courier_id=story.courier.id, reason="far")
        in decision.changes[0].events
    )
    again = offers.decline(story.offer, [], story.courier, declining(story), now=NOON)
    assert again == Decision(reply={"offer_id": story.offer.id, "status": "declined"})


@pytest.mark.parametrize(
    "status", [OfferStatus.ACCEPTED, OfferStatus.EXPIRED, OfferStatus.WITHDRAWN]
)
def test_a_no_to_a_closed_offer_is_refused(status: OfferStatus) -> None:
    offer = a_made_offer(status)
    command = DeclineOffer(courier_id=offer.courier_id, offer_id=offer.id, reason="")
    courier = replace(a_courier(), id=offer.courier_id)
    answer = offers.decline(offer, [], courier, command, now=NOON)
    assert answer == Refusal(
        code="offer_closed", detail={"offer_id": offer.id, "status": status.value}
    )


def test_without_an_answer_in_time_the_orders_wait_again_and_he_may_be_asked_again() -> None:
    story = a_story(S.OFFERED, orders=2)
    early = offers.expire(
        story.offer, story.orders, [story.courier], now=story.offer.expires_at - 1
    )
    assert early == Decision()
    decision = story.expire()
    assert decision.changes[0].events == (OfferExpired(at=story.at),)
    assert story.offer.status is OfferStatus.EXPIRED
    for order in story.orders:
        assert order.status is S.WAITING
        assert order.lapsed[-1].reason is Lapse.EXPIRED
        assert offers.can_be_offered(order, story.courier)
    assert offers.expire(story.offer, [], [story.courier], now=story.at) == Decision()


def test_an_order_that_waits_long_remembers_only_how_each_couriers_last_offer_ended() -> None:
    story = a_story(S.WAITING)
    for _ in range(3):
        story.make()
        story.expire()
    assert len(story.order.lapsed) == 1
    assert story.order.lapsed[0].at == story.at
    story.make()
    story.decline()
    assert [one.reason for one in story.order.lapsed] == [Lapse.DECLINED]


def test_an_offer_of_another_is_never_taken_from_a_courier() -> None:
    story, other = a_story(S.OFFERED), a_story(S.OFFERED)
    with pytest.raises(AssertionError):
        offers.decline(story.offer, story.orders, other.courier, declining(story), now=NOON)
    with pytest.raises(AssertionError):
        offers.accept(story.offer, other.orders, story.courier, accepting(story), now=NOON)


def closers(story: Story) -> list[Callable[[], Decision | Refusal]]:
    """Everything that can close the open offer of a story, decided at the same state."""
    offer, orders, courier = story.offer, story.orders, story.courier

    def cancel(order: Order) -> Decision | Refusal:
        return cancellation.cancel(
            order,
            CancelOrder(order_id=order.id, reason=CancelReason.OTHER),
            customer(order.customer_id),
            offer=offer,
            others=[one for one in orders if one is not order],
            couriers=[courier],
            now=NOON,
        )

    return [
        lambda: offers.accept(offer, orders, courier, accepting(story), now=NOON),
        lambda: offers.decline(offer, orders, courier, declining(story), now=NOON),
        lambda: offers.expire(offer, orders, [courier], now=offer.expires_at),
        lambda: leaving.leave(courier, offer, orders, now=NOON),
        *((lambda order=one: cancel(order)) for one in orders),
    ]


@given(st.data(), st.integers(1, 3))
def test_of_all_who_close_an_offer_at_once_exactly_one_wins(
    data: st.DataObject, orders: int
) -> None:
    story = a_story(S.OFFERED, orders=orders)
    decisions = [must(one()) for one in data.draw(st.permutations(closers(story)))]
    assert [story.store(one) for one in decisions] == [True] + [False] * (len(decisions) - 1)
    events = story.events_of(story.offer.id)
    closing = [one for one in events if not isinstance(one, OfferMade | OfferAcknowledged)]
    assert len(closing) == 1
    assert story.courier.offer_id is None
    held = {one.id for one in story.orders if one.courier_id}
    assert held == set(story.courier.orders)
    assert not any(one.status is S.OFFERED for one in story.orders)


def test_who_lost_the_race_is_told_so_when_he_tries_again() -> None:
    story = a_story(S.OFFERED)
    lost = must(closers(story)[0]())
    story.cancel()
    assert not story.store(lost)
    again = offers.accept(story.offer, [], story.courier, accepting(story), now=NOON)
    assert again == Refusal(
        code="offer_closed", detail={"offer_id": story.offer.id, "status": "withdrawn"}
    )


def of_the_order(change: Sequence[Any]) -> list[str]:
    return [type(event).__name__ for one in change for event in one.events]


def test_who_leaves_gives_his_offer_back_in_the_same_decision() -> None:
    story = a_story(S.OFFERED, orders=2)
    decision = story.take(leaving.leave(story.courier, story.offer, story.orders, now=NOON))
    assert of_the_order(decision.changes) == [
        "OfferWithdrawn",
        "OrderOfferLapsed",
        "OrderOfferLapsed",
        "WentOffDuty",
    ]
    assert decision.changes[0].events == (OfferWithdrawn(at=NOON, reason="courier_left"),)
    assert decision.reply == {"duty": "off"}
    assert story.offer.status is OfferStatus.WITHDRAWN
    assert (story.duty(), story.courier.offer_id) == (Duty.OFF, None)
    for order in story.orders:
        assert (order.status, order.lapsed[-1].reason) == (S.WAITING, Lapse.WITHDRAWN)


def test_who_leaves_with_a_route_and_an_offer_finishes_the_route() -> None:
    story = a_story(S.PICKED_UP)
    waiting = a_story(S.WAITING, zone=story.zone)
    offer = an_offer(waiting.orders, story.courier)
    decision = must(offers.make(offer, waiting.orders, story.courier, now=NOON))
    things: dict[str, Any] = {one.thing.id: one.thing for one in decision.changes}
    courier: Courier = things[story.courier.id]
    asked: Offer = things[offer.id]
    left = leaving.leave(courier, asked, [things[waiting.order.id]], now=NOON)
    assert left.reply == {"duty": "ending"}
    after: Courier = left.changes[-1].thing
    assert (after.offer_id, after.route) == (None, story.courier.route)
    assert after.version == courier.version + 1


def test_without_an_offer_leaving_is_going_off_duty() -> None:
    left = leaving.leave(courier := a_courier(), None, [], now=NOON)
    assert left.reply == {"duty": "off"}
    assert left.changes[0].thing.version == courier.version + 1


def test_a_shift_ends_at_its_end_unless_it_was_prolonged() -> None:
    for ends, is_over in ((None, False), (NOON + 1, False), (NOON, True)):
        courier = a_courier(shift_ends_at=ends)
        decision = leaving.end_shift(courier, None, [], now=NOON)
        assert (decision == Decision()) is not is_over


def test_an_operator_is_no_courier() -> None:
    story = a_story(S.OFFERED)
    command = AcceptOffer(courier_id=CourierId(operator().user_id), offer_id=story.offer.id)
    answer = offers.accept(story.offer, story.orders, story.courier, command, now=NOON)
    assert answer == Refusal(code="unknown_offer")
