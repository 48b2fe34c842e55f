"""What must hold of prices and promises."""

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.kernel.ids import QuoteId, UserId
from engine.kernel.timing import HOUR_MS, SECOND_MS
from engine.orders.order import Window
from engine.orders.quote import (
    QUOTE_VALID_MS,
    Punctuality,
    Quote,
    Way,
    Wishes,
    again,
    order_id_of,
    quote,
)
from engine.orders.surge import Pressure
from engine.pricing.lines import PriceLine, vat_on
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
    assert price.distance_m == math.ceil(route_m)


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


WAY = Way(shop=SHOP, door=DOOR, route_m=3000.0, travel_s=600)
LATER = Window(start=NOON + HOUR_MS, end=NOON + 2 * HOUR_MS)
ONLY_BY_CAR = Wishes(vehicles=(VehicleKind.CAR,))
CROWDED = Pressure(waiting=30, available=10, percent=300.0, at=NOON)
TARIFF = ZoneParameters(
    fee_base_halalas=1000,
    fee_per_km_halalas=100,
    fee_car_percent=150,
    fee_scheduled_percent=80,
    surge_from_percent=100,
    surge_full_percent=300,
    surge_max_percent=200,
    surge_max_halalas=900,
)
ZONE = a_zone(parameters=TARIFF)


def quoted(
    wishes: Wishes, *, pressure: Pressure | None = None, punctuality: Punctuality | None = None
) -> Quote:
    return quote(
        ZONE,
        quote_id=QuoteId(new_id()),
        customer_id=UserId(new_id()),
        way=WAY,
        preparation_s=600,
        wishes=wishes,
        pressure=pressure,
        punctuality=punctuality,
        now=NOON,
    )


@pytest.mark.parametrize(
    ("wishes", "pressure", "fee"),
    [
        (Wishes(), None, 1300),
        (ONLY_BY_CAR, None, 1950),
        (Wishes(vehicles=(VehicleKind.CAR, VehicleKind.MOTORCYCLE)), None, 1300),
        (Wishes(window=LATER), None, 1040),
        (Wishes(window=LATER), CROWDED, 1040),
        (Wishes(), Pressure(waiting=2, available=1, percent=150.0, at=NOON), 1625),
        (Wishes(), CROWDED, 2200),
        (ONLY_BY_CAR, CROWDED, 2850),
    ],
)
def test_vehicle_window_and_surge_make_the_fee_and_surge_has_a_cap(
    wishes: Wishes, pressure: Pressure | None, fee: int
) -> None:
    assert quoted(wishes, pressure=pressure).fee_halalas == fee


def test_what_is_sold_is_on_the_quote_line_by_line_with_the_delivery() -> None:
    made = quoted(Wishes(goods=(PriceLine(name="Roses", unit_halalas=11500, includes_vat=True),)))
    assert [one.line.name for one in made.lines] == ["Roses", "delivery"]
    assert [one.net_halalas for one in made.lines] == [10000, 1300]
    assert (made.vat_halalas, made.total_halalas) == (1695, 11500 + 1300 + 195)


wished = st.builds(
    Wishes,
    goods=st.lists(
        st.builds(
            PriceLine,
            name=st.text(max_size=5),
            quantity=st.integers(1, 20),
            unit_halalas=st.integers(0, 10**7),
            includes_vat=st.booleans(),
        ),
        max_size=4,
    ).map(tuple),
    vehicles=st.sampled_from([(), (VehicleKind.CAR,), tuple(VehicleKind)]),
    window=st.sampled_from([None, LATER]),
)
pressed = st.none() | st.builds(
    Pressure,
    waiting=st.just(1),
    available=st.just(1),
    percent=st.floats(0, 1000),
    at=st.just(NOON),
)
late = st.none() | st.builds(
    Punctuality, p50_s=st.integers(-3600, 0), p90_s=st.integers(0, 3600), samples=st.integers(0, 99)
)


@given(wished, pressed, late, st.floats(0, 500_000))
def test_a_quote_is_reproduced_from_what_is_stored_of_it(
    wishes: Wishes, pressure: Pressure | None, punctuality: Punctuality | None, route_m: float
) -> None:
    made = quote(
        ZONE,
        quote_id=QuoteId(new_id()),
        customer_id=UserId(new_id()),
        way=Way(shop=SHOP, door=DOOR, route_m=route_m, travel_s=600),
        preparation_s=600,
        wishes=wishes,
        pressure=pressure,
        punctuality=punctuality,
        now=NOON,
    )
    kept = msgspec.json.decode(msgspec.json.encode(made), type=Quote)
    assert again(kept, ZONE) == made
    assert made.quoted_at <= made.expected_at <= made.likely_by
    net = sum(one.net_halalas for one in made.lines)
    assert net + made.vat_halalas + made.rounding_halalas == made.total_halalas


def test_the_arrival_is_expected_as_the_zone_was_lately() -> None:
    unknown = quoted(Wishes())
    least_at = NOON + (600 + 180 + 600 + 180) * SECOND_MS
    assert unknown.expected_at == (least_at + unknown.promised_at) // 2
    assert unknown.likely_by == unknown.promised_at
    few = quoted(Wishes(), punctuality=Punctuality(p50_s=-60, p90_s=600, samples=19))
    assert (few.expected_at, few.likely_by) == (unknown.expected_at, unknown.likely_by)
    known = quoted(Wishes(), punctuality=Punctuality(p50_s=-60, p90_s=600, samples=20))
    assert known.expected_at == known.promised_at - 60 * SECOND_MS
    assert known.likely_by == known.promised_at + 600 * SECOND_MS
    early = quoted(Wishes(), punctuality=Punctuality(p50_s=-9999, p90_s=-9000, samples=20))
    assert (early.expected_at, early.likely_by) == (least_at, least_at)
    later = quoted(Wishes(window=LATER))
    assert (later.likely_by, later.promised_at) == (LATER.end, LATER.end)


def test_a_quote_has_one_order_to_become() -> None:
    one, two = QuoteId(new_id()), QuoteId(new_id())
    assert order_id_of(one) == order_id_of(one) != order_id_of(two)
