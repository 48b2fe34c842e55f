"""The last hours of the running system, as a day to live through again."""

from dataclasses import dataclass
from typing import Final

from engine.couriers.courier import Courier
from engine.dispatch.record import ZoneHistory, duty_spans
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId
from engine.kernel.place import Place, Point
from engine.kernel.timing import HOUR_MS, SECOND_MS, Instant
from engine.orders.order import CourierReachedShop, Order
from simulations.city import CityWays
from simulations.day import Day, DayCourier, DayOrder, ZonePlan
from storage.store import Store

# Who is still on duty at the end finishes what he carries.
_STAYS_MS: Final = HOUR_MS
_AT_SHOP: Final = CourierReachedShop.__name__


class NothingHappened(Exception):
    """There is no day to live again: no zone had an order and a courier since then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """One zone and what happened in it."""

    zone: Zone
    history: ZoneHistory


async def read(store: Store, *, since: Instant, until: Instant) -> Day:
    """All zones from `since` until `until`; raises NothingHappened, StoreUnavailable."""
    found = [
        Recent(zone=zone, history=await store.zone_history(zone.id, since))
        for zone in await store.list_zones()
    ]
    return day(found, since=since, until=until)


def day(recent: list[Recent], *, since: Instant, until: Instant) -> Day:
    """What happened in these zones as a day: the orders placed since then, and who was on duty.

    A courier starts at the first shop that he reached, or where he stopped last; a gift is ready
    when its shop said it would be. Raises NothingHappened.
    """
    orders = [order for one in recent for order in _orders(one, since, until)]
    couriers = [courier for one in recent for courier in _couriers(one, since, until)]
    if not orders or not couriers:
        raise NothingHappened("no zone had an order and a courier on duty in these hours")
    zones = [_plan(one.zone) for one in recent]
    parameters = zones[0].parameters
    return Day(
        name=f"The last {(until - since) / HOUR_MS:g} h",
        starts_at=since,
        zone=zones[0],
        more_zones=tuple(zones[1:]),
        ways=CityWays(parameters.travel),
        orders=tuple(sorted(orders, key=lambda one: (one.placed_at, one.key))),
        couriers=tuple(sorted(couriers, key=lambda one: (one.on_at, one.key))),
        shop_service_ms=parameters.shop_service_s * SECOND_MS,
        door_service_ms=parameters.door_service_s * SECOND_MS,
    )


def _plan(zone: Zone) -> ZonePlan:
    return ZonePlan(
        name_en=zone.name_en,
        name_ar=zone.name_ar,
        cells=zone.cells,
        parameters=zone.parameters,
    )


def _orders(recent: Recent, since: Instant, until: Instant) -> list[DayOrder]:
    return [
        DayOrder(
            key=one.id,
            placed_at=one.placed_at,
            ready_at=max(one.ready_at, one.placed_at),
            shop=_named(one.shop, one.id),
            door=one.door,
            gift=one.gift,
            recipient=one.recipient,
        )
        for one in recent.history.orders
        if since <= one.placed_at < until
    ]


def _named(shop: Place, key: str) -> Place:
    return Place(point=shop.point, name=shop.name, address=shop.address, notes=key)


def _couriers(recent: Recent, since: Instant, until: Instant) -> list[DayCourier]:
    spans = duty_spans(recent.history, since=since, until=until)
    starts = _first_shops(recent.history)
    return [
        DayCourier(
            key=one.id,
            name=one.name,
            start=starts.get(one.id, one.last_point),
            on_at=spans[one.id][0][0],
            off_at=_off_at(one, spans[one.id][-1][1], until),
            vehicle=one.vehicle,
            capacity_units=one.capacity_units,
        )
        for one in recent.history.couriers
        if spans[one.id]
    ]


def _off_at(courier: Courier, last_seen: Instant, until: Instant) -> Instant:
    if last_seen < until:
        return last_seen
    return max(courier.shift_ends_at or 0, until) + _STAYS_MS


def _first_shops(history: ZoneHistory) -> dict[CourierId, Point]:
    orders: dict[str, Order] = {one.id: one for one in history.orders}
    found: dict[CourierId, Point] = {}
    for event in history.events:
        order = orders.get(event.thing_id)
        if order is not None and order.courier_id is not None and event.type == _AT_SHOP:
            found.setdefault(order.courier_id, order.shop.point)
    return found
