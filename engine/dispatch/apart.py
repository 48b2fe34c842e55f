"""How far shops are from each other: kept, for shops stay where they are."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.geo.travel import Points, TravelProfile, by_car_s
from engine.kernel.place import Point
from engine.kernel.timing import HOUR_MS, Instant

# Shops known at a time; with more the table begins anew.
KNOWN_MAX: Final = 1000
_TABLES_MAX: Final = 8
Seconds = NDArray[np.int64]


def apart_s(profile: TravelProfile, shops: Sequence[Point], at: Instant) -> Seconds:
    """Seconds by car from every shop to every other in this hour; only new ones are looked up."""
    return _table(profile, at - at % HOUR_MS).between(shops)


class _Table:
    """The ways between all shops that were asked for in an hour."""

    def __init__(self, profile: TravelProfile, hour: Instant) -> None:
        self._profile, self._hour = profile, hour
        self._forget()

    def _forget(self) -> None:
        self._number: dict[Point, int] = {}
        self._seconds: Seconds = np.zeros((0, 0), dtype=np.int64)

    def between(self, shops: Sequence[Point]) -> Seconds:
        new = [one for one in shops if one not in self._number]
        if new and len(self._number) + len(new) > KNOWN_MAX:
            self._forget()
            new = list(shops)
        if new:
            self._learn(list(dict.fromkeys(new)))
        at = [self._number[one] for one in shops]
        return self._seconds[np.ix_(at, at)]

    def _learn(self, new: list[Point]) -> None:
        known = len(self._number)
        self._number.update({one: known + n for n, one in enumerate(new)})
        points, count = Points.of(list(self._number)), len(self._number)
        seconds = np.zeros((count, count), dtype=np.int64)
        seconds[:known, :known] = self._seconds
        profile, hour = self._profile, self._hour
        seconds[known:] = by_car_s(profile, points[known:], points, at=hour)
        seconds[:known, known:] = by_car_s(profile, points[:known], points[known:], at=hour)
        self._seconds = seconds


@lru_cache(maxsize=_TABLES_MAX)
def _table(profile: TravelProfile, hour: Instant) -> _Table:
    return _Table(profile, hour)
