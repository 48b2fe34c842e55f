"""What must hold of surge: bounded, smooth, and a fee that can be made again from the quote."""

import math

from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import QuoteId, UserId
from engine.kernel.timing import SECOND_MS
from engine.orders.quote import Way, quote
from engine.orders.surge import Pressure, pressure, surge
from tests.builders import DOOR, NOON, SHOP, a_zone, new_id

SURGING = ZoneParameters(surge_from_percent=100, surge_full_percent=300, surge_max_percent=200)
percents = st.floats(0, 1e6, allow_nan=False)


def pressed(percent: float) -> Pressure:
    return Pressure(waiting=1, available=1, percent=percent, at=NOON)


def test_the_fee_rises_evenly_between_the_bounds() -> None:
    told = {one: surge(pressed(one), SURGING).fee_percent for one in (0, 100, 150, 200, 300, 999)}
    assert told == {0: 100, 100: 100, 150: 125, 200: 150, 300: 200, 999: 200}


def test_without_a_zone_parameter_for_it_there_is_no_surge() -> None:
    assert surge(pressed(1e6), ZoneParameters()).fee_percent == 100


def test_a_start_beyond_the_full_surge_is_a_step() -> None:
    steep = ZoneParameters(surge_from_percent=300, surge_full_percent=100, surge_max_percent=150)
    assert [surge(pressed(one), steep).fee_percent for one in (200, 300, 300.1)] == [100, 100, 150]


@given(percents, percents, st.integers(0, 10_000), st.integers(0, 10_000), st.integers(100, 500))
def test_surge_is_bounded_and_never_falls_as_pressure_rises(
    a: float, b: float, low: int, full: int, most: int
) -> None:
    parameters = ZoneParameters(
        surge_from_percent=low, surge_full_percent=full, surge_max_percent=most
    )
    less, more = (surge(pressed(one), parameters).fee_percent for one in sorted((a, b)))
    assert 100 <= less <= more <= most


def test_half_of_a_change_is_followed_in_a_half_life() -> None:
    calm = pressure(None, waiting=0, available=10, half_life_s=300, now=NOON)
    later = NOON + 300 * SECOND_MS
    risen = pressure(calm, waiting=20, available=10, half_life_s=300, now=later)
    assert (calm.percent, risen.percent) == (0.0, 100.0)
    assert pressure(calm, waiting=20, available=10, half_life_s=0, now=later).percent == 200.0
    assert pressure(None, waiting=3, available=0, half_life_s=300, now=NOON).percent == 300.0


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 10**7))),
    st.integers(0, 3600),
)
def test_smoothed_pressure_stays_between_the_least_and_the_most_there_was(
    ticks: list[tuple[int, int, int]], half_life_s: int
) -> None:
    before: Pressure | None = None
    now, seen = NOON, []
    for waiting, available, passed_ms in ticks:
        now += passed_ms
        seen.append(100 * waiting / max(1, available))
        before = pressure(
            before, waiting=waiting, available=available, half_life_s=half_life_s, now=now
        )
        assert min(seen) - 1e-6 <= before.percent <= max(seen) + 1e-6


@given(percents, st.integers(0, 40_000))
def test_a_quote_can_be_made_again_from_what_it_keeps(percent: float, route_m: int) -> None:
    zone = a_zone(parameters=SURGING)
    made = quote(
        zone,
        quote_id=QuoteId(new_id()),
        customer_id=UserId(new_id()),
        way=Way(shop=SHOP, door=DOOR, route_m=route_m, travel_s=600),
        preparation_s=600,
        pressure=pressed(percent),
        now=NOON,
    )
    assert made.surge is not None
    assert surge(made.surge.pressure, SURGING) == made.surge
    kilometres = math.ceil(made.distance_m / 1000)
    tariff = SURGING.fee_base_halalas + kilometres * SURGING.fee_per_km_halalas
    surged = (tariff * made.surge.fee_percent + 50) // 100
    assert made.fee_halalas == min(surged, tariff + SURGING.surge_max_halalas)
    assert made.total_halalas == made.fee_halalas + made.vat_halalas
