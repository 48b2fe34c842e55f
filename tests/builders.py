"""Small true things for tests, made by the rules themselves, so that a test names only its subject.

`an_order`, `a_courier`, `an_offer` and `a_zone` give one thing. `a_story` tells how a trip came to
a status and keeps every decision on the way, so that a store can be given the same history.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any, Final, NamedTuple, TypeVar

from msgspec.structs import replace

from engine import what_if
from engine.couriers import breaks, duty
from engine.couriers.courier import Courier, Duty, ProgressStep, Stop
from engine.couriers.fixes import Fix
from engine.couriers.messages import (
    AcceptOffer,
    DeclineOffer,
    EndBreak,
    GoOnDuty,
    ReportProgress,
    TakeBreak,
)
from engine.couriers.progress import Carrying
from engine.dispatch import cancellation, offers
from engine.dispatch.offer import Explanation, Offer, OfferStatus
from engine.dispatch.proposals import stops_of
from engine.geo.cells import cell_at, disk
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.geo.zone import CreateZone, Zone, create
from engine.kernel.ids import CourierId, OfferId, OrderId, QuoteId, UserId, ZoneId, uuid7
from engine.kernel.messages import Caller, Decision, Event, Role, Thing
from engine.kernel.place import Place, Point, distance_m
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders import decide
from engine.orders.handover import HandoverTold
from engine.orders.messages import CancelOrder, CancelReason, PlaceOrder
from engine.orders.order import Gift, Order, OrderStatus, Recipient, Window
from engine.orders.quote import Quote, Way, quote

NOON: Final[Instant] = 1_767_258_000_000  # 2026-01-01, twelve o'clock in Riyadh
SHOP: Final = Point(lat=24.7136, lng=46.6753)
DOOR: Final = Point(lat=24.7263, lng=46.6911)
CORNER: Final = Point(lat=24.7090, lng=46.6690)
PIN: Final = "4711"
WRONG: Final = "0000"

S, P = OrderStatus, ProgressStep
_STEPS: Final[dict[OrderStatus, tuple[ProgressStep, ...]]] = {
    S.ASSIGNED: (),
    S.COURIER_AT_SHOP: (P.REACHED_SHOP,),
    S.PICKED_UP: (P.REACHED_SHOP, P.PICKED_UP),
    S.AT_DOOR: (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR),
    S.DELIVERED: (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED),
    S.ATTEMPT_FAILED: (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.ATTEMPT_FAILED),
    S.RETURNING: (
        P.REACHED_SHOP,
        P.PICKED_UP,
        P.REACHED_DOOR,
        P.ATTEMPT_FAILED,
        P.RETURN_STARTED,
    ),
    S.RETURNED: (
        P.REACHED_SHOP,
        P.PICKED_UP,
        P.REACHED_DOOR,
        P.ATTEMPT_FAILED,
        P.RETURN_STARTED,
        P.RETURNED,
    ),
}
_EXPLANATION: Final = Explanation(
    parameters_version=1, candidates=1, pickup_at=NOON, deliveries_at=(NOON,)
)
_numbers = count(1)
T = TypeVar("T", bound=Thing)


def new_id() -> str:
    """An id that no other call in this process returns; later ones sort after earlier ones."""
    number = next(_numbers)
    return uuid7(NOON + number, number * 0x9E37_79B9_7F4A_7C15_F39C)


def customer(user_id: str | None = None) -> Caller:
    return Caller(user_id=UserId(user_id or new_id()), role=Role.CUSTOMER)


def operator() -> Caller:
    return Caller(user_id=UserId(new_id()), role=Role.OPERATOR)


def caller_of(courier: Courier) -> Caller:
    return Caller(user_id=courier.id, role=Role.COURIER)


def a_zone(*, parameters: ZoneParameters | None = None, at: Instant = NOON, **fields: Any) -> Zone:
    """A zone of some ten kilometres around the shop."""
    anchor = cell_at(SHOP, 8)
    command = CreateZone(
        zone_id=ZoneId(new_id()),
        name_en="Olaya",
        name_ar="العليا",
        anchor=anchor,
        cells=tuple(sorted(disk(anchor, 6))),
        parameters=parameters or ZoneParameters(),
        author=UserId(new_id()),
    )
    return replace(_only(create(command, now=at), Zone), **fields)


def a_quote(
    zone: Zone,
    *,
    customer_id: str | None = None,
    shop: Point = SHOP,
    door: Point = DOOR,
    preparation_s: int = 600,
    at: Instant = NOON,
) -> Quote:
    route_m = distance_m(shop, door) * zone.parameters.travel.detour
    return quote(
        zone,
        quote_id=QuoteId(new_id()),
        customer_id=UserId(customer_id or new_id()),
        way=Way(shop=shop, door=door, route_m=route_m, travel_s=round(route_m / 8)),
        preparation_s=preparation_s,
        now=at,
    )


def a_placing(zone: Zone, *, quoted: Quote | None = None, **fields: Any) -> PlaceOrder:
    """The command that places what was quoted; `fields` replace its own."""
    quoted = quoted or a_quote(zone)
    command = PlaceOrder(
        order_id=OrderId(new_id()),
        zone_id=zone.id,
        quote=quoted,
        gift=Gift(description="Roses", message="مبروك"),
        recipient=Recipient(name="Noura", phone="+966501234567"),
        shop=Place(point=quoted.shop, name="Flowers"),
        door=Place(point=quoted.door, address="Building 7"),
        pin=PIN,
        ready_at=quoted.quoted_at + quoted.preparation_s * SECOND_MS,
    )
    return replace(command, **fields)


def placed(zone: Zone, command: PlaceOrder, *, travel_s: int = 300, at: Instant = NOON) -> Decision:
    """The decision that places an order for its customer; it must be none of the refusals."""
    caller = customer(command.quote.customer_id)
    return must(decide.place(zone, command, caller, travel_s=travel_s, now=at))


def a_window(at: Instant = NOON) -> Window:
    """Six to seven hours from now."""
    return Window(start=at + 360 * MINUTE_MS, end=at + 420 * MINUTE_MS)


def an_order(status: OrderStatus = S.WAITING, *, zone: Zone | None = None, **fields: Any) -> Order:
    """An order that came to this status by the rules; `fields` replace its own at the end."""
    return replace(a_story(status, zone=zone).order, **fields)


def a_courier(
    duty_: Duty = Duty.ON, *, zone: Zone | None = None, at: Instant = NOON, **fields: Any
) -> Courier:
    """A courier without an offer or a route (`ENDING` needs one: take him from a story)."""
    assert duty_ is not Duty.ENDING
    command = GoOnDuty(
        courier_id=CourierId(UserId(new_id())),
        zone_id=(zone or a_zone()).id,
        name="Salem",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        point=CORNER,
    )
    on = _only(must(duty.go_on(None, command, now=at)), Courier)
    if duty_ is Duty.BREAK:
        on = _only(must(take_break(on, now=at)), Courier)
    elif duty_ is Duty.OFF:
        on = _only(duty.go_off(on, now=at), Courier)
    return replace(on, **fields)


def take_break(courier: Courier, *, now: Instant) -> Decision | Refusal:
    """He rests until he says otherwise, or may not."""
    return breaks.take(courier, TakeBreak(courier_id=courier.id), now=now)


def end_break(courier: Courier, *, now: Instant) -> Decision | Refusal:
    """He works again, or may not."""
    return breaks.end(courier, EndBreak(courier_id=courier.id), now=now)


def an_offer(
    orders: Sequence[Order] = (),
    courier: Courier | None = None,
    *,
    at: Instant = NOON,
    **fields: Any,
) -> Offer:
    """The question whether the courier takes the orders in one trip, not yet put: version 0."""
    asked = list(orders) or [an_order()]
    offer = Offer(
        id=OfferId(new_id()),
        zone_id=asked[0].zone_id,
        courier_id=CourierId(courier.id if courier else UserId(new_id())),
        order_ids=tuple(one.id for one in asked),
        stops=stops_of(asked),
        made_at=at,
        expires_at=at + 45 * SECOND_MS,
        explanation=_EXPLANATION,
    )
    return replace(offer, **fields)


def a_fix(point: Point, at: Instant = NOON) -> Fix:
    """A good one."""
    return Fix(lat=point.lat, lng=point.lng, at=at, accuracy_m=5.0)


def a_made_offer(status: OfferStatus = OfferStatus.OPEN, *, zone: Zone | None = None) -> Offer:
    """An offer that was put and came to this status by the rules."""
    if status is OfferStatus.ACCEPTED:
        return a_story(S.ASSIGNED, zone=zone).offer
    story = a_story(S.OFFERED, zone=zone)
    if status is OfferStatus.DECLINED:
        story.decline()
    elif status is OfferStatus.EXPIRED:
        story.expire()
    elif status is OfferStatus.WITHDRAWN:
        story.cancel()
    return story.offer


class Line(NamedTuple):
    """One event of one thing, at the version that it made."""

    thing_id: str
    version: int
    event: Event


class Ledger:
    """Things as last stored, by id, with all that led there: a store that is nothing but a list."""

    def __init__(self) -> None:
        self.things: dict[str, Any] = {}
        self.decisions: list[Decision] = []
        self.lines: dict[str, list[Line]] = defaultdict(list)

    def store(self, decision: Decision) -> bool:
        """Store all of a decision, or nothing when one of its things has changed meanwhile."""
        ids = [change.thing.id for change in decision.changes]
        assert len(set(ids)) == len(ids), "a decision changes a thing once"
        for change in decision.changes:
            before = self.things.get(change.thing.id)
            if change.thing.version != (before.version if before else 0) + 1:
                return False
        for change in decision.changes:
            thing = change.thing
            self.things[thing.id] = thing
            self.lines[thing.id] += (Line(thing.id, thing.version, one) for one in change.events)
        self.decisions.append(decision)
        return True

    def take(self, decision: Decision | Refusal | None) -> Decision:
        """Store what must be neither refused nor stale."""
        taken = must(decision)
        assert self.store(taken), "stale"
        return taken

    def find(self, thing_id: str | None) -> Any:
        """A thing as last stored, if there is one."""
        return None if thing_id is None else self.things.get(thing_id)

    def events_of(self, thing_id: str) -> tuple[Event, ...]:
        return tuple(line.event for line in self.lines[thing_id])

    def versions_of(self, thing_id: str) -> tuple[int, ...]:
        """The version that each event made."""
        return tuple(line.version for line in self.lines[thing_id])

    def all_of(self, kind: type[T]) -> list[T]:
        return [one for one in self.things.values() if isinstance(one, kind)]


class Story(Ledger):
    """One trip: a zone, a courier, the orders that he is asked to carry, and the offer."""

    def __init__(self, zone: Zone, courier: Courier, *, at: Instant = NOON) -> None:
        super().__init__()
        self.at = at
        self.things |= {zone.id: zone, courier.id: courier}
        self._zone_id, self._courier_id = zone.id, courier.id
        self._order_ids: list[OrderId] = []
        self._offer_id: OfferId | None = None

    @property
    def zone(self) -> Zone:
        zone: Zone = self.things[self._zone_id]
        return zone

    @property
    def courier(self) -> Courier:
        courier: Courier = self.things[self._courier_id]
        return courier

    @property
    def orders(self) -> tuple[Order, ...]:
        return tuple(self.things[one] for one in self._order_ids)

    @property
    def order(self) -> Order:
        return self.orders[0]

    @property
    def offer(self) -> Offer:
        assert self._offer_id is not None
        offer: Offer = self.things[self._offer_id]
        return offer

    def status(self, index: int = 0) -> OrderStatus:
        """How an order stands now (a call, because a type checker remembers an attribute)."""
        return self.orders[index].status

    def duty(self) -> Duty:
        return self.courier.duty

    def route(self) -> list[Stop]:
        return list(self.courier.route)

    @property
    def held(self) -> dict[OrderId, Order]:
        """The orders on the courier's route."""
        return {one: self.things[one] for one in self.courier.orders}

    def place(self, **fields: Any) -> Order:
        """Another order at the same shop; its door lies a little further on."""
        step = len(self._order_ids) * 0.002
        door = Point(lat=DOOR.lat + step, lng=DOOR.lng + step)
        command = a_placing(self.zone, quoted=a_quote(self.zone, door=door, at=self.at), **fields)
        self.take(placed(self.zone, command, at=self.at))
        self._order_ids.append(command.order_id)
        return self.orders[-1]

    def make(self, **fields: Any) -> Decision:
        offer = an_offer(self.orders, self.courier, at=self.at, **fields)
        made = self.take(offers.make(offer, self.orders, self.courier, now=self.at))
        self._offer_id = offer.id
        return made

    def accept(self) -> Decision:
        command = AcceptOffer(courier_id=self.courier.id, offer_id=self.offer.id)
        decision = offers.accept(self.offer, self.orders, self.courier, command, now=self.at)
        return self.take(decision)

    def decline(self) -> Decision:
        command = DeclineOffer(courier_id=self.courier.id, offer_id=self.offer.id, reason="far")
        decision = offers.decline(self.offer, self.orders, self.courier, command, now=self.at)
        return self.take(decision)

    def expire(self) -> Decision:
        self.at = self.offer.expires_at
        return self.take(offers.expire(self.offer, self.orders, [self.courier], now=self.at))

    def cancel(self, index: int = 0) -> Decision:
        order = self.orders[index]
        offered = order.status is S.OFFERED
        return self.take(
            cancellation.cancel(
                order,
                CancelOrder(order_id=order.id, reason=CancelReason.CHANGED_MIND),
                customer(order.customer_id),
                offer=self.offer if offered else None,
                others=[one for one in self.orders if one is not order] if offered else (),
                couriers=[self.courier] if offered or order.courier_id else [],
                now=self.at,
            )
        )

    def report(
        self,
        step: ProgressStep,
        index: int = 0,
        *,
        pin: str = PIN,
        device_at: Instant | None = None,
        reason: str = "nobody there",
        cash_halalas: int = 0,
    ) -> Decision | Refusal:
        """Report a step of an order and store what was decided; a refusal is returned as it is."""
        command = ReportProgress(
            courier_id=self.courier.id,
            order_id=self.orders[index].id,
            step=step,
            device_at=device_at,
            pin=pin if step is P.DELIVERED else "",
            reason=reason if step is P.ATTEMPT_FAILED else "",
            handover=HandoverTold(cash_halalas=cash_halalas),
        )
        known = self.held | {command.order_id: self.orders[index]}
        carrying = Carrying(self.courier, known, parameters=self.zone.parameters, now=self.at)
        decision = carrying.report(command)
        if isinstance(decision, Decision):
            assert self.store(decision)
        return decision

    def go_off(self) -> Decision:
        return self.take(duty.go_off(self.courier, now=self.at))


