"""Recorded delivery days: instances of the Meal Delivery Routing Problem, as days to live through.

An instance speaks of metres on a plane and of whole minutes. The plane is laid on the earth at the
equator, where the great circle differs from it by less than a hundred-thousandth of the distance;
travel times of the simulated world are the instance's own, exactly.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from msgspec.structs import replace

from engine.geo.cells import cell_at
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Speeds, TravelProfile, VehicleKind
from engine.kernel.place import EARTH_RADIUS_M, Place, Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant
from engine.orders.order import Gift, Recipient
from simulations.day import Day, DayCourier, DayOrder, ZonePlan

METRES_PER_DEGREE: Final = EARTH_RADIUS_M * math.pi / 180
ZONE_RESOLUTION: Final = 7
# Metres that have been through degrees have lost their last bits; a tenth of a millimetre hides it.
_METRE_DECIMALS = 4
_JUST_BEFORE_MS = 1000
# An instance tells all its shifts; the service hears of each an hour ahead.
_ANNOUNCED_MS = HOUR_MS
# The instances know no capacity: more than any bundle.
_CAPACITY_UNITS = 100

T = TypeVar("T")


class BadInstance(Exception):
    """The folder is not an instance; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Metres on the instance's plane."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOrder:
    """Minutes of the business day."""

    name: str
    door: Spot
    placed: int
    restaurant: str
    ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCourier:
    """Minutes of the business day."""

    name: str
    start: Spot
    on: int
    off: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The instance's parameters: metres a minute, service minutes a stop, click-to-door minutes.

    A courier is paid `order_pay` an order, and at least `hour_pay` an hour of his shift.
    """

    metres_per_minute: float
    pickup_minutes: int
    dropoff_minutes: int
    target_minutes: int
    maximum_minutes: int = 90
    order_pay: float = 10.0
    hour_pay: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One recorded day as its folder tells it."""

    name: str
    terms: Terms
    restaurants: dict[str, Spot]
    orders: tuple[RecordedOrder, ...]
    couriers: tuple[RecordedCourier, ...]

    def travel_minutes(self, a: Spot, b: Spot) -> int:
        """Euclidean metres by speed, rounded up: the instance's own rule."""
        metres = math.sqrt((b.x - a.x) ** 2 + (b.y - a.y) ** 2)
        return math.ceil(metres / self.terms.metres_per_minute)

    def undeliverable(self) -> frozenset[str]:
        """The orders that nobody can pick up before his shift ends, whatever is decided."""
        return frozenset(one.name for one in self.orders if not self._is_deliverable(one))

    def _is_deliverable(self, order: RecordedOrder) -> bool:
        shop = self.restaurants[order.restaurant]
        half_service = self.terms.pickup_minutes / 2
        return any(
            order.ready <= one.off
            and max(one.on, order.placed) + self.travel_minutes(one.start, shop) + half_service
            <= one.off
            for one in self.couriers
        )


