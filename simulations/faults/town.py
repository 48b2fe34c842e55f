"""A small day in zones far from each other, or at a border, with people who do as they like."""

import random
from dataclasses import replace
from typing import Final

from msgspec.structs import replace as with_fields

from engine.geo.cells import cell_at, disk, middle_cell
from engine.geo.dispatch_parameters import OfferMode
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.order import Gift, Recipient
from simulations.city import CityWays
from simulations.day import Day, DayCourier, DayOrder, ZonePlan
from simulations.people import Behaviour

STARTS_AT: Final[Instant] = 1_767_571_200_000
CALM_AT: Final[Instant] = STARTS_AT + 60 * MINUTE_MS
_SHIFTS_END: Final[Instant] = STARTS_AT + 100 * MINUTE_MS
_ORDERS_MS: Final = 40 * MINUTE_MS
_FAR_APART: Final = (Point(lat=24.70, lng=46.70), Point(lat=24.70, lng=48.70))
# The second lies in the first one's cell, the third in another.
_AT_A_BORDER: Final = (
    Point(lat=24.70, lng=46.70),
    Point(lat=24.57, lng=46.70),
    Point(lat=24.70, lng=46.57),
)
_RESOLUTION: Final = 7
_RINGS: Final = 3
_RINGS_AT_A_BORDER: Final = 2
# A courier may come from the zone next door.
_APPROACH_AT_A_BORDER_S: Final = 3600
_WITHIN_A_ZONE: Final = 0.5
_LOAN_S: Final = 900
# Orders of a zone; three zones have fewer each.
_SOME: Final = (4, 9)
_FEW: Final = (2, 5)
_SPREAD_DEGREES: Final = 0.04


def a_day(chance: random.Random, *, at_border: bool = False) -> Day:
    """Up to two dozen orders within 40 minutes, and few couriers.

    At a border there are three zones in two cells, and a gift may go from one to another.
    """
    centres = _AT_A_BORDER if at_border else _FAR_APART[: chance.choice((1, 2))]
    zones = tuple(_zone(number, centre, chance) for number, centre in enumerate(centres))
    if at_border:
        zones = tuple(_near_others(one) for one in zones)
    ways = CityWays(zones[0].parameters.travel)
    return Day(
        name="a day of faults",
        starts_at=STARTS_AT,
        zone=zones[0],
        more_zones=zones[1:],
        ways=ways,
        orders=_orders(centres, chance, at_border=at_border),
        couriers=tuple(
            _courier(number, centres[number % len(centres)], chance)
            for number in range(chance.randint(1 if at_border else 2, 3) * len(centres))
        ),
        shop_service_ms=2 * MINUTE_MS,
        door_service_ms=2 * MINUTE_MS,
    )


def behaviour(chance: random.Random) -> Behaviour:
    """People who decline, let pass, are not at home, and change their minds."""
    return Behaviour(
        decline=chance.choice((0.0, 0.2)),
        ignore=chance.choice((0.0, 0.2)),
        nobody_home=chance.choice((0.0, 0.1)),
        think_s=(0.0, chance.choice((1.0, 60.0))),
        patience_min=chance.choice((0.0, 40.0)),
        phone_deaths_per_h=chance.choice((0.0, 0.5)),
        phone_off_min=(1.0, 5.0),
        position_every_ms=60_000,
    )


def _near_others(zone: ZonePlan) -> ZonePlan:
    middle = middle_cell(zone.cells)
    return replace(
        zone,
        cells=tuple(sorted(disk(middle, _RINGS_AT_A_BORDER))),
        parameters=with_fields(
            zone.parameters,
            approach_s_max=_APPROACH_AT_A_BORDER_S,
            loan_couriers_max=2,
            loan_wait_s=0,
            loan_travel_s_max=_APPROACH_AT_A_BORDER_S,
            loan_s=_LOAN_S,
            loan_keep_min=0,
        ),
    )


def _zone(number: int, centre: Point, chance: random.Random) -> ZonePlan:
    parameters = ZoneParameters(
        tick_s=chance.choice((10, 20, 60)),
        offer_mode=chance.choice(tuple(OfferMode)),
        offer_timeout_s=chance.choice((15, 45)),
        offer_again_s=60,
        commit_lead_s=chance.choice((0, 300)),
        trips_max=chance.choice((1, 3)),
        bundle_size_max=chance.choice((1, 3)),
        revise_until_pickup=chance.choice((0, 1)),
        schedule_lead_s=600,
        wait_moves_max=(moves := chance.choice((0, 2))),
        wait_gain_min=1,
        wait_by_hops=int(moves > 0),
        leave_early_s=300 * moves,
        shop_service_s=120,
        door_service_s=120,
    )
    return ZonePlan(
        name_en=f"Zone {number}",
        name_ar=f"منطقة {number}",
        cells=tuple(sorted(disk(cell_at(centre, _RESOLUTION), _RINGS))),
        parameters=parameters,
    )


def _orders(
    centres: tuple[Point, ...], chance: random.Random, *, at_border: bool
) -> tuple[DayOrder, ...]:
    shops = [_somewhere(centre, chance) for centre in centres for _ in range(3)]
    count = chance.randint(*(_FEW if at_border else _SOME)) * len(centres)
    placed = sorted(STARTS_AT + chance.randint(0, _ORDERS_MS) for _ in range(count))
    orders = tuple(_order(number, at, shops, chance) for number, at in enumerate(placed))
    if at_border:
        orders = tuple(_across(one, centres, chance) for one in orders)
    return orders


def _across(order: DayOrder, centres: tuple[Point, ...], chance: random.Random) -> DayOrder:
    """Perhaps its door lies in another zone than its shop."""
    if chance.random() < _WITHIN_A_ZONE:
        return order
    door = with_fields(order.door, point=_somewhere(chance.choice(centres), chance))
    return replace(order, door=door)


def _order(number: int, at: Instant, shops: list[Point], chance: random.Random) -> DayOrder:
    shop = chance.randrange(len(shops))
    return DayOrder(
        key=f"o{number}",
        placed_at=at,
        ready_at=at + chance.choice((0, 10, 30)) * MINUTE_MS,
        shop=Place(point=shops[shop], name=f"shop {shop}", notes=f"o{number}"),
        door=Place(point=_somewhere(shops[shop], chance), name=f"door {number}"),
        gift=Gift(description="a gift"),
        recipient=Recipient(name="somebody", phone=f"+9665000{number:05}"),
    )


def _courier(number: int, centre: Point, chance: random.Random) -> DayCourier:
    return DayCourier(
        key=f"c{number}",
        name=f"Courier {number}",
        start=_somewhere(centre, chance),
        on_at=STARTS_AT + chance.randint(0, 10) * MINUTE_MS,
        off_at=_SHIFTS_END if chance.random() < 0.8 else STARTS_AT + 40 * MINUTE_MS,
        vehicle=VehicleKind.CAR,
        capacity_units=4,
    )


def _somewhere(centre: Point, chance: random.Random) -> Point:
    def off() -> float:
        return chance.uniform(-_SPREAD_DEGREES, _SPREAD_DEGREES)

    return Point(lat=centre.lat + off(), lng=centre.lng + off())
