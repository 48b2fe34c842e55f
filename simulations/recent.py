"""The last hours of the running system as a day to live through again.

Orders come as they were really placed, from shop to door, without those that were cancelled;
couriers work the spells in which they could really be asked, from where they began them.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from msgspec import Struct

from engine.couriers.courier import BreakEnded, Courier, Duty, WentOnDuty
from engine.geo.travel import VehicleKind
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.place import Place, Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import Gift, Order, OrderStatus, Recipient
from simulations.city import CityWays
from simulations.day import Day, DayCourier, DayOrder, ZonePlan
from storage.recent import entered_at
from storage.store import DutyOf, Store, TrailFix

# What was ordered last is given so long to arrive.
_AFTERWARDS_MS: Final = HOUR_MS
# A phone's first position comes a little before or after its courier says that he is on duty.
_FIX_EARLY_MS: Final = 5 * MINUTE_MS
_PAGE: Final = 500
ORDERS_MAX: Final = 1_000_000
_BEGINS: Final = frozenset({WentOnDuty.__name__, BreakEnded.__name__})


class TooManyOrders(Exception):
    """More was ordered in these hours than may be lived again; the message says how much may."""


class NothingHappened(Exception):
    """There is no day to live again: no zone had an order and a courier in these hours."""


class RecentOrder(Struct, frozen=True, kw_only=True):
    """What a simulation needs of an order: nothing about people."""

    id: OrderId
    entered_at: Instant
    ready_at: Instant
    shop: Point
    door: Point
    size_units: int


class Spell(Struct, frozen=True, kw_only=True):
    """A time in which a courier could be asked; `until` is None while he still can."""

    courier_id: CourierId
    since: Instant
    until: Instant | None
    start: Point
    vehicle: VehicleKind
    capacity_units: int


class Recent(Struct, frozen=True, kw_only=True):
    """A zone's orders and couriers from `since` to `until`; `cancelled` orders were left out."""

    zone: Zone
    since: Instant
    until: Instant
    orders: tuple[RecentOrder, ...]
    spells: tuple[Spell, ...]
    cancelled: int


async def read(store: Store, *, since: Instant, until: Instant) -> Day:
    """All zones from `since` until `until`; raises NothingHappened, StoreUnavailable."""
    zones = await store.list_zones()
    found = [await read_zone(store, one, since=since, until=until) for one in zones]
    if not any(one.orders for one in found) or not any(one.spells for one in found):
        raise NothingHappened("no zone had an order and a courier on duty in these hours")
    return day_of(found)


async def read_zone(
    store: Store, zone: Zone, *, since: Instant, until: Instant, orders_max: int = ORDERS_MAX
) -> Recent:
    """What was ordered in a zone and who could carry it; raises TooManyOrders, StoreUnavailable."""
    orders: list[RecentOrder] = []
    cancelled = 0
    async for one in _pages(store, zone, since, until):
        if one.status is OrderStatus.CANCELLED:
            cancelled += 1
            continue
        if len(orders) == orders_max:
            raise TooManyOrders(f"more than {orders_max} orders in {zone.name_en}: ask for less")
        orders.append(_order(one))
    duties = await store.list_duties(zone.id, since=since, until=until)
    return Recent(
        zone=zone,
        since=since,
        until=until,
        orders=tuple(orders),
        spells=await _spells(store, duties, since),
        cancelled=cancelled,
    )


