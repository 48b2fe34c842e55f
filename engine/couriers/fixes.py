"""Which of a phone's fixes are believed: what cannot be, or says too little, is dropped by name."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.kernel.place import Point, distance_m, is_on_earth
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant

FUTURE_MS_MAX: Final = 30 * SECOND_MS
STALE_MS: Final = 10 * MINUTE_MS
# Beyond the first a fix says nothing; beyond the second it says less than a better one that is
# younger than the third.
ACCURACY_M_MAX: Final = 1_000.0
VAGUE_M: Final = 100.0
VAGUE_MS: Final = MINUTE_MS
# 200 km/h, and what two receivers that say nothing of their accuracy may be wrong by.
SPEED_M_PER_S_MAX: Final = 200 / 3.6
SLACK_M: Final = 50.0
# So near each other, each way, that the slack covers it; most fixes are, and need no sine.
_NEAR_DEGREES: Final = 0.0003


class Fix(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a phone was at an instant: WGS 84 degrees, metres.

    `is_mock` says that the place came from another app and not from the receiver.
    """

    lat: float
    lng: float
    at: Instant
    accuracy_m: float
    is_mock: bool = False

    @property
    def point(self) -> Point:
        """The place alone."""
        return Point(lat=self.lat, lng=self.lng)


class FixFault(StrEnum):
    """Why a fix is dropped."""

    OFF_EARTH = "off_earth"
    FUTURE = "future"
    STALE = "stale"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE = "duplicate"
    INACCURATE = "inaccurate"
    IMPOSSIBLE_SPEED = "impossible_speed"
    UNEXPECTED = "unexpected"


class Track(Struct, frozen=True, kw_only=True):
    """The newest fix that is believed, and one after it that was too far away to be."""

    newest: Fix
    doubted: Fix | None = None


def follow(track: Track | None, fix: Fix, *, now: Instant) -> tuple[Track | None, FixFault | None]:
    """The track with a fix, or as it was with the fault.

    Which of two fixes far apart is wrong cannot be known: the second is doubted, and believed when
    a third agrees with it.
    """
    fault = _fault_alone(fix, now)
    if fault is not None or track is None:
        return (track, fault) if fault else (Track(newest=fix), None)
    fault = _fault_after(track.newest, fix)
    if fault is FixFault.IMPOSSIBLE_SPEED:
        doubted = track.doubted
        if doubted is not None and fix.at > doubted.at and is_reachable(doubted, fix):
            return Track(newest=fix), None
        return Track(newest=track.newest, doubted=fix), fault
    return (track, fault) if fault else (Track(newest=fix), None)


def is_reachable(a: Fix, b: Fix) -> bool:
    """Whether one can have gone from one fix to a later one at no more than 200 km/h."""
    if abs(a.lat - b.lat) < _NEAR_DEGREES and abs(a.lng - b.lng) < _NEAR_DEGREES:
        return True
    way_m = distance_m(a.point, b.point) - a.accuracy_m - b.accuracy_m - SLACK_M
    return way_m <= SPEED_M_PER_S_MAX * (b.at - a.at) / SECOND_MS


def _fault_alone(fix: Fix, now: Instant) -> FixFault | None:
    if not is_on_earth(fix.lat, fix.lng):
        return FixFault.OFF_EARTH
    if fix.at > now + FUTURE_MS_MAX:
        return FixFault.FUTURE
    if fix.at < now - STALE_MS:
        return FixFault.STALE
    return None if 0 <= fix.accuracy_m <= ACCURACY_M_MAX else FixFault.INACCURATE


def _fault_after(newest: Fix, fix: Fix) -> FixFault | None:
    if fix.at == newest.at:
        return FixFault.DUPLICATE
    if fix.at < newest.at:
        return FixFault.OUT_OF_ORDER
    is_better_known = newest.accuracy_m < fix.accuracy_m and fix.at - newest.at < VAGUE_MS
    if fix.accuracy_m > VAGUE_M and is_better_known:
        return FixFault.INACCURATE
    return None if is_reachable(newest, fix) else FixFault.IMPOSSIBLE_SPEED
