"""Travel times: the port, and the default: great circle, detour, speed by vehicle and hour."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import astuple
from numpy.typing import NDArray

from engine.kernel.place import EARTH_RADIUS_M, Point, distance_m
from engine.kernel.timing import HOUR_MS, Instant

Degrees = NDArray[np.float64]
# One, some, some in a row, or all in another shape.
Index: TypeAlias = int | slice | NDArray[np.int64] | tuple[slice | None, ...]
Seconds = NDArray[np.int64]


class VehicleKind(StrEnum):
    """What a courier drives."""

    CAR = "car"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"
    FOOT = "foot"


class Speeds(Struct, frozen=True, kw_only=True):
    """Kilometres an hour on an empty road, one field per kind of vehicle."""

    car: float = 30.0
    motorcycle: float = 34.0
    bicycle: float = 15.0
    foot: float = 5.0


HOURS = 24
SPEED_KMH_MAX = 200.0
# A distance that is a whole number of steps must not round up because of the last bits of a float.
_STEP_TOLERANCE = 1e-5


class TravelProfile(Struct, frozen=True, kw_only=True):
    """How fast a city is.

    The road is `detour` times the great circle, driven at the vehicle's speed times the hour's
    factor (24 factors in the hour of `utc_offset_h`); times are rounded up to `whole_s` seconds.
    """

    detour: float = 1.35
    speeds_kmh: Speeds = Speeds()
    hour_factors: tuple[float, ...] = (1.0,) * HOURS
    utc_offset_h: int = 3
    whole_s: int = 1

    def faults(self) -> list[str]:
        """What is out of bounds, as sentences."""
        found = []
        if not 1 <= self.detour <= 5:
            found.append("travel.detour must be 1 to 5")
        if not all(1 <= v <= SPEED_KMH_MAX for v in astuple(self.speeds_kmh)):
            found.append(f"travel.speeds_kmh must be 1 to {SPEED_KMH_MAX:g}")
        if len(self.hour_factors) != HOURS or not all(0.1 <= f <= 3 for f in self.hour_factors):
            found.append("travel.hour_factors must be 24 numbers of 0.1 to 3")
        if not -12 <= self.utc_offset_h <= 14:
            found.append("travel.utc_offset_h must be -12 to 14")
        if not 1 <= self.whole_s <= 600:
            found.append("travel.whole_s must be 1 to 600")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Many points as columns, with the cosines that each way from or to them asks for.

    lng: degrees; north: radians; flat: the cosine of it.
    """

    lng: Degrees
    north: NDArray[np.float64]
    flat: NDArray[np.float64]

    @staticmethod
    def at(lat: Degrees, lng: Degrees) -> "Points":
        """Of degrees."""
        north = np.radians(lat)
        return Points(lng, north, np.cos(north))

    @staticmethod
    def of(points: Sequence[Point]) -> "Points":
        """The same as columns."""
        lat = np.array([one.lat for one in points], dtype=np.float64)
        return Points.at(lat, np.array([one.lng for one in points], dtype=np.float64))

    def __getitem__(self, index: Index) -> "Points":
        """Some of them, or all in another shape, as numpy takes an index."""
        return Points(self.lng[index], self.north[index], self.flat[index])


class TravelTimes(Protocol):
    """Seconds from places to places at an hour; both broadcast against each other."""

    def seconds(
        self, origins: Points, points: Points, *, vehicle: VehicleKind, at: Instant
    ) -> Seconds:
        """Travel times in seconds, elementwise."""
        ...

    def metres(self, origins: Points, points: Points) -> NDArray[np.float64]:
        """Road metres, elementwise."""
        ...

    def one_s(self, origin: Point, destination: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        """Travel time in seconds of one leg."""
        ...

    def speed_m_s(self, vehicle: VehicleKind, at: Instant) -> float:
        """Metres a second on an average road at that hour."""
        ...


def travel_times(profile: TravelProfile) -> TravelTimes:
    """The travel times that a zone's profile asks for: the one place that chooses them."""
    return GreatCircle(profile)


def by_car_s(profile: TravelProfile, origins: Points, points: Points, *, at: Instant) -> Seconds:
    """Seconds by car from every origin, a row each, to every point."""
    travel = travel_times(profile)
    return travel.seconds(origins[:, None], points, vehicle=VehicleKind.CAR, at=at)


def great_circle_m(origins: Points, points: Points) -> NDArray[np.float64]:
    """Great-circle metres (haversine), elementwise."""
    half_lat = np.sin((points.north - origins.north) / 2)
    half_lng = np.sin(np.radians(points.lng - origins.lng) / 2)
    chord = half_lat**2 + origins.flat * points.flat * half_lng**2
    result: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(1.0, chord)))
    return result


class GreatCircle:
    """The default travel times: they need no data."""

    def __init__(self, profile: TravelProfile) -> None:
        self._profile = profile

    def metres(self, origins: Points, points: Points) -> NDArray[np.float64]:
        """Road metres, elementwise."""
        return great_circle_m(origins, points) * self._profile.detour

    def seconds(
        self, origins: Points, points: Points, *, vehicle: VehicleKind, at: Instant
    ) -> Seconds:
        """Travel times in seconds, elementwise, rounded up to the profile's steps."""
        steps = self.metres(origins, points) / (self.speed_m_s(vehicle, at) * self._profile.whole_s)
        whole: Any = np.ceil(steps - _STEP_TOLERANCE)
        rounded: Seconds = np.maximum(whole, 0).astype(np.int64) * self._profile.whole_s
        return rounded

    def one_s(self, origin: Point, destination: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        """Travel time in seconds of one leg, by the same arithmetic as `seconds`."""
        road_m = distance_m(origin, destination) * self._profile.detour
        steps = road_m / (self.speed_m_s(vehicle, at) * self._profile.whole_s)
        return max(0, math.ceil(steps - _STEP_TOLERANCE)) * self._profile.whole_s

    def speed_m_s(self, vehicle: VehicleKind, at: Instant) -> float:
        """Metres a second on the road at that hour."""
        hour = (at // HOUR_MS + self._profile.utc_offset_h) % HOURS
        speed_kmh: float = getattr(self._profile.speeds_kmh, vehicle.value)
        return speed_kmh / 3.6 * self._profile.hour_factors[hour]
