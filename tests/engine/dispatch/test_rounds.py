"""What must hold of a ranked round: the next one is asked in the same decision, each once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, Duty
from engine.couriers.messages import DeclineOffer
from engine.dispatch import offers
from engine.dispatch.eta import walk
from engine.dispatch.offer import Offer, OfferDeclined, OfferStatus
from engine.dispatch.rounds import ask_the_next, expected
from engine.geo.dispatch_parameters import OfferMode
from engine.kernel.messages import Decision
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Lapse, Lapsed, Order, OrderOffered, OrderOfferLapsed, OrderStatus
from tests.builders import NOON, Ledger, a_courier, a_story, an_offer, must

S = OrderStatus


class Round(Ledger):
    """A trip with a line of couriers."""

    def __init__(self, line: int, orders: int = 1, **of_line: Any) -> None:
        super().__init__()
        story = a_story(S.WAITING, orders=orders)
        self.zone = story.zone
        self.line = [a_courier(zone=story.zone, **of_line) for _ in range(line)]
        self.first = story.courier
        self.order_ids = [one.id for one in story.orders]
        self.things |= {one.id: one for one in (story.courier, *self.line)}
        self.things |= {one.id: one for one in story.orders}
        offer = an_offer(
            story.orders,
            story.courier,
            mode=OfferMode.RANKED,
            in_line=tuple(one.id for one in self.line),
        )
        self.take(offers.make(offer, story.orders, story.courier, now=NOON))

    @property
    def offer(self) -> Offer:
        """The newest."""
        return self.all_of(Offer)[-1]

    @property
    def orders(self) -> list[Order]:
        return [self.things[one] for one in self.order_ids]

    def pass_on(self, *, silent: bool = False, now: Instant = NOON) -> Decision:
        """Whoever is asked does not take it."""
        offer = self.offer
        courier: Courier = self.things[offer.courier_id]
        if silent:
            lapsing = offers.expire(offer, self.orders, [courier], now=offer.expires_at)
            now = offer.expires_at
        else:
            command = DeclineOffer(courier_id=courier.id, offer_id=offer.id, reason="far")
            lapsing = must(offers.decline(offer, self.orders, courier, command, now=now))
        in_line = {one.id: self.things[one.id] for one in self.line}
        return self.take(ask_the_next(lapsing, in_line, self.zone, now=now))


def test_after_a_no_the_next_one_is_asked_in_the_same_decision() -> None:
    told = Round(2, orders=2)
    first = told.offer
    decision = told.pass_on()
    second = told.offer
    assert told.things[first.id].status is OfferStatus.DECLINED
    assert (second.status, second.version) == (OfferStatus.OPEN, 1)
    assert (second.courier_id, second.in_line) == (told.line[0].id, (told.line[1].id,))
    assert (second.place_in_line, second.stops) == (2, first.stops)
    for order in told.orders:
        assert (order.status, order.offer_id, order.version) == (S.OFFERED, second.id, 3)
        assert [type(one) for one in told.events_of(order.id)[-2:]] == [
            OrderOfferLapsed,
            OrderOffered,
        ]
    assert told.things[told.first.id].offer_id is None
    assert told.things[told.line[0].id].offer_id == second.id
    assert decision.reply["status"] == "declined"
    assert second.explanation.next_best[0].reason == "declined"


def test_silence_passes_it_on_too() -> None:
    told = Round(1)
    first = told.offer
    told.pass_on(silent=True)
    assert told.offer.courier_id == told.line[0].id
    assert told.offer.made_at == first.expires_at
    timeout_ms = told.zone.parameters.offer_timeout_s * SECOND_MS
    assert told.offer.expires_at == first.expires_at + timeout_ms
    assert told.offer.explanation.next_best[0].reason == "not_answered"


@given(st.lists(st.booleans(), min_size=1, max_size=4), st.integers(0, 4))
def test_everybody_in_line_is_asked_once_and_then_the_orders_wait(
    silent: list[bool], line: int
) -> None:
    told = Round(line)
    asked = [told.offer.courier_id]
    for one in silent:
        if told.offer.status is not OfferStatus.OPEN:
            break
        told.pass_on(silent=one)
        asked.append(told.offer.courier_id)
    rounds = min(len(silent), line + 1)
    whole = [told.first.id, *(one.id for one in told.line)]
    assert list(dict.fromkeys(asked)) == whole[: min(rounds, line) + 1]
    status = S.WAITING if rounds == line + 1 else S.OFFERED
    assert {one.status for one in told.orders} == {status}


def test_who_cannot_be_asked_is_passed_over() -> None:
    told = Round(5)
    lapse = Lapsed(courier_id=told.line[3].id, reason=Lapse.DECLINED, at=NOON)
    changes: list[dict[str, Any]] = [
        {"duty": Duty.BREAK},
        {"capacity_units": 0},
        {"shift_ends_at": NOON},
        {},
        {},
    ]
    for courier, fields in zip(told.line, changes, strict=True):
        told.things[courier.id] = replace(courier, **fields)
    (order,) = told.orders
    told.things[order.id] = replace(order, lapsed=(lapse,))
    told.pass_on()
    assert told.offer.courier_id == told.line[4].id
    assert told.offer.place_in_line == 6


def test_the_same_decision_names_the_same_offer() -> None:
    told = Round(1)
    courier: Courier = told.things[told.first.id]
    command = DeclineOffer(courier_id=courier.id, offer_id=told.offer.id, reason="")
    lapsing = must(offers.decline(told.offer, told.orders, courier, command, now=NOON))
    in_line = {one.id: one for one in told.line}
    twice = [ask_the_next(lapsing, in_line, told.zone, now=NOON) for _ in range(2)]
    assert twice[0] == twice[1]
    assert isinstance(twice[0].changes[0].events[0], OfferDeclined)


def test_what_is_expected_is_what_his_route_will_say() -> None:
    told = Round(1, orders=2)
    courier = told.line[0]
    pickup_at, deliveries_at = expected(courier, told.offer, told.zone.parameters, now=NOON)
    walked = walk(replace(courier, route=told.offer.stops), None, told.zone.parameters, now=NOON)
    assert deliveries_at == tuple(walked.doors[one] for one in told.offer.order_ids)
    assert NOON < pickup_at < deliveries_at[0] < deliveries_at[1]
