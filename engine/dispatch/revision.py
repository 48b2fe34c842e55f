"""The rules of revision: until the pick-up, which orders of a shop a trip carries may change.

What Reyes et al. (The Meal Delivery Routing Problem, 2018) call assignment updates: a courier stays
bound for the shop that he said yes to, and is told there, at the latest, which orders to take.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from engine.couriers import courier as couriers_
from engine.couriers.courier import Courier, Duty, Stop, StopKind
from engine.dispatch.offers import can_carry
from engine.dispatch.proposals import stops_of
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Change, Decision, Event
from engine.kernel.place import Point
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
    """The trip that a courier has before him; `order_ids` in the order of their delivery."""

    shop: Point
    order_ids: tuple[OrderId, ...]
    arrived_at: Instant | None


def first_trip(courier: Courier) -> FirstTrip | None:
    """The trip that may still be revised: his route begins with it, and nothing of it was taken.

    None for who is ending his work, for he is given nothing more, and for who has something else
    to deliver first.
    """
    if courier.duty is not Duty.ON or not courier.route:
        return None
    pickup, doors = courier.route[0], _first_doors(courier)
    to_deliver = tuple(one for stop in doors for one in stop.orders)
    # An order that was picked up is left at its door only.
    if pickup.kind is not StopKind.PICKUP or sorted(pickup.orders) != sorted(to_deliver):
        return None
    if any(one.order_id in to_deliver for one in courier.early):
        return None
    return FirstTrip(pickup.point, to_deliver, pickup.arrived_at)


def revise(
    trips: Mapping[CourierId, tuple[OrderId, ...]],
    couriers: Mapping[CourierId, Courier],
    orders: Mapping[OrderId, Order],
    *,
    now: Instant,
) -> Decision | None:
    """Give each of these couriers these orders on his first trip, delivered in this order.

    They may come from one another's first trips or wait; what nobody takes waits again. `couriers`
    and `orders` hold all that is known. None when the world has moved on since it was planned.
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
    if not all(_is_possible(one, carrier) for one in revised):
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


def _is_possible(revised: _Revised, carrier: Mapping[OrderId, CourierId]) -> bool:
    courier, trip, orders = revised
    new = [one for one in orders if one.id not in trip.order_ids]
    return (
        all(one.shop.point == trip.shop and one.zone_id == courier.zone_id for one in orders)
        and all(one.id in carrier or one.status is OrderStatus.WAITING for one in new)
        and not any(one.was_declined_by(courier.id) for one in new)
        and all(_is_ready_in_time(one, courier) for one in new)
        and can_carry(orders, courier)
    )


def _is_ready_in_time(order: Order, courier: Courier) -> bool:
    return courier.shift_ends_at is None or order.ready_at <= courier.shift_ends_at


def _rerouted(revised: Sequence[_Revised], now: Instant) -> list[Change[Any]]:
    return [
        couriers_.reroute(one.courier, route, now=now)
        for one in revised
        if (route := _route(one)) != one.courier.route
    ]


def _route(revised: _Revised) -> tuple[Stop, ...]:
    """His route with the other first trip; the rest of it stays."""
    courier, trip, orders = revised
    pickup, *doors = stops_of(orders)
    rest = courier.route[1 + len(_first_doors(courier)) :]
    return (replace(pickup, arrived_at=trip.arrived_at), *doors, *rest)


def _first_doors(courier: Courier) -> list[Stop]:
    """Where he delivers right after his first stop."""
    return list(takewhile(lambda one: one.kind is StopKind.DROPOFF, courier.route[1:]))


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
    if to.trip.arrived_at is not None:
        events = (*events, CourierReachedShop(at=now))
    fields = {
        "offer_id": offer_id,
        "courier_id": courier_id,
        "assigned_at": now,
        "fetched_with": len(to.orders),
    }
    return Change(orders_.evolve(order, *events, **fields), events)


def _waiting_again(order: Order, now: Instant) -> Change[Order]:
    """An order taken off its trip; its courier did not decline it and may get it again."""
    assert order.courier_id is not None
    event = OrderUnassigned(at=now, courier_id=order.courier_id, reason=REVISED)
    waiting = orders_.evolve(order, event, offer_id=None, courier_id=None, assigned_at=None)
    return Change(waiting, (event,))
