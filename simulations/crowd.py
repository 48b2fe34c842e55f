"""A zone at one moment with so many waiting orders and couriers, for measuring a tick of it."""

import random
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.couriers.courier import Courier, Duty
from engine.geo.cells import cell_at, disk
from engine.geo.travel import VehicleKind
from engine.geo.zone import CreateZone, Zone, create
from engine.kernel.ids import CourierId, OrderId, QuoteId, UserId, ZoneId, derived_id
from engine.kernel.messages import Decision
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.order import Gift, Order, OrderStatus, Recipient
from simulations.city import City

NOW: Final[Instant] = 1_767_571_200_000
_SPREAD_DEG: Final = 0.08
_CENTRE: Final = Point(lat=24.7136, lng=46.6753)


class Crowd(NamedTuple):
    """Who waits and who is free, scattered over a city; five orders for each shop."""

    zone: Zone
    shops: Sequence[Point]
    orders: Sequence[Order]
    couriers: Sequence[Courier]


def crowd(orders: int, couriers: int, chance: random.Random) -> Crowd:
    """Another one for each state of `chance`."""
    zone = _zone()
    shops = [near(_CENTRE, chance) for _ in range(max(1, orders // 5))]
    return Crowd(
        zone,
        shops,
        [
            an_order(zone, str(number), chance.choice(shops), chance, now=NOW)
            for number in range(orders)
        ],
        [_courier(zone, number, near(_CENTRE, chance)) for number in range(couriers)],
    )


def _zone() -> Zone:
    anchor = cell_at(_CENTRE, 7)
    created = create(
        CreateZone(
            zone_id=ZoneId(derived_id("bench")),
            name_en="Bench",
            name_ar="قياس",
            anchor=anchor,
            cells=tuple(sorted(disk(anchor, 2))),
            parameters=City(0).zone(pace=1.0).parameters,
            author=UserId(derived_id("bench author")),
        ),
        now=NOW,
    )
    assert isinstance(created, Decision)
    zone: Zone = created.changes[0].thing
    return zone


def near(centre: Point, chance: random.Random, spread_deg: float = _SPREAD_DEG) -> Point:
    """A place not far away."""
    return Point(
        lat=centre.lat + chance.uniform(-spread_deg, spread_deg),
        lng=centre.lng + chance.uniform(-spread_deg, spread_deg),
    )


def an_order(zone: Zone, name: str, shop: Point, chance: random.Random, *, now: Instant) -> Order:
    """Placed in the last ten minutes, and ready in the next twenty at the latest."""
    placed_at = now - chance.randrange(10 * MINUTE_MS)
    return Order(
        version=1,
        id=OrderId(derived_id("bench order", name)),
        code="BENCH1",
        customer_id=UserId(derived_id("bench customer")),
        zone_id=zone.id,
        quote_id=QuoteId(derived_id("bench quote")),
        status=OrderStatus.WAITING,
        gift=Gift(description="Roses"),
        recipient=Recipient(name="Noura"),
        shop=Place(point=shop),
        door=Place(point=near(shop, chance)),
        pin="0000",
        total_halalas=0,
        placed_at=placed_at,
        ready_at=placed_at + chance.randrange(20 * MINUTE_MS),
        due_at=placed_at + 60 * MINUTE_MS,
    )


def _courier(zone: Zone, number: int, point: Point) -> Courier:
    return Courier(
        version=1,
        id=CourierId(UserId(derived_id("bench courier", str(number)))),
        name="Salem",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        duty=Duty.ON,
        zone_id=zone.id,
        last_point=point,
    )
