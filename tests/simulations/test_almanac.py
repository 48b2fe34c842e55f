"""Days and their times in Saudi Arabia."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.place import Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from simulations.almanac import HijriDate, hijri, local_day, local_hour, occasion, prayer_times
from simulations.city import CITIES
from simulations.demand import (
    MOST,
    demand_at,
    iftar,
    mean_demand,
    pace_at,
    prayer_ends_at,
)
from simulations.jeddah import JEDDAH
from simulations.riyadh import RIYADH

DAYS = st.dates(min_value=date(2024, 1, 1), max_value=date(2034, 12, 31))
MECCA = Point(lat=21.4225, lng=39.8262)


def clock(at: int) -> str:
    return (datetime.fromtimestamp(at / 1000, UTC) + timedelta(hours=3)).strftime("%H:%M")


def instant(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+03:00").timestamp() * 1000)


def within_minutes(told: str, expected: str, minutes: int) -> bool:
    a, b = (int(one[:2]) * 60 + int(one[3:]) for one in (told, expected))
    return abs(a - b) <= minutes


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # The announced first days, of which arithmetic may be one off.
        (date(2024, 3, 11), HijriDate(1445, 9, 1)),
        (date(2025, 3, 30), HijriDate(1446, 10, 1)),
        (date(2026, 3, 20), HijriDate(1447, 10, 1)),
        (date(2026, 5, 27), HijriDate(1447, 12, 10)),
        (date(2026, 6, 16), HijriDate(1448, 1, 1)),
    ],
)
def test_hijri_dates_are_within_a_day_of_the_announced(day: date, expected: HijriDate) -> None:
    assert expected in {hijri(day + timedelta(days=off)) for off in (-1, 0, 1)}


@given(DAYS)
def test_the_next_day_is_the_next_hijri_day(day: date) -> None:
    today, tomorrow = hijri(day), hijri(day + timedelta(days=1))
    assert 1 <= today.day <= 30
    assert tomorrow.day == today.day + 1 or (tomorrow.day == 1 and today.day >= 29)


def test_prayers_at_an_equinox_are_as_the_sun_has_it() -> None:
    found = prayer_times(date(2026, 3, 20), MECCA, 3)
    told = [clock(one) for one in found[1:]]
    for one, other in zip(told, ("12:28", "15:52", "18:32", "20:02"), strict=True):
        assert within_minutes(one, other, 4), told
    sunrise = 2 * found.dhuhr - found.maghrib
    assert 70 * MINUTE_MS < sunrise - found.fajr < 90 * MINUTE_MS


@given(DAYS, st.sampled_from([RIYADH.middle, JEDDAH.middle]))
def test_prayers_come_in_their_order_on_their_day(day: date, place: Point) -> None:
    found = prayer_times(day, place, 3)
    assert list(found) == sorted(found)
    assert {local_day(one, 3) for one in found} == {day}
    assert {local_hour(found.dhuhr, 3)} <= {11, 12}


def test_many_more_gifts_are_ordered_on_an_occasion() -> None:
    assert occasion(date(2026, 2, 14)) == ("Valentine's Day", 2.4)
    assert occasion(date(2026, 3, 20))[0] in {"Eid al-Fitr", "Mother's Day"}
    assert occasion(date(2026, 5, 5)) == ("", 1.0)
    plain, feast = instant("2026-02-07T20:30"), instant("2026-02-14T20:30")
    assert demand_at(RIYADH, feast) == pytest.approx(2.4 * demand_at(RIYADH, plain))


def test_at_iftar_nobody_orders_and_the_roads_are_empty() -> None:
    sunset = iftar(RIYADH, instant("2026-03-03T12:00"))
    evening = demand_at(RIYADH, sunset + 4 * HOUR_MS)
    assert demand_at(RIYADH, sunset + MINUTE_MS) < evening / 4
    assert pace_at(RIYADH, sunset - 10 * MINUTE_MS) < 1 < pace_at(RIYADH, sunset + MINUTE_MS)
    assert pace_at(RIYADH, sunset + 3 * HOUR_MS) == 1


def test_shops_open_again_after_a_prayer() -> None:
    found = prayer_times(date(2026, 1, 7), RIYADH.middle, 3)
    assert prayer_ends_at(RIYADH, found.asr + MINUTE_MS) == found.asr + 20 * MINUTE_MS
    assert prayer_ends_at(RIYADH, found.asr - MINUTE_MS) == found.asr - MINUTE_MS
    quiet, busy = found.asr + MINUTE_MS, found.asr + 21 * MINUTE_MS
    assert demand_at(RIYADH, quiet) < demand_at(RIYADH, busy)


@given(st.integers(min_value=instant("2024-01-01T00:00"), max_value=instant("2034-01-01T00:00")))
def test_demand_has_bounds(at: int) -> None:
    for city in CITIES.values():
        assert 0 < demand_at(city, at) <= MOST


def test_the_mean_of_a_day_lies_between_its_hours() -> None:
    since = instant("2026-01-07T00:00")
    hours = [demand_at(RIYADH, since + hour * HOUR_MS) for hour in range(24)]
    assert min(hours) < mean_demand(RIYADH, since, since + 24 * HOUR_MS) < max(hours)
