"""A zone's history as the records that metrics are made from."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from msgspec import Struct

from engine.couriers.courier import (
    BreakEnded,
    BreakTaken,
    Courier,
    CourierSentToWait,
    Duty,
    DutyEnding,
    WaitingPointReached,
    WentOffDuty,
    WentOnDuty,
)
from engine.dispatch.offer import Offer
from engine.dispatch.outcomes import offer_counts
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind, travel_times
from engine.kernel.ids import CourierId, UserId
from engine.kernel.timing import SECOND_MS, Instant
from engine.metrics import CourierRecord, Metrics, OfferCounts, OrderRecord, Visit, metrics
from engine.orders.order import (
    CourierReachedDoor,
    CourierReachedShop,
    Order,
    OrderReturned,
    OrderStatus,
)

_BEGIN_DUTY: Final = frozenset({WentOnDuty.__name__, BreakEnded.__name__})
_END_DUTY: Final = frozenset({WentOffDuty.__name__, BreakTaken.__name__, DutyEnding.__name__})
_AT_SHOP, _AT_DOOR = CourierReachedShop.__name__, CourierReachedDoor.__name__
_BACK_AT_SHOP = OrderReturned.__name__
_TO_WAIT, _AT_WAIT = CourierSentToWait.__name__, WaitingPointReached.__name__
# The events that a history is read for.
TELLING: Final = tuple(
    sorted({*_BEGIN_DUTY, *_END_DUTY, _AT_SHOP, _AT_DOOR, _BACK_AT_SHOP, _TO_WAIT, _AT_WAIT})
)


class Happened(Struct, frozen=True, kw_only=True):
    """One event of an order or a courier, of a type in `TELLING`."""

    thing_id: str
    type: str
    at: Instant
    device_at: Instant | None

    @property
    def happened_at(self) -> Instant:
        """By the phone's clock, as far as that can be true."""
        return self.at if self.device_at is None else min(self.at, self.device_at)


class ZoneHistory(Struct, frozen=True, kw_only=True):
    """What happened in a zone since an instant, oldest first.

    `orders`, `offers` and `couriers` are those to whom anything happened, and every courier who is
    not off duty, each as last stored.
    """

    orders: tuple[Order, ...] = ()
    offers: tuple[Offer, ...] = ()
    couriers: tuple[Courier, ...] = ()
    events: tuple[Happened, ...] = ()


def metrics_of(
    history: ZoneHistory, parameters: ZoneParameters, *, since: Instant, until: Instant
) -> Metrics:
    """The figures of a zone from `since` until `until`.

    Orders count when they were placed since then; what was placed before counts as work only.
    """
    orders = [one for one in history.orders if one.placed_at >= since]
    visits = _visits(history, parameters, since=since, until=until)
    earned: Counter[CourierId] = Counter()
    for order in history.orders:
        if order.status is OrderStatus.DELIVERED and order.courier_id is not None:
            earned[order.courier_id] += order.fee_earned_halalas
    spans = duty_spans(history, since=since, until=until)
    couriers = [
        CourierRecord(
            duty_ms=sum(off - on for on, off in spans[one.id]),
            visits=tuple(visits[one.id]),
            earned_halalas=earned[one.id],
        )
        for one in history.couriers
    ]
    return metrics([_order(one, parameters) for one in orders], couriers, _offers(history, since))


def bound_ms(order: Order, parameters: ZoneParameters) -> int:
    """The direct bound of an order: nobody can be at its door sooner after its click."""
    travel = travel_times(parameters.travel)
    way_s = min(
        travel.one_s(order.shop.point, order.door.point, vehicle=one, at=order.ready_at)
        for one in VehicleKind
    )
    at_door_s = parameters.door_service_s - parameters.door_leave_s
    rest_s = parameters.shop_leave_s + way_s + at_door_s
    return max(0, order.ready_at - order.placed_at) + rest_s * SECOND_MS


def duty_spans(
    history: ZoneHistory, *, since: Instant, until: Instant
) -> Mapping[CourierId, list[tuple[Instant, Instant]]]:
    """From when until when each courier was to be given work: no breaks, no finishing after it."""
    told: dict[str, list[Happened]] = defaultdict(list)
    for event in history.events:
        if event.type in _BEGIN_DUTY | _END_DUTY:
            told[event.thing_id].append(event)
    return {one.id: list(_spans(one, told[one.id], since, until)) for one in history.couriers}


def _spans(
    courier: Courier, events: list[Happened], since: Instant, until: Instant
) -> Iterator[tuple[Instant, Instant]]:
    was_on = events[0].type not in _BEGIN_DUTY if events else courier.duty is Duty.ON
    began = since if was_on else None
    for event in events:
        if event.type in _BEGIN_DUTY:
            began = event.at if began is None else began
        elif event.type in _END_DUTY and began is not None:
            yield began, event.at
            began = None
    if began is not None:
        yield began, until


def _order(order: Order, parameters: ZoneParameters) -> OrderRecord:
    is_delivered = order.status is OrderStatus.DELIVERED
    return OrderRecord(
        placed_at=order.placed_at,
        ready_at=order.ready_at,
        due_at=order.due_at,
        picked_up_at=order.picked_up_at,
        delivered_at=order.ended_at if is_delivered else None,
        bound_ms=bound_ms(order, parameters) if order.window is None else None,
        is_scheduled=order.window is not None,
    )


