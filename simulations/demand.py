"""How many gifts people order when, and how the city's day bends: prayers, iftar, occasions."""

from typing import Final

from engine.kernel.timing import MINUTE_MS, Instant
from simulations.almanac import RAMADAN, hijri, local_day, local_hour, occasion, prayer_times
from simulations.atlas import CityData

# No moment of any day has more than this times the orders of the busiest hour of a plain day.
MOST: Final = 4.0
STEP_MS: Final = 5 * MINUTE_MS
# Monday to Sunday: the week ends on Friday.
_WEEKDAY: Final = (1.0, 1.0, 1.0, 1.2, 1.15, 1.0, 1.0)
_IN_RAMADAN: Final = (
    0.90, 0.80, 0.60, 0.30, 0.10, 0.03, 0.02, 0.03, 0.06, 0.12, 0.20, 0.28,
    0.34, 0.40, 0.48, 0.60, 0.72, 0.60, 0.35, 0.55, 0.85, 1.00, 1.00, 0.95,
)  # fmt: skip
_PRAYER_MS: Final = 20 * MINUTE_MS
_IFTAR_MS: Final = 40 * MINUTE_MS
_RUSH_MS: Final = 60 * MINUTE_MS
_AT_PRAYER, _AT_IFTAR = 0.6, 0.25
_RUSH_PACE, _IFTAR_PACE = 0.75, 1.35


def demand_at(city: CityData, at: Instant) -> float:
    """Orders at this moment, against the busiest hour of a plain day; at most `MOST`."""
    offset_h = city.travel.utc_offset_h
    day, hour = local_day(at, offset_h), local_hour(at, offset_h)
    fasting = hijri(day).month == RAMADAN
    hourly = _IN_RAMADAN if fasting else city.demand
    _, times = occasion(day)
    demand = hourly[hour] * times * _WEEKDAY[day.weekday()]
    if fasting and 0 <= at - iftar(city, at) < _IFTAR_MS:
        demand *= _AT_IFTAR
    elif prayer_ends_at(city, at) > at:
        demand *= _AT_PRAYER
    return min(MOST, demand)


def mean_demand(city: CityData, since: Instant, until: Instant) -> float:
    """The mean of `demand_at` from one instant to a later one."""
    steps = range(since, max(until, since + 1), STEP_MS)
    return sum(demand_at(city, at) for at in steps) / len(steps)


def prayer_ends_at(city: CityData, at: Instant) -> Instant:
    """When the shops open again if they are closed for a prayer, else `at` itself."""
    offset_h = city.travel.utc_offset_h
    for began in prayer_times(local_day(at, offset_h), city.middle, offset_h):
        if began <= at < began + _PRAYER_MS:
            return began + _PRAYER_MS
    return at


def iftar(city: CityData, at: Instant) -> Instant:
    """The sunset of this day."""
    offset_h = city.travel.utc_offset_h
    return prayer_times(local_day(at, offset_h), city.middle, offset_h).maghrib


def pace_at(city: CityData, at: Instant) -> float:
    """How much faster people drive than on a plain day: everybody hurries home before iftar."""
    if hijri(local_day(at, city.travel.utc_offset_h)).month != RAMADAN:
        return 1.0
    since = at - iftar(city, at)
    if -_RUSH_MS <= since < 0:
        return _RUSH_PACE
    return _IFTAR_PACE if 0 <= since < _IFTAR_MS else 1.0
