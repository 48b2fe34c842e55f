"""Couriers on the way to a shop, whose trips may still be joined and exchanged."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from engine.couriers.courier import Courier
from engine.couriers.fixes import Fix
from engine.dispatch.eta import arrival
from engine.dispatch.revision import first_trip
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order

Trips = dict[CourierId, tuple[OrderId, ...]]


class Busy(NamedTuple):
    """Somebody with a route, as he was when the tick began; `at` is his place among all."""

    at: int
    courier: Courier
    seen: Fix | None


class UnderWay(NamedTuple):
    """A trip before its first pick-up: its shops and its orders in turn.

    `arrives_at` is when he is in the first shop.
    """

    shops: tuple[Point, ...]
    order_ids: tuple[OrderId, ...]
    arrives_at: Instant


def under_way(
    busy: Iterable[Busy],
    orders: Mapping[OrderId, Order],
    parameters: ZoneParameters,
    *,
    now: Instant,
) -> dict[CourierId, UnderWay]:
    """Whose trip may be revised: it is all that he has to do, and no pick-up of it is due yet."""
    if not parameters.revise_until_pickup:
        return {}
    found = {}
    for _, courier, seen in busy:
        trip = first_trip(courier)
        if trip is None or len(courier.route) != len(trip.shops) + len(trip.order_ids):
            continue
        arrives_at = arrival(courier, seen, parameters, now=now)
        meets_at = arrives_at + (parameters.shop_service_s - parameters.shop_leave_s) * SECOND_MS
        if max(meets_at, courier.route[0].ready_at) > now and orders.keys() >= set(trip.order_ids):
            found[courier.id] = UnderWay(trip.shops, trip.order_ids, arrives_at)
    return found


def independent(wanted: Trips, present: Mapping[CourierId, UnderWay]) -> list[Trips]:
    """The trips that change, in groups that exchange orders with each other and with nobody else.

    Each group can be carried out alone, so that one courier who has just picked up spoils no more
    than what concerns him.
    """
    holder = {order: courier for courier, trip in present.items() for order in trip.order_ids}
    changed = {who: trip for who, trip in wanted.items() if trip != present[who].order_ids}
    group_of = {courier: courier for courier in present}

    def group(courier: CourierId) -> CourierId:
        while group_of[courier] != courier:
            courier = group_of[courier]
        return courier

    for courier, trip in changed.items():
        for order in trip:
            if order in holder:
                group_of[group(holder[order])] = group(courier)
    groups: dict[CourierId, Trips] = {}
    for courier, trip in changed.items():
        groups.setdefault(group(courier), {})[courier] = trip
    return list(groups.values())


def orders_under_way(
    trips: Mapping[CourierId, UnderWay], orders: Mapping[OrderId, Order]
) -> Sequence[Order]:
    """What is carried on these trips, or will be."""
    return [orders[one] for trip in trips.values() for one in trip.order_ids]
