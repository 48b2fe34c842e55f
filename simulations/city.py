"""A generated city: districts, shops, couriers and a stream of orders, all from one seed."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from engine.geo.cells import cell_at, cells_in_polygon, disk
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import GreatCircle, VehicleKind
from engine.kernel.ids import CellId
from engine.kernel.place import EARTH_RADIUS_M, Place, Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import Gift, Recipient
from simulations import riyadh
from simulations.day import DayCourier, DayOrder, ZonePlan
from simulations.riyadh import District, ShopKind

_SHOPS = 160
_ZONE_RESOLUTION = 7
_M_PER_DEGREE: Final = EARTH_RADIUS_M * math.pi / 180
_VEHICLES: Final = ((VehicleKind.CAR, 8, 6), (VehicleKind.MOTORCYCLE, 3, 4))
_DAY_PARTS: Final = ((6, 3), (12, 0), (17, 1), (23, 2), (24, 3))
# Even at four in the morning somebody wants to see the demo.
_QUIETEST = 0.35
# People choose a shop on the recipient's side of the city.
_NEAR_M = 6_000.0


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop and what it sells."""

    place: Place
    kind: ShopKind


class CityWays:
    """The city's own travel times: for now the zone believes the very same."""

    def __init__(self) -> None:
        self._great_circle = GreatCircle(riyadh.TRAVEL)

    def travel_ms(self, origin: Point, to: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        """Milliseconds on the road when leaving at `at`."""
        return self._great_circle.one_s(origin, to, vehicle=vehicle, at=at) * SECOND_MS


class City:
    """Riyadh from a seed: the same seed gives the same shops, couriers and orders."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._districts = riyadh.DISTRICTS
        self.shops = tuple(self._shop(number) for number in range(_SHOPS))
        self.ways = CityWays()

    def zone(self, *, pace: float = 1.0) -> ZonePlan:
        """One zone over all districts; when time runs `pace` times faster, decisions are rarer."""
        return ZonePlan(
            name_en="Riyadh",
            name_ar="الرياض",
            cells=_cells(self._districts),
            parameters=ZoneParameters(
                tick_s=min(600, math.ceil(2 * pace)),
                offer_timeout_s=min(1800, math.ceil(45 * max(1.0, pace / 4))),
                approach_s_max=2400,
                commit_lead_s=300,
                promised_s=4500,
                travel=riyadh.TRAVEL,
            ),
        )

    def couriers(self, count: int, *, on_at: Instant, spread_ms: int) -> tuple[DayCourier, ...]:
        """Couriers who come on duty one after the other within `spread_ms`, without a set end."""
        chance = random.Random(self._chance.getrandbits(64))
        found = []
        for number in range(count):
            weights = [one.shops for one in self._districts]
            (district,) = chance.choices(self._districts, weights)
            (vehicle, capacity, _) = chance.choices(_VEHICLES, [one[2] for one in _VEHICLES])[0]
            found.append(
                DayCourier(
                    key=f"courier-{number + 1}",
                    name=_name(chance),
                    start=_point_in(district, chance),
                    on_at=on_at + spread_ms * number // max(1, count),
                    off_at=None,
                    vehicle=vehicle,
                    capacity_units=capacity,
                )
            )
        return tuple(found)

    def orders(
        self, starts_at: Instant, *, per_hour: float, at_once: int = 0, run: str = ""
    ) -> Iterator[DayOrder]:
        """Orders without end, by placement: a Poisson stream of `per_hour` in the busiest hour.

        `at_once` more come in the first moment. `run` keeps the shops' numbers of one run apart
        from those of another.
        """
        chance = random.Random(self._chance.getrandbits(64))
        for number in range(at_once):
            yield self._order(f"{run}0-{number + 1}", starts_at, chance)
        at, number = float(starts_at), 0
        while True:
            # Thinning: candidates at the peak rate, of which the hour lets some through.
            at += chance.expovariate(per_hour) * HOUR_MS
            if chance.random() < demand_at(int(at)):
                number += 1
                yield self._order(f"{run}{number}", int(at), chance)

    def _shop(self, number: int) -> Shop:
        chance = self._chance
        (district,) = chance.choices(self._districts, [one.shops for one in self._districts])
        (kind,) = chance.choices(riyadh.SHOP_KINDS, [one.weight for one in riyadh.SHOP_KINDS])
        return Shop(
            Place(
                point=_point_in(district, chance),
                name=f"{kind.name_en} {number + 1}, {district.name_en}",
                address=f"{kind.name_ar}، {district.name_ar}",
            ),
            kind,
        )

    def _order(self, key: str, at: Instant, chance: random.Random) -> DayOrder:
        part = day_part(at)
        (district,) = chance.choices(self._districts, [one.homes[part] for one in self._districts])
        door = _point_in(district, chance)
        near = [one for one in self.shops if _metres(one.place.point, door) < _NEAR_M]
        shop = chance.choice(near or self.shops)
        least, most = shop.kind.ready_min
        return DayOrder(
            key=key,
            placed_at=at,
            ready_at=at + int(chance.uniform(least, most) * MINUTE_MS),
            shop=Place(
                point=shop.place.point,
                name=shop.place.name,
                address=shop.place.address,
                notes=key,
            ),
            door=Place(point=door, name=district.name_en, address=f"حي {district.name_ar}، الرياض"),
            gift=Gift(
                description=chance.choice(shop.kind.gifts),
                message="كل عام وأنت بخير" if chance.random() < 0.7 else "",
                occasion=chance.choice(riyadh.OCCASIONS),
                hide_sender=chance.random() < 0.1,
                surprise=chance.random() < 0.3,
                size_units=shop.kind.size_units,
            ),
            recipient=Recipient(name=_name(chance)),
        )


def day_part(at: Instant) -> int:
    """0 morning, 1 afternoon, 2 evening, 3 night, by the local hour."""
    hour = _local_hour(at)
    return next(part for before, part in _DAY_PARTS if hour < before)


def demand_at(at: Instant) -> float:
    """The share of the busiest hour's orders that this local hour sees."""
    return max(_QUIETEST, riyadh.DEMAND[_local_hour(at)])


def _local_hour(at: Instant) -> int:
    return (datetime.fromtimestamp(at / 1000, UTC).hour + riyadh.UTC_OFFSET_H) % 24


def _name(chance: random.Random) -> str:
    return f"{chance.choice(riyadh.FIRST_NAMES)} {chance.choice(riyadh.FAMILY_NAMES)}"


def _point_in(district: District, chance: random.Random) -> Point:
    """Anywhere in the district, the middle as likely as the rim."""
    distance_m = district.radius_m * math.sqrt(chance.random())
    bearing = chance.uniform(0, 2 * math.pi)
    return _moved(district, distance_m, bearing)


def _moved(district: District, distance_m: float, bearing: float) -> Point:
    lat = district.lat + distance_m * math.cos(bearing) / _M_PER_DEGREE
    east_m = distance_m * math.sin(bearing)
    lng = district.lng + east_m / (_M_PER_DEGREE * math.cos(math.radians(district.lat)))
    return Point(lat=lat, lng=lng)


def _metres(a: Point, b: Point) -> float:
    """Near enough for choosing a shop."""
    east = (b.lng - a.lng) * math.cos(math.radians(a.lat))
    return math.hypot(b.lat - a.lat, east) * _M_PER_DEGREE


def _cells(districts: tuple[District, ...]) -> tuple[CellId, ...]:
    """Every district with its rim, and one ring around them."""
    covered: set[CellId] = set()
    for district in districts:
        rim = [_moved(district, district.radius_m, turn * math.pi / 6) for turn in range(12)]
        inside = {*cells_in_polygon(rim, _ZONE_RESOLUTION)}
        inside |= {cell_at(one, _ZONE_RESOLUTION) for one in rim}
        for cell in inside:
            covered |= disk(cell, 1)
    return tuple(sorted(covered))
