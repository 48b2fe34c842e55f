"""Orders, couriers and offers live together, whatever is asked of them in whatever order."""

from collections import Counter
from typing import Any, Final, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.couriers import breaks, duty, prepositioning
from engine.couriers.courier import (
    DUTY_TRANSITIONS,
    Courier,
    Duty,
    ProgressStep,
    StopKind,
    errands,
)
from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    FinishBreak,
    GoOnDuty,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
)
from engine.couriers.progress import EARLY_MAX, Carrying
from engine.dispatch import cancellation, leaving, offers
from engine.dispatch.offer import CLOSING, Offer, OfferStatus
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.geo.zone import Zone
from engine.kernel.messages import Decision, Thing
from engine.kernel.refusals import CATALOGUE, Refusal
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders import decide
from engine.orders.messages import CancelOrder, CancelReason, UnassignOrder
from engine.orders.order import (
    HELD,
    ON_BOARD,
    TRANSITIONS,
    Gift,
    Lapse,
    Order,
    OrderOffered,
    OrderOfferLapsed,
    OrderStatus,
    OrderUnassigned,
)
from tests.builders import (
    CORNER,
    DOOR,
    NOON,
    PIN,
    SHOP,
    WRONG,
    Ledger,
    a_courier,
    a_placing,
    a_quote,
    a_window,
    a_zone,
    an_offer,
    caller_of,
    customer,
    end_break,
    operator,
    placed,
    take_break,
)

K, P, S = StopKind, ProgressStep, OrderStatus
T = TypeVar("T", bound=Thing)
COURIERS: Final = 3
# Where an order on the route still has to be handled, stop by stop.
AHEAD: Final[dict[OrderStatus, list[StopKind]]] = {
    S.ASSIGNED: [K.PICKUP, K.DROPOFF],
    S.COURIER_AT_SHOP: [K.PICKUP, K.DROPOFF],
    S.PICKED_UP: [K.DROPOFF],
    S.AT_DOOR: [K.DROPOFF],
    S.ATTEMPT_FAILED: [K.DROPOFF],
    S.RETURNING: [K.RETURN],
}
WAYS: Final = (
    (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED),
    (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.ATTEMPT_FAILED, P.RETURN_STARTED, P.RETURNED),
)
NEXT: Final[dict[OrderStatus, list[ProgressStep]]] = {
    S.ASSIGNED: [P.REACHED_SHOP],
    S.COURIER_AT_SHOP: [P.PICKED_UP],
    S.PICKED_UP: [P.REACHED_DOOR],
    S.AT_DOOR: [P.DELIVERED, P.ATTEMPT_FAILED],
    S.ATTEMPT_FAILED: [P.RETURN_STARTED, P.REACHED_DOOR],
    S.RETURNING: [P.RETURNED],
}
ANSWERS: Final = ("yes", "yes", "yes", "no", "seen", "silence")
WAITS: Final = ("send", "send", "reach", "by the clock")
DUTIES: Final = ("leave", "end shift", "break", "begin break", "finish break", "go on")
some = st.integers(0, 7)
seldom = st.sampled_from([False] * 7 + [True])


