"""A generated city: districts, shops, couriers and a stream of orders, all from one seed."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.geo.parameters import ZoneParameters
from engine.geo.travel import GreatCircle, TravelProfile, VehicleKind
from engine.kernel.place import Place, Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import Gift, Recipient
from simulations import atlas
from simulations.almanac import local_day, local_hour, occasion
from simulations.atlas import CityData, ShopKind
from simulations.day import DayCourier, DayOrder, ZonePlan
from simulations.demand import MOST, demand_at, prayer_ends_at
from simulations.districts import cells_by_group, grouped, metres, point_in
from simulations.jeddah import JEDDAH
from simulations.riyadh import RIYADH

CITIES: Final = {"riyadh": RIYADH, "jeddah": JEDDAH}

_SHOPS = 160
_VEHICLES: Final = ((VehicleKind.CAR, 8, 6), (VehicleKind.MOTORCYCLE, 3, 4))
_DAY_PARTS: Final = ((6, 3), (12, 0), (17, 1), (23, 2), (24, 3))
# People choose a shop on the recipient's side of the city.
_NEAR_M = 6_000.0


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop and what it sells."""

    place: Place
    kind: ShopKind


class CityWays:
    """The city's travel times as everybody believes them."""

    def __init__(self, travel: TravelProfile) -> None:
        self._great_circle = GreatCircle(travel)

    def travel_ms(self, origin: Point, to: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        """Milliseconds on the road when leaving at `at`."""
        return self._great_circle.one_s(origin, to, vehicle=vehicle, at=at) * SECOND_MS


class City:
    """A city from a seed: the same seed gives the same shops, couriers and orders."""

    def __init__(self, seed: int, data: CityData = RIYADH, *, shops: int = _SHOPS) -> None:
        self.data = data
        self._chance = random.Random(seed)
        self._districts = data.districts
        self.shops = tuple(self._shop(number) for number in range(shops))
        self._shop_lat = np.array([one.place.point.lat for one in self.shops])
        self._shop_lng = np.array([one.place.point.lng for one in self.shops])
        self.ways = CityWays(data.travel)

    def zone(self, *, pace: float = 1.0) -> ZonePlan:
        """One zone over all districts; when time runs `pace` times faster, decisions are rarer."""
        (found,) = self.zones(1, pace=pace)
        return found

    def zones(self, count: int, *, pace: float = 1.0) -> tuple[ZonePlan, ...]:
        """At most `count` zones of neighbouring districts with about as many couriers each."""
        groups = grouped(self._districts, count)
        parameters = self._parameters(pace)
        if len(groups) == 1:
            names = [(self.data.name_en, self.data.name_ar)]
        else:
            names = [self._name_of(found) for found in groups]
        return tuple(
            ZonePlan(name_en=en, name_ar=ar, cells=cells, parameters=parameters)
            for (en, ar), cells in zip(names, cells_by_group(groups), strict=True)
        )

    def _parameters(self, pace: float) -> ZoneParameters:
        return ZoneParameters(
            tick_s=min(600, math.ceil(2 * pace)),
            offer_timeout_s=min(1800, math.ceil(45 * max(1.0, pace / 4))),
            approach_s_max=2400,
            commit_lead_s=300,
            promised_s=4500,
            shops_apart_m_max=200,
            travel=self.data.travel,
        )

    def _name_of(self, districts: tuple[atlas.District, ...]) -> tuple[str, str]:
        main = max(districts, key=lambda one: one.shops)
        return f"{self.data.name_en}, {main.name_en}", f"{self.data.name_ar}، {main.name_ar}"

    def couriers(self, count: int, *, on_at: Instant, spread_ms: int) -> tuple[DayCourier, ...]:
        """Couriers who come on duty one after the other within `spread_ms`, without a set end."""
        chance = random.Random(self._chance.getrandbits(64))
        found = []
        weights = [one.shops for one in self._districts]
        for number in range(count):
            (district,) = chance.choices(self._districts, weights)
            (vehicle, capacity, _) = chance.choices(_VEHICLES, [one[2] for one in _VEHICLES])[0]
            found.append(
                DayCourier(
                    key=f"courier-{number + 1}",
                    name=_name(chance),
                    start=point_in(district, chance),
                    on_at=on_at + spread_ms * number // max(1, count),
                    off_at=None,
                    vehicle=vehicle,
                    capacity_units=capacity,
                )
            )
        return tuple(found)

    def orders(
        self,
        starts_at: Instant,
        *,
        per_hour: float,
        at_least: float = 0.0,
        at_once: int = 0,
        run: str = "",
    ) -> Iterator[DayOrder]:
        """Orders without end, by placement: a Poisson stream of `per_hour` in a plain busiest hour.

        No hour has less than `at_least` of that. `at_once` more come in the first moment. `run`
        keeps the shops' numbers of one run apart from those of another.
        """
        chance = random.Random(self._chance.getrandbits(64))
        for number in range(at_once):
            yield self._order(f"{run}0-{number + 1}", starts_at, chance)
        at, number = float(starts_at), 0
        while True:
            # Thinning: candidates at the peak rate, of which the hour lets some through.
            at += chance.expovariate(per_hour * MOST) * HOUR_MS
            if chance.random() * MOST < max(at_least, demand_at(self.data, int(at))):
                number += 1
                yield self._order(f"{run}{number}", int(at), chance)

    def _shop(self, number: int) -> Shop:
        chance = self._chance
        (district,) = chance.choices(self._districts, [one.shops for one in self._districts])
        (kind,) = chance.choices(atlas.SHOP_KINDS, [one.weight for one in atlas.SHOP_KINDS])
        return Shop(
            Place(
                point=point_in(district, chance),
                name=f"{kind.name_en} {number + 1}, {district.name_en}",
                address=f"{kind.name_ar}، {district.name_ar}",
            ),
            kind,
        )

    def _order(self, key: str, at: Instant, chance: random.Random) -> DayOrder:
        offset_h = self.data.travel.utc_offset_h
        part = day_part(local_hour(at, offset_h))
        (district,) = chance.choices(self._districts, [one.homes[part] for one in self._districts])
        door = point_in(district, chance)
        shop = self._shop_near(door, chance)
        least, most = shop.kind.ready_min
        # A shop that is closed for a prayer begins when it opens again.
        begins_at = prayer_ends_at(self.data, at)
        of_the_day, _ = occasion(local_day(at, offset_h))
        return DayOrder(
            key=key,
            placed_at=at,
            ready_at=begins_at + int(chance.uniform(least, most) * MINUTE_MS),
            shop=Place(
                point=shop.place.point,
                name=shop.place.name,
                address=shop.place.address,
                notes=key,
            ),
            door=Place(
                point=door,
                name=district.name_en,
                address=f"حي {district.name_ar}، {self.data.name_ar}",
            ),
            gift=Gift(
                description=chance.choice(shop.kind.gifts),
                message="كل عام وأنت بخير" if chance.random() < 0.7 else "",
                occasion=of_the_day or chance.choice(atlas.OCCASIONS),
                hide_sender=chance.random() < 0.1,
                surprise=chance.random() < 0.3,
                size_units=shop.kind.size_units,
            ),
            recipient=Recipient(name=_name(chance)),
        )

    def _shop_near(self, door: Point, chance: random.Random) -> Shop:
        east = (self._shop_lng - door.lng) * math.cos(math.radians(door.lat))
        apart = np.hypot(self._shop_lat - door.lat, east)
        one_m = metres(door, Point(lat=door.lat + 1, lng=door.lng))
        near = np.flatnonzero(apart * one_m < _NEAR_M)
        if not near.size:
            return chance.choice(self.shops)
        return self.shops[int(near[chance.randrange(near.size)])]


def day_part(hour: int) -> int:
    """0 morning, 1 afternoon, 2 evening, 3 night, by the local hour."""
    return next(part for before, part in _DAY_PARTS if hour < before)


def _name(chance: random.Random) -> str:
    return f"{chance.choice(atlas.FIRST_NAMES)} {chance.choice(atlas.FAMILY_NAMES)}"
