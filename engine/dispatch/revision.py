"""The rules of revision: until the first pick-up, which orders a trip carries may change.

What Reyes et al. (The Meal Delivery Routing Problem, 2018) call assignment updates: a courier stays
bound for the shop that he said yes to, and is told there, at the latest, which orders to take, and
in which neighbouring shops he fetches more.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from engine.couriers import courier as couriers_
from engine.couriers.courier import Courier, Duty, Stop, StopKind
from engine.dispatch.offers import can_carry
from engine.dispatch.proposals import stops_of
from engine.dispatch.waiting_list import group_of
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Change, Decision, Event
from engine.kernel.place import Point, distance_m
from engine.kernel.timing import Instant
from engine.orders import order as orders_
from engine.orders.order import (
    CourierReachedShop,
    Order,
    OrderJoined,
    OrderReassigned,
    OrderStatus,
    OrderUnassigned,
)

REVISED: Final = "revised"


class FirstTrip(NamedTuple):
    """The trip that a courier has before him; `order_ids` in the order of their delivery.

    He goes to the shops one after the other; `arrived_at` is when he came to the first of them.
    """

    shops: tuple[Point, ...]
    order_ids: tuple[OrderId, ...]
    arrived_at: Instant | None


def first_trip(courier: Courier) -> FirstTrip | None:
    """The trip that may still be revised: his route begins with it, and nothing of it was taken.

    None for who is ending his work, for he is given nothing more, for who has something else to
    deliver first, and for who went to a later shop of it before the first.
    """
    if courier.duty is not Duty.ON or not courier.route:
        return None
    pickups, doors = _first_stops(courier)
    to_fetch = [one for stop in pickups for one in stop.orders]
    to_deliver = tuple(one for stop in doors for one in stop.orders)
    # An order that was picked up is left at its door only.
    if not pickups or sorted(to_fetch) != sorted(to_deliver):
        return None
    if any(stop.arrived_at is not None for stop in pickups[1:]):
        return None
    if any(one.order_id in to_deliver for one in courier.early):
        return None
    shops = tuple(stop.point for stop in pickups)
    return FirstTrip(shops, to_deliver, pickups[0].arrived_at)


def revise(
    trips: Mapping[CourierId, tuple[OrderId, ...]],
    couriers: Mapping[CourierId, Courier],
    orders: Mapping[OrderId, Order],
    *,
    apart_m: int = 0,
    now: Instant,
) -> Decision | None:
    """Give each of these couriers these orders on his first trip, delivered in this order.

    They may come from one another's first trips or wait, at his first shop or so many metres from
    it; what nobody takes waits again. `couriers` and `orders` hold all that is known. None when the
    world has moved on since it was planned.
    """
    wanted = [one for order_ids in trips.values() for one in order_ids]
    assert len(set(wanted)) == len(wanted), "an order is on one trip"
    if not all(trips.values()) or not orders.keys() >= set(wanted):
        return None
    revised = []
    for courier_id in trips:
        courier = couriers.get(courier_id)
        trip = None if courier is None else first_trip(courier)
        if courier is None or trip is None or not orders.keys() >= set(trip.order_ids):
            return None
        revised.append(_Revised(courier, trip, tuple(orders[one] for one in trips[courier_id])))
    carrier = {order_id: one.courier.id for one in revised for order_id in one.trip.order_ids}
    if not all(_is_possible(one, carrier, apart_m) for one in revised):
        return None
    left = [orders[one] for one in carrier if one not in set(wanted)]
    return Decision(
        changes=(
            *_rerouted(revised, now),
            *_moved(revised, carrier, orders, now),
            *(_waiting_again(one, now) for one in left),
        )
    )


class _Revised(NamedTuple):
    """A courier, his first trip, and what he shall carry on it instead."""

    courier: Courier
    trip: FirstTrip
    orders: tuple[Order, ...]


def _is_possible(revised: _Revised, carrier: Mapping[OrderId, CourierId], apart_m: int) -> bool:
    courier, trip, orders = revised
    new = [one for one in orders if one.id not in trip.order_ids]
    return (
        all(one.zone_id == courier.zone_id for one in orders)
        and any(one.shop.point == trip.shops[0] for one in orders)
        and all(_is_near(one.shop.point, trip, apart_m) for one in orders)
        and all(one.id in carrier or one.status is OrderStatus.WAITING for one in new)
        and not any(one.was_declined_by(courier.id) for one in new)
        and all(_is_ready_in_time(one, courier) for one in new)
        and can_carry(orders, courier)
    )


def _is_near(shop: Point, trip: FirstTrip, apart_m: int) -> bool:
    """Rounded up: what the plan took for near is so."""
    return shop in trip.shops or (apart_m > 0 and distance_m(shop, trip.shops[0]) <= apart_m + 1)


def _is_ready_in_time(order: Order, courier: Courier) -> bool:
    return courier.works_until is None or order.ready_at <= courier.works_until


def _rerouted(revised: Sequence[_Revised], now: Instant) -> list[Change[Any]]:
    return [
        couriers_.reroute(one.courier, route, now=now)
        for one in revised
        if (route := _route(one)) != one.courier.route
    ]


def _route(revised: _Revised) -> tuple[Stop, ...]:
    """His route with the other first trip; the rest of it stays."""
    courier, trip, orders = revised
    first, *others = stops_of(orders, first_shop=group_of(trip.shops[0]))
    pickups, doors = _first_stops(courier)
    rest = courier.route[len(pickups) + len(doors) :]
    return (replace(first, arrived_at=trip.arrived_at), *others, *rest)


def _first_stops(courier: Courier) -> tuple[list[Stop], list[Stop]]:
    """Where he fetches before anything else, and where he delivers right after that."""
    pickups = list(takewhile(lambda one: one.kind is StopKind.PICKUP, courier.route))
    rest = courier.route[len(pickups) :]
    return pickups, list(takewhile(lambda one: one.kind is StopKind.DROPOFF, rest))


def _moved(
    revised: Sequence[_Revised],
    carrier: Mapping[OrderId, CourierId],
    orders: Mapping[OrderId, Order],
    now: Instant,
) -> list[Change[Order]]:
    """The orders that have another courier than before, or have one at last."""
    return [
        _given(order, one, carrier.get(order.id), orders[one.trip.order_ids[0]], now)
        for one in revised
        for order in one.orders
        if order.id not in one.trip.order_ids
    ]


def _given(
    order: Order, to: _Revised, giver: CourierId | None, fellow: Order, now: Instant
) -> Change[Order]:
    """An order on another's trip: it belongs to the offer that he accepted with `fellow` in it."""
    assert fellow.offer_id is not None
    courier_id, offer_id = to.courier.id, fellow.offer_id
    events: tuple[Event, ...] = (
        OrderJoined(at=now, offer_id=offer_id, courier_id=courier_id)
        if giver is None
        else OrderReassigned(
            at=now, offer_id=offer_id, from_courier_id=giver, courier_id=courier_id
        ),
    )
    shop = order.shop.point
    if to.trip.arrived_at is not None and shop == to.trip.shops[0]:
        events = (*events, CourierReachedShop(at=now))
    fields = {
        "offer_id": offer_id,
        "courier_id": courier_id,
        "assigned_at": now,
        "fetched_with": sum(one.shop.point == shop for one in to.orders),
    }
    return Change(orders_.evolve(order, *events, **fields), events)


def _waiting_again(order: Order, now: Instant) -> Change[Order]:
    """An order taken off its trip; its courier did not decline it and may get it again."""
    assert order.courier_id is not None
    event = OrderUnassigned(at=now, courier_id=order.courier_id, reason=REVISED)
    waiting = orders_.evolve(order, event, offer_id=None, courier_id=None, assigned_at=None)
    return Change(waiting, (event,))