def _offers(history: ZoneHistory, since: Instant) -> OfferCounts:
    return offer_counts(one.status for one in history.offers if one.made_at >= since)


def _visits(
    history: ZoneHistory, parameters: ZoneParameters, *, since: Instant, until: Instant
) -> Mapping[CourierId, list[Visit]]:
    """The stops that couriers reached, one after the other, with what the zone says they take."""
    found: dict[CourierId, list[Visit]] = defaultdict(list)
    for courier_id, stops in _stops(history, since=since, until=until).items():
        free_at = since
        for stop in stops:
            visit = _visit(stop, parameters, free_at=free_at, until=until)
            found[courier_id].append(visit)
            free_at = visit.free_at
    return found


class _Stop(NamedTuple):
    """A place that a courier reached, for these orders or to wait there; when he was sent there."""

    arrived_at: Instant
    place: str
    sent_at: Instant
    orders: tuple[Order, ...] = ()

    def joined_by(self, other: "_Stop") -> "_Stop":
        """The same stop with what else he does there."""
        sent_at = min(self.sent_at, other.sent_at)
        return self._replace(sent_at=sent_at, orders=(*self.orders, *other.orders))


def _visit(stop: _Stop, parameters: ZoneParameters, *, free_at: Instant, until: Instant) -> Visit:
    service_s, leave_s = _service(stop.place, parameters)
    handed_over_at = max(
        (_handed_over_at(one, stop.place, until) for one in stop.orders), default=0
    )
    handed_over_at = max(handed_over_at, stop.arrived_at + (service_s - leave_s) * SECOND_MS)
    return Visit(
        left_at=min(stop.arrived_at, max(free_at, stop.sent_at)),
        arrived_at=stop.arrived_at,
        free_at=handed_over_at + leave_s * SECOND_MS,
        service_ms=service_s * SECOND_MS,
        picked_up=sum(one.picked_up_at is not None for one in stop.orders)
        if stop.place == _AT_SHOP
        else 0,
    )


def _stops(
    history: ZoneHistory, *, since: Instant, until: Instant
) -> Mapping[CourierId, list[_Stop]]:
    """Each courier's stops by arrival: gifts that wait in one shop are reached at once."""
    reached = [*_for_orders(history), *_for_waiting(history, since)]
    reached.sort(key=lambda one: (one[0], one[1].arrived_at, one[1].place))
    stops: dict[CourierId, list[_Stop]] = defaultdict(list)
    for courier_id, stop in reached:
        mine = stops[courier_id]
        if mine and _is_same_visit(mine[-1], stop, until):
            mine[-1] = mine[-1].joined_by(stop)
        else:
            mine.append(stop)
    return stops


def _for_orders(history: ZoneHistory) -> Iterator[tuple[CourierId, _Stop]]:
    orders: dict[str, Order] = {one.id: one for one in history.orders}
    for event in history.events:
        order = orders.get(event.thing_id)
        if order is None or order.courier_id is None or order.assigned_at is None:
            continue
        # Whoever was there before gave the order back.
        if event.happened_at >= order.assigned_at:
            stop = _Stop(event.happened_at, event.type, order.assigned_at, (order,))
            yield order.courier_id, stop


def _for_waiting(history: ZoneHistory, since: Instant) -> Iterator[tuple[CourierId, _Stop]]:
    """Where couriers came to wait; a way that was broken off is not told of by anything stored."""
    sent_at: dict[str, Instant] = {}
    for event in history.events:
        if event.type == _TO_WAIT:
            sent_at[event.thing_id] = event.at
        elif event.type == _AT_WAIT:
            courier_id = CourierId(UserId(event.thing_id))
            yield courier_id, _Stop(event.happened_at, _AT_WAIT, sent_at.get(courier_id, since))


def _is_same_visit(before: _Stop, stop: _Stop, until: Instant) -> bool:
    """Whether a courier who is in the shop is given one more order there."""
    if before.place != stop.place or before.arrived_at == stop.arrived_at:
        return before.place == stop.place
    if stop.place != _AT_SHOP or before.orders[0].shop.point != stop.orders[0].shop.point:
        return False
    return stop.arrived_at <= max(_handed_over_at(one, _AT_SHOP, until) for one in before.orders)


def _service(place: str, parameters: ZoneParameters) -> tuple[int, int]:
    """Seconds of service at a stop, and which part of them comes after the hand-over."""
    if place == _AT_WAIT:
        return 0, 0
    if place == _AT_DOOR:
        return parameters.door_service_s, parameters.door_leave_s
    return parameters.shop_service_s, parameters.shop_leave_s


def _handed_over_at(order: Order, place: str, until: Instant) -> Instant:
    """When the order itself let the courier go on; until now while he still waits for it."""
    if place == _AT_SHOP:
        return until if order.picked_up_at is None else order.picked_up_at
    if order.failed_attempts or order.ended_at is None:
        return 0 if order.failed_attempts else until
    return order.ended_at
