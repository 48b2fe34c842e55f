"""What must hold of a question to several at once: one of them has it, whoever says what when."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier
from engine.couriers.messages import AcceptOffer, AcknowledgeOffer, DeclineOffer
from engine.dispatch import cancellation, leaving, offers
from engine.dispatch.offer import Offer, OfferLeft, OfferStatus
from engine.geo.dispatch_parameters import OfferMode
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Lapse, Order, OrderStatus
from tests.builders import NOON, Ledger, a_courier, a_story, an_offer, customer, must

S = OrderStatus


class Broadcast(Ledger):
    """A trip that several couriers are asked about."""

    def __init__(self, couriers: int, orders: int = 1) -> None:
        super().__init__()
        story = a_story(S.WAITING, orders=orders)
        others = [a_courier(zone=story.zone) for _ in range(couriers - 1)]
        self.couriers = [story.courier.id, *(one.id for one in others)]
        self.things |= {one.id: one for one in (story.courier, *others)}
        self.things |= {one.id: one for one in story.orders}
        self.order_ids = [one.id for one in story.orders]
        offer = an_offer(story.orders, story.courier, mode=OfferMode.BROADCAST)
        self.offer_id = offer.id
        made = offers.make(offer, story.orders, story.courier, others=others, now=NOON)
        self.take(must(made))

    @property
    def offer(self) -> Offer:
        offer: Offer = self.things[self.offer_id]
        return offer

    @property
    def orders(self) -> list[Order]:
        return [self.things[one] for one in self.order_ids]

    def courier(self, index: int) -> Courier:
        courier: Courier = self.things[self.couriers[index]]
        return courier

    def asked(self) -> list[Courier]:
        return [self.things[one] for one in self.offer.asked]

    def say(self, index: int, word: str) -> Decision | Refusal:
        """What is decided about an answer; it is not stored yet."""
        courier, offer = self.courier(index), self.offer
        is_open = offer.status is OfferStatus.OPEN
        orders = self.orders if is_open else []
        others = [one for one in self.asked() if one.id != courier.id] if is_open else []
        ids: dict[str, Any] = {"courier_id": courier.id, "offer_id": offer.id}
        match word:
            case "yes":
                yes = AcceptOffer(**ids)
                return offers.accept(offer, orders, courier, yes, others=others, now=NOON)
            case "no":
                no = DeclineOffer(**ids, reason="far")
                return offers.decline(offer, orders, courier, no, now=NOON)
            case "seen":
                return offers.acknowledge(offer, AcknowledgeOffer(**ids), now=NOON)
            case _:
                mine = offer if courier.offer_id == offer.id else None
                return leaving.leave(courier, mine, orders if mine else [], now=NOON)


ANSWERS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["yes", "no", "seen", "leave"])), max_size=14
)


@given(ANSWERS, st.integers(1, 2))
def test_whoever_says_what_when_exactly_one_has_the_trip_or_nobody(
    answers: list[tuple[int, str]], orders: int
) -> None:
    told = Broadcast(5, orders)
    winners: set[str] = set()
    for index, word in answers:
        found = told.say(index, word)
        if isinstance(found, Decision):
            assert told.store(found)
        if word == "yes":
            if isinstance(found, Decision):
                winners.add(told.couriers[index])
            elif told.offer.status is OfferStatus.ACCEPTED:
                assert found.code == "offer_closed"
        offer = told.offer
        busy = {one for one in told.couriers if told.things[one].offer_id == offer.id}
        assert busy == (set(offer.asked) if offer.status is OfferStatus.OPEN else set())
        carried = {one.courier_id for one in told.orders if one.courier_id is not None}
        assert len(winners) <= 1
        assert carried == winners
        assert (offer.status is OfferStatus.ACCEPTED) is bool(winners)
    declined = {told.couriers[i] for i, word in answers if word == "no"} - winners
    ended = told.offer.status is not OfferStatus.OPEN
    known = {one.courier_id for one in told.orders[0].lapsed if one.reason is Lapse.DECLINED}
    if ended:
        assert known <= declined
        assert {one.courier_id for one in told.offer.gone if one.reason is Lapse.DECLINED} <= known


@given(st.permutations(range(4)))
def test_of_answers_decided_at_once_only_one_is_stored(turn: list[int]) -> None:
    told = Broadcast(4)
    decided = [must(told.say(index, "yes")) for index in turn]
    assert [told.store(one) for one in decided] == [True, False, False, False]
    assert told.offer.courier_id == told.couriers[turn[0]]
    for index in turn[1:]:
        late = told.say(index, "yes")
        assert late == Refusal(
            code="offer_closed", detail={"offer_id": told.offer_id, "status": "accepted"}
        )
    again = must(told.say(turn[0], "yes"))
    assert again.changes == ()


def test_a_no_leaves_the_others_asked_and_the_last_no_ends_it() -> None:
    told = Broadcast(3)
    (left, freed) = told.take(must(told.say(0, "no"))).changes
    assert left.events == (
        OfferLeft(at=NOON, courier_id=told.couriers[0], because=Lapse.DECLINED, reason="far"),
    )
    assert freed.thing.offer_id is None
    assert told.offer.asked == tuple(told.couriers[1:])
    assert told.orders[0].status is S.OFFERED
    late = told.say(0, "yes")
    assert isinstance(late, Refusal)
    assert late.code == "offer_closed"
    assert must(told.say(0, "no")).changes == ()
    told.take(must(told.say(1, "no")))
    told.take(must(told.say(2, "no")))
    assert told.offer.status is OfferStatus.DECLINED
    (order,) = told.orders
    assert order.status is S.WAITING
    assert all(order.was_declined_by(one) for one in told.couriers)


def test_silence_ends_it_for_all_and_a_no_before_is_remembered() -> None:
    told = Broadcast(3)
    told.take(must(told.say(1, "no")))
    told.take(offers.expire(told.offer, told.orders, told.asked(), now=told.offer.expires_at))
    (order,) = told.orders
    reasons = {one.courier_id: one.reason for one in order.lapsed}
    first, second, third = told.couriers
    assert reasons == {second: Lapse.DECLINED, first: Lapse.EXPIRED, third: Lapse.EXPIRED}
    assert all(told.courier(index).offer_id is None for index in range(3))


def test_who_said_no_is_not_asked_again_although_another_took_it_and_gave_it_back() -> None:
    told = Broadcast(2)
    told.take(must(told.say(0, "no")))
    told.take(must(told.say(1, "yes")))
    assert told.orders[0].was_declined_by(told.couriers[0])


def test_a_cancelled_order_frees_everybody_who_was_asked() -> None:
    told = Broadcast(3, orders=2)
    order, other = told.orders
    told.take(
        cancellation.cancel(
            order,
            CancelOrder(order_id=order.id, reason=CancelReason.OTHER),
            customer(order.customer_id),
            offer=told.offer,
            others=[other],
            couriers=told.asked(),
            now=NOON,
        )
    )
    assert told.offer.status is OfferStatus.WITHDRAWN
    assert [one.status for one in told.orders] == [S.CANCELLED, S.WAITING]
    assert all(told.courier(index).offer_id is None for index in range(3))


def test_it_is_shown_again_until_every_phone_has_it() -> None:
    told = Broadcast(2)
    told.take(must(told.say(1, "seen")))
    before = told.offer
    assert (before.acknowledged_at, before.unacknowledged) == (None, (told.couriers[0],))
    assert must(told.say(1, "seen")).changes == ()
    told.take(must(told.say(0, "seen")))
    after = told.offer
    assert (after.acknowledged_at, after.unacknowledged) == (NOON, ())


def test_who_cannot_be_asked_any_more_is_left_out_and_the_rest_are_asked() -> None:
    story = a_story(S.WAITING)
    gone = replace(story.courier, shift_ends_at=NOON)
    small, able = a_courier(zone=story.zone, capacity_units=0), a_courier(zone=story.zone)
    offer = an_offer(story.orders, gone)
    made = must(offers.make(offer, story.orders, gone, others=[small, able], now=NOON))
    asked = made.changes[0].thing
    assert isinstance(asked, Offer)
    assert asked.asked == (able.id,)
    later = NOON + SECOND_MS
    assert offers.make(offer, story.orders, gone, others=[small], now=later) is None
