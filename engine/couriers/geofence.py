"""Whether a courier is at a place: entered, dwelt, left, also between two fixes."""

import math
from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.couriers.fixes import Fix
from engine.kernel.place import EARTH_RADIUS_M, Point
from engine.kernel.timing import MINUTE_MS, Instant

_M_PER_DEGREE: Final = EARTH_RADIUS_M * math.pi / 180


class FenceEvent(StrEnum):
    """What happens at a geofence."""

    ENTERED = "entered"
    DWELT = "dwelt"
    LEFT = "left"


class Geofence(Struct, frozen=True, kw_only=True):
    """A circle: within `radius_m` one has entered, beyond `leave_m` one has left."""

    centre: Point
    radius_m: float = 80.0
    leave_m: float = 120.0
    dwell_ms: int = MINUTE_MS


class Stay(Struct, frozen=True, kw_only=True):
    """Since when somebody is within a geofence, and whether that was told to be long."""

    since: Instant
    has_dwelt: bool = False


class Crossing(Struct, frozen=True, kw_only=True):
    """One event and its instant, which may lie between two fixes."""

    event: FenceEvent
    at: Instant


def observe(
    fence: Geofence, stay: Stay | None, last: Fix | None, fix: Fix
) -> tuple[Stay | None, tuple[Crossing, ...]]:
    """The stay after a fix, and what happened since the one before it (`last`).

    A fix that is less accurate than the circle is large neither enters nor passes it, and one
    leaves only when his whole circle of doubt is outside: who stands at the edge does not flicker.
    """
    way = _Way(fence, last or fix, fix)
    if stay is not None:
        return _inside(fence, stay, way, fix)
    if fix.accuracy_m > fence.radius_m:
        return None, ()
    crossed = way.crossed(fence.radius_m)
    if way.end_m <= fence.radius_m:
        entered = Stay(since=crossed[0] if crossed else fix.at)
        return _dwell(fence, entered, fix.at, (_crossing(FenceEvent.ENTERED, entered.since),))
    if crossed is None or last is None or last.accuracy_m > fence.radius_m:
        return None, ()
    stay, crossings = _dwell(
        fence, Stay(since=crossed[0]), crossed[1], (_crossing(FenceEvent.ENTERED, crossed[0]),)
    )
    return None, (*crossings, _crossing(FenceEvent.LEFT, crossed[1]))


def _inside(
    fence: Geofence, stay: Stay, way: "_Way", fix: Fix
) -> tuple[Stay | None, tuple[Crossing, ...]]:
    if way.end_m - fix.accuracy_m <= fence.leave_m:
        return _dwell(fence, stay, fix.at, ())
    crossed = way.crossed(fence.radius_m)
    left_at = max(stay.since, crossed[1] if crossed else way.begins_at)
    _, crossings = _dwell(fence, stay, left_at, ())
    return None, (*crossings, _crossing(FenceEvent.LEFT, left_at))


def _dwell(
    fence: Geofence, stay: Stay, until: Instant, before: tuple[Crossing, ...]
) -> tuple[Stay, tuple[Crossing, ...]]:
    dwelt_at = stay.since + fence.dwell_ms
    if stay.has_dwelt or until < dwelt_at:
        return stay, before
    return Stay(since=stay.since, has_dwelt=True), (*before, _crossing(FenceEvent.DWELT, dwelt_at))


def _crossing(event: FenceEvent, at: Instant) -> Crossing:
    return Crossing(event=event, at=at)


class _Way:
    """A straight line between two fixes, in metres around the centre of a geofence."""

    def __init__(self, fence: Geofence, begin: Fix, end: Fix) -> None:
        self.begins_at, self._ends_at = begin.at, end.at
        self._x, self._y = _metres(fence.centre, begin)
        end_x, end_y = _metres(fence.centre, end)
        self._dx, self._dy = end_x - self._x, end_y - self._y
        self.end_m = math.hypot(end_x, end_y)

    def crossed(self, radius_m: float) -> tuple[Instant, Instant] | None:
        """When the line is first and last within the circle, or None when it never is."""
        a = self._dx**2 + self._dy**2
        b = self._x * self._dx + self._y * self._dy
        c = self._x**2 + self._y**2 - radius_m**2
        root = b * b - a * c
        if a == 0 or root < 0:
            return None
        first, last = (-b - math.sqrt(root)) / a, (-b + math.sqrt(root)) / a
        if last < 0 or first > 1:
            return None
        return self._instant(max(first, 0.0)), self._instant(min(last, 1.0))

    def _instant(self, share: float) -> Instant:
        return self.begins_at + round(share * (self._ends_at - self.begins_at))


def _metres(centre: Point, fix: Fix) -> tuple[float, float]:
    """East and north of a centre; exact enough over a few kilometres."""
    east = (fix.lng - centre.lng) * math.cos(math.radians(centre.lat)) * _M_PER_DEGREE
    return east, (fix.lat - centre.lat) * _M_PER_DEGREE
