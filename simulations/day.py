"""A day to be lived through: what is ordered, who carries it, and how long the ways are."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.geo.cells import cell_at, resolution_of
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CellId
from engine.kernel.place import Place, Point, distance_m
from engine.kernel.timing import HOUR_MS, Instant
from engine.orders.order import Gift, Recipient


class Ways(Protocol):
    """How long the simulated world lets people take; the service only estimates it."""

    def travel_ms(self, origin: Point, to: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        """Milliseconds on the road when leaving at `at`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOrder:
    """A gift that will be ordered at `placed_at`; its shop hands it over from `ready_at` on.

    `expected_ready_at` is what the shop says when it is ordered; None: the truth.
    `key` is the shop's own number. It travels as the shop's notes, so that a courier can name it
    at the counter.
    """

    key: str
    placed_at: Instant
    ready_at: Instant
    shop: Place
    door: Place
    gift: Gift
    recipient: Recipient
    expected_ready_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCourier:
    """A courier who will work from `on_at` to `off_at` (None: until he is told to stop).

    He says so at `announced_at`, or (None) when he begins.
    """

    key: str
    name: str
    start: Point
    on_at: Instant
    off_at: Instant | None
    vehicle: VehicleKind
    capacity_units: int
    announced_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """The zone that a day is lived in: names, H3 cells of one resolution, parameters.

    `shops` are those that it is told of before the day begins.
    """

    name_en: str
    name_ar: str
    cells: tuple[CellId, ...]
    parameters: ZoneParameters
    shops: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Orders by placement, couriers by start; the world's service times in milliseconds.

    A courier works in the zone that covers his start, and in `zone` when none does.
    `target_ms` is the click-to-door time after which an order is late, whatever was promised: a day
    is judged alike under all parameters.
    """

    name: str
    starts_at: Instant
    zone: ZonePlan
    ways: Ways
    orders: tuple[DayOrder, ...]
    couriers: tuple[DayCourier, ...]
    shop_service_ms: int
    door_service_ms: int
    target_ms: int = HOUR_MS
    more_zones: tuple[ZonePlan, ...] = ()

    @property
    def zones(self) -> tuple[ZonePlan, ...]:
        """All zones of the day."""
        return (self.zone, *self.more_zones)

    def zone_finder(self) -> Callable[[Point], int]:
        """A look-up of the number of the zone that a place lies in; 0 when it lies in none."""
        number_of = {cell: n for n, zone in enumerate(self.zones) for cell in zone.cells}
        resolutions = sorted({resolution_of(one) for one in number_of})

        def find(point: Point) -> int:
            for resolution in resolutions:
                if number := number_of.get(cell_at(point, resolution)):
                    return number
            return 0

        return find


def tariff(parameters: ZoneParameters) -> Callable[[Point, Point], int]:
    """What carrying a gift from a shop to a door earns: the delivery fee without VAT."""

    def pay_halalas(shop: Point, door: Point) -> int:
        km = math.ceil(distance_m(shop, door) * parameters.travel.detour / 1000)
        return parameters.fee_base_halalas + km * parameters.fee_per_km_halalas

    return pay_halalas
