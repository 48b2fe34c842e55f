"""What a gift costs whose address nobody knows yet: at least, and at most anywhere in its zone."""

import math

from msgspec import Struct
from msgspec.structs import replace

from engine.geo.cells import boundary_of
from engine.geo.travel import Points, travel_times
from engine.geo.zone import Zone
from engine.kernel.place import Point
from engine.orders.order import Window
from engine.orders.quote import DELIVERY, Wishes, delivery_fee
from engine.orders.surge import Pressure, Surge, surge
from engine.pricing.lines import PriceLine, amounts

_SOME_WINDOW = Window(start=0, end=1)


class PriceRange(Struct, frozen=True, kw_only=True):
    """Halalas with VAT: next door on a quiet day, and to the farthest door on the busiest one."""

    least_halalas: int
    most_halalas: int


def price_range(zone: Zone, shop: Point, wishes: Wishes) -> PriceRange:
    """By the tariff in force, whenever it is brought; with `most_halalas` any door can be paid."""
    farthest_m = _farthest_m(zone, shop)
    p = zone.parameters
    later = replace(wishes, window=_SOME_WINDOW)
    busiest = Pressure(waiting=0, available=0, percent=math.inf, at=0)
    fullest: Surge = surge(busiest, p)
    now = replace(wishes, window=None)
    least = min(delivery_fee(p, 0, now, None), delivery_fee(p, 0, later, None))
    most = max(delivery_fee(p, farthest_m, now, fullest), delivery_fee(p, farthest_m, later, None))
    return PriceRange(
        least_halalas=_total(wishes, least), most_halalas=_total(wishes, max(least, most))
    )


def _total(wishes: Wishes, fee: int) -> int:
    delivery = PriceLine(name=DELIVERY, unit_halalas=fee)
    return amounts((*wishes.goods, delivery)).payable_halalas


def _farthest_m(zone: Zone, shop: Point) -> int:
    """Metres of road from the shop to the farthest corner of the zone's cells."""
    corners = [corner for cell in zone.cells for corner in boundary_of(cell)]
    ways = travel_times(zone.parameters.travel)
    metres = ways.metres(Points.of([shop]), Points.of(corners))
    return math.ceil(float(metres.max()))
