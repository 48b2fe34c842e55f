"""A day to be lived through: what is ordered, who carries it, and how long the ways are."""

from dataclasses import dataclass
from typing import Protocol

from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CellId
from engine.kernel.place import Place, Point
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCourier:
    """A courier who will work from `on_at` to `off_at` (None: until he is told to stop)."""

    key: str
    name: str
    start: Point
    on_at: Instant
    off_at: Instant | None
    vehicle: VehicleKind
    capacity_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """The zone that a day is lived in: names, H3 cells of one resolution, parameters."""

    name_en: str
    name_ar: str
    cells: tuple[CellId, ...]
    parameters: ZoneParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Orders by placement, couriers by start; the world's service times in milliseconds.

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
