"""Days and their times in Saudi Arabia: prayers by the sun, Hijri dates by arithmetic, occasions.

Prayer times follow the method of Umm al-Qura (dawn at 18.5 degrees, night 90 minutes after sunset).
The arithmetic calendar is within a day of the announced one.
"""

import math
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from engine.kernel.place import Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant

RAMADAN, SHAWWAL, DHU_AL_HIJJAH = 9, 10, 12
_DAWN_DEG, _SUNSET_DEG = 18.5, 0.833
_NIGHT_MS, _NIGHT_IN_RAMADAN_MS = 90 * MINUTE_MS, 120 * MINUTE_MS
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_J2000_ORDINAL: Final = date(2000, 1, 1).toordinal()
# The first day of the Hijri calendar as a proleptic Gregorian ordinal.
_HIJRI_EPOCH: Final = 227_015
_DAY_MS = 24 * HOUR_MS


class HijriDate(NamedTuple):
    """A date of the Islamic calendar."""

    year: int
    month: int
    day: int


class PrayerTimes(NamedTuple):
    """When the calls to the five prayers of one local day are, as instants."""

    fajr: Instant
    dhuhr: Instant
    asr: Instant
    maghrib: Instant
    isha: Instant


def local_day(at: Instant, utc_offset_h: int) -> date:
    """The date on the wall."""
    return (datetime.fromtimestamp(at / 1000, UTC) + timedelta(hours=utc_offset_h)).date()


def local_hour(at: Instant, utc_offset_h: int) -> int:
    """The hour on the wall, 0 to 23."""
    return (at // HOUR_MS + utc_offset_h) % 24


def hijri(day: date) -> HijriDate:
    """The date by the arithmetic calendar."""
    fixed = day.toordinal()
    year = (30 * (fixed - _HIJRI_EPOCH) + 10_646) // 10_631
    month = (11 * (fixed - _hijri_ordinal(year, 1)) + 330) // 325
    return HijriDate(year, month, fixed - _hijri_ordinal(year, month) + 1)


def _hijri_ordinal(year: int, month: int) -> int:
    days_before = 29 * (month - 1) + (6 * month - 1) // 11 + (year - 1) * 354
    return _HIJRI_EPOCH + days_before + (3 + 11 * year) // 30


@lru_cache(maxsize=512)
def prayer_times(day: date, place: Point, utc_offset_h: int) -> PrayerTimes:
    """The prayers of a local day at a place (between the polar circles), to a minute or two."""
    declination, equation_h = _sun(day.toordinal() - _J2000_ORDINAL)
    noon_h = 12 + utc_offset_h - place.lng / 15 - equation_h

    def hours_from_noon(altitude_deg: float) -> float:
        lat = math.radians(place.lat)
        top = math.sin(math.radians(altitude_deg)) - math.sin(lat) * math.sin(declination)
        return math.degrees(math.acos(top / (math.cos(lat) * math.cos(declination)))) / 15

    shadow = 1 + math.tan(abs(math.radians(place.lat) - declination))
    midnight = (day.toordinal() - _EPOCH_ORDINAL) * _DAY_MS - utc_offset_h * HOUR_MS

    def at(hour: float) -> Instant:
        return midnight + round(hour * HOUR_MS)

    maghrib = at(noon_h + hours_from_noon(-_SUNSET_DEG))
    is_ramadan = hijri(day).month == RAMADAN
    return PrayerTimes(
        fajr=at(noon_h - hours_from_noon(-_DAWN_DEG)),
        dhuhr=at(noon_h),
        asr=at(noon_h + hours_from_noon(math.degrees(math.atan(1 / shadow)))),
        maghrib=maghrib,
        isha=maghrib + (_NIGHT_IN_RAMADAN_MS if is_ramadan else _NIGHT_MS),
    )


def _sun(days: int) -> tuple[float, float]:
    """The sun's declination in radians and the equation of time in hours, by its mean orbit."""
    anomaly = math.radians(357.529 + 0.98560028 * days)
    mean_deg = (280.459 + 0.98564736 * days) % 360
    longitude = math.radians(mean_deg + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439 - 0.00000036 * days)
    ascension_h = (
        math.degrees(math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))) / 15
    )
    equation_h = (mean_deg / 15 - ascension_h + 12) % 24 - 12
    return math.asin(math.sin(tilt) * math.sin(longitude)), equation_h


def occasion(day: date) -> tuple[str, float]:
    """What people give gifts for on a day, and how many times the usual number of gifts."""
    if found := _FIXED.get((day.month, day.day)):
        return found
    islamic = hijri(day)
    return _ISLAMIC.get((islamic.month, islamic.day), ("", 1.0))


_FIXED: Final = {
    (2, 13): ("Valentine's Day", 1.5),
    (2, 14): ("Valentine's Day", 2.4),
    (2, 22): ("Founding Day", 1.2),
    (3, 20): ("Mother's Day", 1.3),
    (3, 21): ("Mother's Day", 1.9),
    (9, 23): ("National Day", 1.3),
}
_ISLAMIC: Final = {
    (RAMADAN, 29): ("Eid al-Fitr", 1.7),
    (RAMADAN, 30): ("Eid al-Fitr", 1.9),
    (SHAWWAL, 1): ("Eid al-Fitr", 2.2),
    (SHAWWAL, 2): ("Eid al-Fitr", 1.7),
    (SHAWWAL, 3): ("Eid al-Fitr", 1.3),
    (DHU_AL_HIJJAH, 9): ("Eid al-Adha", 1.4),
    (DHU_AL_HIJJAH, 10): ("Eid al-Adha", 1.7),
    (DHU_AL_HIJJAH, 11): ("Eid al-Adha", 1.5),
}