def day_of(recent: Sequence[Recent]) -> Day:
    """The same hours of some zones, under the parameters in force; everybody begins free."""
    first, *more = (_plan(one.zone) for one in recent)
    since, until = recent[0].since, recent[0].until
    parameters = first.parameters
    orders = (_day_order(order) for one in recent for order in one.orders)
    spells = sorted(
        (spell for one in recent for spell in one.spells),
        key=lambda spell: (spell.since, spell.courier_id),
    )
    return Day(
        name=f"{recent[0].zone.name_en}, the last {(until - since) / HOUR_MS:g} h",
        starts_at=since,
        zone=first,
        more_zones=tuple(more),
        ways=CityWays(parameters.travel),
        orders=tuple(sorted(orders, key=lambda order: (order.placed_at, order.key))),
        couriers=tuple(
            _day_courier(number, one, until + _AFTERWARDS_MS) for number, one in enumerate(spells)
        ),
        shop_service_ms=parameters.shop_service_s * SECOND_MS,
        door_service_ms=parameters.door_service_s * SECOND_MS,
        target_ms=parameters.promised_s * SECOND_MS,
    )


def _plan(zone: Zone) -> ZonePlan:
    return ZonePlan(
        name_en=zone.name_en,
        name_ar=zone.name_ar,
        cells=zone.cells,
        parameters=zone.parameters,
        shops=tuple(Place(point=one) for one in zone.shops),
    )


def spells_of(duty: DutyOf, since: Instant) -> Iterator[tuple[Instant, Instant | None]]:
    """From when to when a courier could be asked, from his changes since `since`."""
    if not duty.changes:
        if duty.courier.duty is Duty.ON:
            yield since, None
        return
    began = None if duty.changes[0][1] in _BEGINS else since
    for at, name in duty.changes:
        if name in _BEGINS:
            began = at if began is None else began
        elif began is not None:
            yield began, at
            began = None
    if began is not None:
        yield began, None


async def _pages(store: Store, zone: Zone, since: Instant, until: Instant) -> AsyncIterator[Order]:
    after: tuple[Instant, OrderId] | None = None
    while True:
        found = await store.list_orders_in(
            zone.id, since=since, until=until, limit=_PAGE, after=after
        )
        for one in found:
            yield one
        if len(found) < _PAGE:
            return
        after = (entered_at(found[-1]), found[-1].id)


async def _spells(store: Store, duties: Sequence[DutyOf], since: Instant) -> tuple[Spell, ...]:
    times = [(one.courier, *spell) for one in duties for spell in spells_of(one, since)]
    asked = [(courier.id, began - _FIX_EARLY_MS) for courier, began, _ in times]
    fixes = await store.first_fixes(asked)
    return tuple(
        _spell(courier, began, ended, fix)
        for (courier, began, ended), fix in zip(times, fixes, strict=True)
        if ended is None or ended > began
    )


def _spell(courier: Courier, began: Instant, ended: Instant | None, fix: TrailFix | None) -> Spell:
    return Spell(
        courier_id=courier.id,
        since=began,
        until=ended,
        start=courier.last_point if fix is None else Point(lat=fix.lat, lng=fix.lng),
        vehicle=courier.vehicle,
        capacity_units=courier.capacity_units,
    )


def _order(order: Order) -> RecentOrder:
    # A gift that was fetched was ready, whatever the shop had said.
    ready_at = min(order.ready_at, order.picked_up_at or order.ready_at)
    return RecentOrder(
        id=order.id,
        entered_at=entered_at(order),
        ready_at=max(ready_at, entered_at(order)),
        shop=order.shop.point,
        door=order.door.point,
        size_units=order.gift.size_units,
    )


def _day_order(order: RecentOrder) -> DayOrder:
    return DayOrder(
        key=order.id,
        placed_at=order.entered_at,
        ready_at=order.ready_at,
        shop=Place(point=order.shop, notes=order.id),
        door=Place(point=order.door),
        gift=Gift(description="Replayed order", size_units=order.size_units),
        recipient=Recipient(name="Recipient"),
    )


def _day_courier(number: int, spell: Spell, ends_at: Instant) -> DayCourier:
    return DayCourier(
        key=f"courier-{number + 1}",
        name=f"Courier {number + 1}",
        start=spell.start,
        on_at=spell.since,
        off_at=ends_at if spell.until is None else spell.until,
        vehicle=spell.vehicle,
        capacity_units=spell.capacity_units,
    )