def a_what_if(
    *, zone_id: ZoneId | None = None, at: Instant = NOON, **fields: Any
) -> what_if.WhatIf:
    """A question about a zone, which waits for its turn."""
    asked = what_if.Asked(
        zone_id=zone_id or ZoneId(new_id()),
        author=UserId(new_id()),
        at=at,
        fingerprint="x",
        since=at - 1,
        until=at,
        runs=3,
        leading="lateness",
        in_force=ZoneParameters(),
        tried=ZoneParameters(tick_s=9),
    )
    return replace(what_if.ask(what_if.WhatIfId(new_id()), asked, now=at), **fields)


def a_story(
    status: OrderStatus = S.WAITING,
    *,
    orders: int = 1,
    zone: Zone | None = None,
    courier: Courier | None = None,
    at: Instant = NOON,
) -> Story:
    """How `orders` orders of one trip, and the courier who was asked, came to this status."""
    zone = zone or a_zone(at=at)
    story = Story(zone, courier or a_courier(zone=zone, at=at), at=at)
    assert status is not S.PLACED, "an order is never stored as placed: it waits or is scheduled"
    for _ in range(orders):
        story.place(window=a_window(at) if status is S.SCHEDULED else None)
    if status in {S.SCHEDULED, S.WAITING}:
        return story
    if status is S.CANCELLED:
        for index in range(orders):
            story.cancel(index)
        return story
    story.make()
    if status is S.OFFERED:
        return story
    story.accept()
    for step in _STEPS[status]:
        for index in range(orders):
            must(story.report(step, index))
    return story


def must(decision: Decision | Refusal | None) -> Decision:
    """The decision; a refusal, or none at all, is not what the test expected."""
    assert isinstance(decision, Decision), decision
    assert decision.refusal is None, decision.refusal
    return decision


def _only(decision: Decision | Refusal, kind: type[T]) -> T:
    (change,) = must(decision).changes
    assert isinstance(change.thing, kind)
    return change.thing