class Life(RuleBasedStateMachine):
    """A cell without its clockwork: what comes next is decided at the present state and stored."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.now = NOON
        self.zone = a_zone(parameters=ZoneParameters(pin_tries_max=2))

    def all_of(self, kind: type[T]) -> list[T]:
        return self.ledger.all_of(kind)

    def one_of(self, kind: type[T], index: int) -> T | None:
        """One of the things, the latest for 0; earlier ones are asked for less often."""
        found = self.all_of(kind)
        return found[-1 - index % len(found)] if found else None

    def offer_of(self, order: Order) -> Offer | None:
        offer: Offer | None = self.ledger.find(order.offer_id)
        return offer if offer and offer.status is OfferStatus.OPEN else None

    def asked(self, offer: Offer) -> list[Courier]:
        """Who may say yes, while it is open."""
        if offer.status is not OfferStatus.OPEN:
            return []
        return [self.ledger.things[one] for one in offer.asked]

    def orders_in(self, offer: Offer) -> list[Order]:
        if offer.status is not OfferStatus.OPEN:
            return []
        return [self.ledger.things[one] for one in offer.order_ids]

    def answer(self, decision: Decision | Refusal | None) -> None:
        """A refusal has a published code; a decision at the present state is never stale."""
        match decision:
            case Refusal():
                assert decision.code in CATALOGUE
            case Decision():
                assert self.ledger.store(decision)
            case None:
                pass

    @initialize(trips=st.tuples(*[st.integers(0, 3)] * COURIERS), waiting=st.integers(0, 3))
    def a_day_is_on_its_way(self, trips: tuple[int, ...], waiting: int) -> None:
        """So many orders each courier has accepted, and so many wait."""
        self.ledger.things[self.zone.id] = self.zone
        for size in trips:
            courier = a_courier(zone=self.zone)
            self.ledger.things[courier.id] = courier
            for _ in range(size):
                self.place(for_later=False, size=1)
            if size:
                self.make_for_those_who_wait(0, at_once=False)
                self.answer_an_offer(0, "yes", by_another=False)
        for _ in range(waiting):
            self.place(for_later=False, size=1)

    @rule(ms=st.sampled_from([1, SECOND_MS, 44 * SECOND_MS, 20 * MINUTE_MS]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule(for_later=st.booleans(), size=st.integers(1, 2))
    def place(self, *, for_later: bool, size: int) -> None:
        quoted = a_quote(self.zone, shop=SHOP, door=DOOR, at=self.now)
        command = a_placing(
            self.zone,
            quoted=quoted,
            gift=Gift(description="Cake", size_units=size),
            window=a_window(self.now) if for_later else None,
        )
        self.answer(placed(self.zone, command, at=self.now))

    @rule(index=some)
    def release(self, index: int) -> None:
        order = self.one_of(Order, index)
        if order:
            self.answer(decide.release(order, self.zone, now=self.now))

    @rule(index=some, chosen=st.sets(some, min_size=1, max_size=3))
    def make(self, index: int, chosen: set[int]) -> None:
        courier = self.one_of(Courier, index)
        asked = {one.id: one for i in chosen if (one := self.one_of(Order, i))}
        if courier and asked:
            orders = list(asked.values())
            offer = an_offer(orders, courier, at=self.now)
            self.answer(offers.make(offer, orders, courier, now=self.now))

    @rule(index=some, at_once=st.booleans())
    def make_for_those_who_wait(self, index: int, *, at_once: bool) -> None:
        """What a tick would do; the other rule mostly asks what cannot be."""
        courier = self.one_of(Courier, index)
        waiting = [one for one in self.all_of(Order) if one.status is S.WAITING][:3]
        if courier and waiting:
            offer = an_offer(waiting, courier, at=self.now)
            others = [one for one in self.all_of(Courier) if one is not courier] if at_once else []
            self.answer(offers.make(offer, waiting, courier, others=others, now=self.now))

    @rule(index=some, answer=st.sampled_from(ANSWERS), by_another=seldom)
    def answer_an_offer(self, index: int, answer: str, *, by_another: bool) -> None:
        offer = self.one_of(Offer, index)
        if offer is None:
            return
        courier: Courier = self.ledger.things[offer.asked[index % len(offer.asked)]]
        if by_another:
            courier = next(one for one in self.all_of(Courier) if one.id != courier.id)
        asked = self.asked(offer)
        others = [one for one in asked if one is not courier]
        orders = self.orders_in(offer)
        ids: dict[str, Any] = {"courier_id": courier.id, "offer_id": offer.id}
        match answer:
            case "yes":
                command = AcceptOffer(**ids)
                self.answer(
                    offers.accept(offer, orders, courier, command, others=others, now=self.now)
                )
            case "no":
                no = DeclineOffer(**ids, reason="no")
                self.answer(offers.decline(offer, orders, courier, no, now=self.now))
            case "seen":
                self.answer(offers.acknowledge(offer, AcknowledgeOffer(**ids), now=self.now))
            case _:
                self.answer(offers.expire(offer, orders, asked, now=self.now))

    @rule(index=some, by=st.sampled_from(["customer", "stranger", "operator"]))
    def cancel(self, index: int, by: str) -> None:
        order = self.one_of(Order, index)
        if order is None:
            return
        callers = {"customer": customer(order.customer_id), "stranger": customer()}
        offer = self.offer_of(order)
        carrying = [self.ledger.things[order.courier_id]] if order.courier_id else []
        self.answer(
            cancellation.cancel(
                order,
                CancelOrder(order_id=order.id, reason=CancelReason.OTHER),
                callers.get(by, operator()),
                offer=offer,
                others=[one for one in self.orders_in(offer) if one is not order] if offer else (),
                couriers=self.asked(offer) if offer else carrying,
                now=self.now,
            )
        )

    @rule(index=some, by=st.sampled_from(["courier", "stranger", "operator"]))
    def unassign(self, index: int, by: str) -> None:
        order = self.one_of(Order, index)
        if order is None:
            return
        carrying: Courier | None = self.ledger.find(order.courier_id)
        callers = {"stranger": caller_of(a_courier())}
        if carrying:
            callers["courier"] = caller_of(carrying)
        command = UnassignOrder(order_id=order.id, reason="no")
        caller = callers.get(by, operator())
        self.answer(cancellation.unassign(order, command, caller, carrying, now=self.now))

    @rule(index=some, change=st.sampled_from(DUTIES))
    def change_duty(self, index: int, change: str) -> None:
        courier = self.one_of(Courier, index)
        assert courier
        offer: Offer | None = self.ledger.find(courier.offer_id)
        orders = self.orders_in(offer) if offer else []
        match change:
            case "leave":
                self.answer(leaving.leave(courier, offer, orders, now=self.now))
            case "end shift":
                self.answer(leaving.end_shift(courier, offer, orders, now=self.now))
            case "break":
                self.answer(take_break(courier, now=self.now))
            case "begin break":
                self.answer(leaving.begin_break(courier, offer, orders, now=self.now))
            case "finish break":
                finish = FinishBreak(courier_id=courier.id)
                self.answer(breaks.finish(courier, finish, now=self.now))
            case _:
                self.answer(end_break(courier, now=self.now))

    @rule(index=some, ahead=st.integers(-1, 30), lasts=st.none() | st.integers(1, 20))
    def announce_break(self, index: int, ahead: int, lasts: int | None) -> None:
        courier = self.one_of(Courier, index)
        assert courier
        command = TakeBreak(
            courier_id=courier.id,
            begins_at=self.now + ahead * MINUTE_MS,
            lasts_s=None if lasts is None else 60 * lasts,
        )
        self.answer(breaks.take(courier, command, now=self.now))

    @rule(index=some, minutes=st.none() | st.integers(0, 60), capacity=st.integers(1, 4))
    def go_on(self, index: int, minutes: int | None, capacity: int) -> None:
        courier = self.one_of(Courier, index)
        assert courier
        command = GoOnDuty(
            courier_id=courier.id,
            zone_id=self.zone.id,
            name=courier.name,
            vehicle=VehicleKind.BICYCLE,
            capacity_units=capacity,
            point=CORNER,
            shift_ends_at=None if minutes is None else self.now + minutes * MINUTE_MS,
        )
        self.answer(duty.go_on(courier, command, now=self.now))

    @rule(index=some, change=st.sampled_from(WAITS), minutes=st.integers(0, 20))
    def wait_elsewhere(self, index: int, change: str, minutes: int) -> None:
        courier = self.one_of(Courier, index)
        assert courier
        match change:
            case "send":
                self.answer(
                    prepositioning.send_to_wait(
                        courier,
                        SHOP,
                        origin=CORNER,
                        arrives_at=self.now + minutes * MINUTE_MS,
                        now=self.now,
                    )
                )
            case "reach":
                at = self.now - minutes * MINUTE_MS
                command = ReachWaitingPoint(courier_id=courier.id, device_at=at)
                self.answer(prepositioning.reach(courier, command, now=self.now))
            case _:
                self.answer(prepositioning.end_way(courier, now=self.now))

    def report(self, order: Order, step: ProgressStep, pin: str, ago_ms: int | None) -> None:
        courier: Courier | None = self.ledger.find(order.courier_id)
        courier = courier or self.one_of(Courier, 0)
        assert courier
        command = ReportProgress(
            courier_id=courier.id,
            order_id=order.id,
            step=step,
            device_at=None if ago_ms is None else self.now - ago_ms,
            pin=pin,
        )
        known = {one: self.ledger.things[one] for one in courier.orders}
        carrying = Carrying(
            courier, known | {order.id: order}, parameters=self.zone.parameters, now=self.now
        )
        self.answer(carrying.report(command))

    @rule(
        index=some,
        step=st.sampled_from(ProgressStep),
        pin=st.sampled_from([PIN, WRONG]),
        ago_ms=st.none() | st.integers(-MINUTE_MS, MINUTE_MS),
    )
    def report_anything(self, index: int, step: ProgressStep, pin: str, ago_ms: int | None) -> None:
        order = self.one_of(Order, index)
        if order:
            self.report(order, step, pin, ago_ms)

    @rule(index=some, way=st.sampled_from(WAYS).flatmap(st.permutations))
    def report_a_whole_trip(self, index: int, way: list[ProgressStep]) -> None:
        order = self.one_held(index)
        if order:
            for step in way:
                self.report(self.ledger.things[order.id], step, PIN, None)

    @rule(index=some, another=st.booleans())
    def report_the_next_step(self, index: int, *, another: bool) -> None:
        order = self.one_held(index)
        if order:
            steps = NEXT[order.status]
            self.report(order, steps[another % len(steps)], PIN, None)

    def one_held(self, index: int) -> Order | None:
        held = [one for one in self.all_of(Order) if one.status in HELD]
        return held[index % len(held)] if held else None

    @invariant()
    def all_is_well(self) -> None:
        self.an_order_is_in_one_open_offer_or_on_one_route_or_in_neither()
        self.route_and_orders_agree()
        self.a_courier_has_the_offer_that_was_made_to_him()
        self.who_does_not_work_has_neither_route_nor_offer()
        self.an_order_says_what_its_status_means()
        self.events_tell_how_each_status_came_to_be()
        self.an_offer_is_closed_at_most_once()
        self.who_declined_was_never_asked_again()
        self.every_version_is_one_decision()

    def an_order_is_in_one_open_offer_or_on_one_route_or_in_neither(self) -> None:
        asked = Counter(
            one
            for offer in self.all_of(Offer)
            if offer.status is OfferStatus.OPEN
            for one in offer.order_ids
        )
        carried = Counter(one for courier in self.all_of(Courier) for one in courier.orders)
        for order in self.all_of(Order):
            assert asked[order.id] == (order.status is S.OFFERED)
            assert carried[order.id] == (order.status in HELD)
            assert (self.offer_of(order) is not None) is (order.status is S.OFFERED)

    def route_and_orders_agree(self) -> None:
        for courier in self.all_of(Courier):
            held = [one for one in self.all_of(Order) if one.courier_id == courier.id]
            assert set(courier.orders) == {one.id for one in held if one.is_open}
            for order in held:
                kinds = [stop.kind for stop in courier.route if order.id in stop.orders]
                assert kinds == AHEAD.get(order.status, [])
            assert all(stop.orders for stop in errands(courier.route))
            assert len(courier.route) - len(errands(courier.route)) <= 1
            assert courier.leaves_at <= self.now + 2 * MINUTE_MS
            assert {one.order_id for one in courier.early} <= set(courier.orders)
            assert len(courier.early) <= EARLY_MAX
            assert courier.free_since <= self.now

    def a_courier_has_the_offer_that_was_made_to_him(self) -> None:
        for courier in self.all_of(Courier):
            mine = [
                one.id
                for one in self.all_of(Offer)
                if courier.id in one.asked and one.status is OfferStatus.OPEN
            ]
            assert mine == ([courier.offer_id] if courier.offer_id else [])

    def who_does_not_work_has_neither_route_nor_offer(self) -> None:
        for courier in self.all_of(Courier):
            if courier.duty is not Duty.ON:
                assert courier.offer_id is None
                assert bool(courier.route) is (courier.duty is Duty.ENDING)
                assert bool(errands(courier.route)) is (courier.duty is Duty.ENDING)

    def an_order_says_what_its_status_means(self) -> None:
        for order in self.all_of(Order):
            ended = {S.DELIVERED, S.RETURNED}
            carried = HELD | ended
            assert (order.courier_id is not None) is (order.status in carried)
            assert (order.assigned_at is not None) is (order.status in carried)
            assert (order.offer_id is not None) is (order.status in carried | {S.OFFERED})
            assert (order.picked_up_at is not None) is (order.status in ON_BOARD | ended)
            assert (order.ended_at is None) is order.is_open
            assert order.pin_tries <= self.zone.parameters.pin_tries_max
            if order.ended_at and order.picked_up_at and order.assigned_at:
                assert order.assigned_at <= order.ended_at <= self.now
                assert order.assigned_at <= order.picked_up_at <= self.now

    def events_tell_how_each_status_came_to_be(self) -> None:
        for order in self.all_of(Order):
            status = S.PLACED
            for event in self.ledger.events_of(order.id):
                status = TRANSITIONS[status, type(event)]
            assert status is order.status
        for courier in self.all_of(Courier):
            on = Duty.ON
            for event in self.ledger.events_of(courier.id):
                on = DUTY_TRANSITIONS.get((on, type(event)), on)
            assert on is courier.duty

    def an_offer_is_closed_at_most_once(self) -> None:
        for offer in self.all_of(Offer):
            events = self.ledger.events_of(offer.id)
            closing = [CLOSING[type(one)] for one in events if type(one) in CLOSING]
            assert closing == ([] if offer.status is OfferStatus.OPEN else [offer.status])
            assert (offer.answered_at is None) is (not closing)

    def who_declined_was_never_asked_again(self) -> None:
        for order in self.all_of(Order):
            declined: set[Any] = set()
            for event in self.ledger.events_of(order.id):
                match event:
                    case OrderOffered():
                        assert event.courier_id not in declined
                    case OrderOfferLapsed(reason=Lapse.DECLINED) | OrderUnassigned():
                        declined.add(event.courier_id)
                    case _:
                        pass

    def every_version_is_one_decision(self) -> None:
        changes = Counter(
            change.thing.id for decision in self.ledger.decisions for change in decision.changes
        )
        for thing_id, thing in self.ledger.things.items():
            came_with = 1 if isinstance(thing, Zone | Courier) else 0
            assert thing.version == came_with + changes[thing_id]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=120, stateful_step_count=60, deadline=None)
