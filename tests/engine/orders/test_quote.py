"""What must hold of prices and promises."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import QuoteId, UserId
from engine.kernel.timing import SECOND_MS
from engine.orders.quote import QUOTE_VALID_MS, Quote, Way, quote, vat_on
from tests.builders import DOOR, NOON, SHOP, a_zone, new_id

seconds = st.integers(0, 3600)


def a_price(
    parameters: ZoneParameters, *, route_m: float = 0.0, travel_s: int = 0, preparation_s: int = 0
) -> Quote:
    return quote(
        a_zone(parameters=parameters),
        quote_id=QuoteId(new_id()),
        customer_id=UserId(new_id()),
        way=Way(shop=SHOP, door=DOOR, route_m=route_m, travel_s=travel_s),
        preparation_s=preparation_s,
        now=NOON,
    )


@pytest.mark.parametrize(
    ("net", "vat"), [(0, 0), (1, 0), (3, 0), (4, 1), (10, 2), (100, 15), (110, 17), (1500, 225)]
)
def test_vat_is_fifteen_per_cent_with_half_a_halala_rounded_up(net: int, vat: int) -> None:
    assert vat_on(net) == vat


@given(st.integers(0, 10**12))
def test_vat_is_exact_to_half_a_halala(net: int) -> None:
    error = vat_on(net) - Fraction(net * 15, 100)
    assert Fraction(-1, 2) < error <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("route_m", "kilometres"),
    [(0.0, 0), (0.5, 1), (999.9, 1), (1000.0, 1), (1000.1, 2), (12_345.6, 13)],
)
def test_each_begun_kilometre_is_charged(route_m: float, kilometres: int) -> None:
    parameters = ZoneParameters(fee_base_halalas=1000, fee_per_km_halalas=150)
    price = a_price(parameters, route_m=route_m)
    assert price.fee_halalas == 1000 + kilometres * 150
    assert price.distance_m == round(route_m)


@given(
    st.integers(0, 1_000_000),
    st.integers(0, 100_000),
    st.floats(0, 500_000, allow_nan=False, allow_infinity=False),
)
def test_the_total_is_the_fee_and_its_vat(base: int, per_km: int, route_m: float) -> None:
    parameters = ZoneParameters(fee_base_halalas=base, fee_per_km_halalas=per_km)
    price = a_price(parameters, route_m=route_m)
    assert price.total_halalas == price.fee_halalas + price.vat_halalas
    assert price.vat_halalas == vat_on(price.fee_halalas)
    assert price.fee_halalas >= base


def test_the_usual_promise_is_the_zones_window() -> None:
    price = a_price(ZoneParameters(promised_s=5400), travel_s=600, preparation_s=600)
    assert price.promised_at == NOON + 5400 * SECOND_MS
    assert (price.quoted_at, price.valid_until) == (NOON, NOON + QUOTE_VALID_MS)
    assert price.zone_parameters_version == 1


parameters_in_bounds = st.builds(
    ZoneParameters,
    shop_service_s=seconds,
    door_service_s=seconds,
    prep_buffer_s=seconds,
    promise_slack_s=st.integers(0, 7200),
    promised_s=st.integers(600, 86_400),
)


@given(parameters_in_bounds, seconds, seconds)
def test_nothing_is_promised_that_cannot_be_kept(
    parameters: ZoneParameters, preparation_s: int, travel_s: int
) -> None:
    price = a_price(parameters, travel_s=travel_s, preparation_s=preparation_s)
    on_the_road_s = parameters.shop_service_s + travel_s + parameters.door_service_s
    least_s = preparation_s + parameters.prep_buffer_s + on_the_road_s
    promise_s = max(parameters.promised_s, least_s + parameters.promise_slack_s)
    assert price.promised_at == NOON + promise_s * SECOND_MS