class _Table:
    """A tab-separated file with one header line, read with faults that name file and line."""

    def __init__(self, folder: Path, name: str, columns: int) -> None:
        self._path, self._columns = folder / name, columns
        self._line = 0

    def rows(self) -> Iterator[list[str]]:
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except OSError as error:
            raise BadInstance(f"{self._path}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise BadInstance(f"{self._path}: is not text") from None
        for number, line in enumerate(lines[1:], 2):
            self._line = number
            if not line.strip():
                continue
            cells = line.split("\t")
            if len(cells) != self._columns:
                raise self.fault(f"{len(cells)} columns, {self._columns} are expected")
            yield cells

    def number(self, text: str, kind: Callable[[str], T]) -> T:
        try:
            value = kind(text)
        except ValueError:
            raise self.fault(f"{text!r} is not a number") from None
        if not math.isfinite(float(text)):
            raise self.fault(f"{text!r} is not a finite number")
        return value

    def spot(self, x: str, y: str) -> Spot:
        return Spot(self.number(x, float), self.number(y, float))

    def fault(self, what: str) -> BadInstance:
        return BadInstance(f"{self._path}:{self._line}: {what}")

    def unseen(self, name: str, seen: set[str]) -> str:
        """The name, which must not have come before."""
        if name in seen:
            raise self.fault(f"{name} is listed twice")
        seen.add(name)
        return name


def read(folder: Path) -> Instance:
    """Read an instance folder; raises BadInstance."""
    if not folder.is_dir():
        raise BadInstance(f"{folder}: no such folder")
    restaurants = _restaurants(folder)
    return Instance(
        name=folder.resolve().name,
        terms=_terms(folder),
        restaurants=restaurants,
        orders=_orders(folder, restaurants),
        couriers=_couriers(folder),
    )


def _terms(folder: Path) -> Terms:
    table = _Table(folder, "instance_parameters.txt", 7)
    rows = list(table.rows())
    if len(rows) != 1:
        raise table.fault(f"{len(rows)} rows of parameters, one is expected")
    speed, pickup, dropoff, target, maximum, order_pay, hour_pay = rows[0]
    terms = Terms(
        metres_per_minute=table.number(speed, float),
        pickup_minutes=table.number(pickup, int),
        dropoff_minutes=table.number(dropoff, int),
        target_minutes=table.number(target, int),
        maximum_minutes=table.number(maximum, int),
        order_pay=table.number(order_pay, float),
        hour_pay=table.number(hour_pay, float),
    )
    if terms.metres_per_minute <= 0:
        raise table.fault("the speed must be above 0")
    return terms


def _restaurants(folder: Path) -> dict[str, Spot]:
    table = _Table(folder, "restaurants.txt", 3)
    seen: set[str] = set()
    return {table.unseen(name, seen): table.spot(x, y) for name, x, y in table.rows()}


def _orders(folder: Path, restaurants: dict[str, Spot]) -> tuple[RecordedOrder, ...]:
    table = _Table(folder, "orders.txt", 6)
    seen: set[str] = set()
    orders = []
    for name, x, y, placed, restaurant, ready in table.rows():
        if restaurant not in restaurants:
            raise table.fault(f"there is no restaurant {restaurant}")
        order = RecordedOrder(
            name=table.unseen(name, seen),
            door=table.spot(x, y),
            placed=table.number(placed, int),
            restaurant=restaurant,
            ready=table.number(ready, int),
        )
        if order.ready < order.placed:
            raise table.fault(f"{name} is ready before it is placed")
        orders.append(order)
    return tuple(sorted(orders, key=lambda one: one.placed))


def _couriers(folder: Path) -> tuple[RecordedCourier, ...]:
    table = _Table(folder, "couriers.txt", 5)
    seen: set[str] = set()
    couriers = []
    for name, x, y, on, off in table.rows():
        courier = RecordedCourier(
            name=table.unseen(name, seen),
            start=table.spot(x, y),
            on=table.number(on, int),
            off=table.number(off, int),
        )
        if courier.off <= courier.on:
            raise table.fault(f"the shift of {name} ends before it starts")
        couriers.append(courier)
    return tuple(sorted(couriers, key=lambda one: one.on))


class Plane:
    """Where an instance's metres lie on the earth, and the instance's own travel times there."""

    def __init__(self, instance: Instance, *, centre_lng: float = 0.0) -> None:
        # The middle is of what is known before the first order: nothing shifts with what will come.
        known = [*instance.restaurants.values(), *(one.start for one in instance.couriers)]
        if not known:
            raise BadInstance(f"{instance.name}: holds no places")
        self._instance = instance
        self._centre_lng = centre_lng
        self._middle = Spot(
            (min(s.x for s in known) + max(s.x for s in known)) / 2,
            (min(s.y for s in known) + max(s.y for s in known)) / 2,
        )
        self.spots = (*known, *(one.door for one in instance.orders))

    def point(self, spot: Spot) -> Point:
        """Degrees of a spot: the middle of shops and couriers lies on the equator."""
        return Point(
            lat=(spot.y - self._middle.y) / METRES_PER_DEGREE,
            lng=self._centre_lng + (spot.x - self._middle.x) / METRES_PER_DEGREE,
        )

    def spot(self, point: Point) -> Spot:
        """The metres of a point."""
        x = (point.lng - self._centre_lng) * METRES_PER_DEGREE + self._middle.x
        y = point.lat * METRES_PER_DEGREE + self._middle.y
        return Spot(round(x, _METRE_DECIMALS), round(y, _METRE_DECIMALS))

    def travel_ms(self, origin: Point, to: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        """The instance's whole minutes, whatever he drives and whenever."""
        del vehicle, at
        minutes = self._instance.travel_minutes(self.spot(origin), self.spot(to))
        return minutes * MINUTE_MS


def zone_parameters(terms: Terms) -> ZoneParameters:
    """The parameters that state the recorded problem: services, target, travel times."""
    speed = terms.metres_per_minute * 60 / 1000
    return ZoneParameters(
        tick_s=60,
        approach_s_max=7200,
        candidates_max=40,
        # The recorded times are whole minutes, and so are the ticks: what must leave later than
        # now can still be offered by the next one.
        commit_lead_s=0,
        offer_timeout_s=300,
        offer_again_s=60,
        bundle_size_max=6,
        bundle_extra_s=3600,
        trips_max=6,
        waiting_weight=20,
        lateness_weight=100,
        travel_weight=0,
        idle_weight=24,
        shift_end_idle_percent=100,
        time_price_percent=40,
        stability_weight=0,
        wait_moves_max=20,
        wait_gain_min=10,
        wait_travel_s_max=2400,
        wait_by_hops=1,
        leave_early_s=600,
        shop_service_s=terms.pickup_minutes * 60,
        door_service_s=terms.dropoff_minutes * 60,
        promised_s=terms.target_minutes * 60,
        promise_slack_s=0,
        travel=TravelProfile(
            detour=1.0,
            speeds_kmh=Speeds(car=speed, motorcycle=speed, bicycle=speed, foot=speed),
            utc_offset_h=0,
            whole_s=60,
        ),
    )


def minute_0(starts_at: Instant) -> Instant:
    """The recorded minute 0 of a day that begins at `starts_at`.

    What comes up in a minute, an order or a shift, is there just before it, so that a decision of
    the same minute knows of it; everything else happens on the minute.
    """
    return starts_at + _JUST_BEFORE_MS


def day(instance: Instance, *, starts_at: Instant, centre_lng: float = 0.0) -> Day:
    """The instance as a day that begins at `starts_at`, laid on the equator at `centre_lng`."""
    plane = Plane(instance, centre_lng=centre_lng)
    terms = instance.terms

    def minute(number: int) -> Instant:
        return minute_0(starts_at) + number * MINUTE_MS

    def just_before(number: int) -> Instant:
        return starts_at + number * MINUTE_MS

    shops = {
        name: Place(point=plane.point(spot), name=name)
        for name, spot in instance.restaurants.items()
    }
    orders = tuple(
        DayOrder(
            key=one.name,
            placed_at=just_before(one.placed),
            ready_at=minute(one.ready),
            shop=replace(shops[one.restaurant], notes=one.name),
            door=Place(point=plane.point(one.door), name=one.name),
            gift=Gift(description="Recorded order"),
            recipient=Recipient(name=f"Recipient {one.name}"),
        )
        for one in instance.orders
    )
    couriers = tuple(
        DayCourier(
            key=one.name,
            name=f"Courier {one.name}",
            start=plane.point(one.start),
            on_at=just_before(one.on),
            off_at=minute(one.off),
            announced_at=just_before(one.on) - _ANNOUNCED_MS,
            vehicle=VehicleKind.CAR,
            capacity_units=_CAPACITY_UNITS,
        )
        for one in instance.couriers
    )
    cells = {cell_at(plane.point(spot), ZONE_RESOLUTION) for spot in plane.spots}
    return Day(
        name=instance.name,
        starts_at=starts_at,
        zone=ZonePlan(
            name_en=f"Recorded day {instance.name}",
            name_ar=f"يوم مسجل {instance.name}",
            cells=tuple(sorted(cells)),
            parameters=zone_parameters(terms),
            shops=tuple(shops.values()),
        ),
        ways=plane,
        orders=orders,
        couriers=couriers,
        shop_service_ms=terms.pickup_minutes * MINUTE_MS,
        door_service_ms=terms.dropoff_minutes * MINUTE_MS,
        target_ms=terms.target_minutes * MINUTE_MS,
    )
