"""When everybody is paid: once a week, at an hour in Riyadh."""

from typing import Final

from msgspec import Struct

from engine.kernel.timing import DAY_MS, HOUR_MS, Instant

_WEEK_MS: Final = 7 * DAY_MS
# Riyadh is three hours before UTC all year. The epoch was a Thursday, the fourth day of a week.
_OFFSET_MS: Final = 3 * HOUR_MS
_EPOCH_DAY: Final = 4


class WeeklyTime(Struct, frozen=True, kw_only=True):
    """`day` is 1 for Monday and 7 for Sunday."""

    day: int = 7
    hour: int = 6


def last_weekly(weekly: WeeklyTime, now: Instant) -> Instant:
    """The last such time until now."""
    first = (weekly.day - _EPOCH_DAY) * DAY_MS + weekly.hour * HOUR_MS - _OFFSET_MS
    return now - (now - first) % _WEEK_MS
