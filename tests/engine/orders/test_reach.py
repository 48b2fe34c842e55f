"""What must hold of the price of a gift whose address nobody knows."""

from hypothesis import given
from hypothesis import strategies as st

from engine.geo.cells import boundary_of, centre_of
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Points, VehicleKind, travel_times
from engine.kernel.ids import QuoteId, UserId
from engine.kernel.place import Point
from engine.kernel.timing import HOUR_MS
from engine.orders.order import Window
from engine.orders.quote import Way, Wishes, quote
from engine.orders.reach import price_range
from engine.orders.surge import Pressure
from engine.pricing.lines import PriceLine
from tests.builders import NOON, SHOP, a_zone, new_id

TARIFF = ZoneParameters(fee_base_halalas=900, fee_per_km_halalas=120, surge_max_percent=180)
GOODS = (PriceLine(name="Oud", unit_halalas=33_333),)
parameters = st.builds(
    ZoneParameters,
    fee_base_halalas=st.integers(0, 2000),
    fee_per_km_halalas=st.integers(0, 300),
    fee_scheduled_percent=st.integers(50, 150),
    surge_max_halalas=st.integers(0, 3000),
)


@given(st.data(), parameters)
def test_with_the_most_any_door_of_the_zone_is_paid_whenever_it_is(
    data: st.DataObject, tariff: ZoneParameters
) -> None:
    zone = a_zone(parameters=tariff)
    cell = data.draw(st.sampled_from(zone.cells))
    door = data.draw(st.sampled_from((*boundary_of(cell), centre_of(cell))))
    window = data.draw(
        st.sampled_from((None, Window(start=NOON + HOUR_MS, end=NOON + 2 * HOUR_MS)))
    )
    vehicles = data.draw(st.sampled_from(((), (VehicleKind.CAR,))))
    wishes = Wishes(goods=GOODS, vehicles=vehicles, window=window)
    ends = Points.of([SHOP]), Points.of([door])
    route_m = float(travel_times(tariff.travel).metres(*ends)[0])
    busy = data.draw(st.integers(0, 5000))
    quoted = quote(
        zone,
        quote_id=QuoteId(new_id()),
        customer_id=UserId(new_id()),
        way=Way(shop=SHOP, door=door, route_m=route_m, travel_s=60),
        preparation_s=0,
        wishes=wishes,
        pressure=Pressure(waiting=busy, available=1, percent=100.0 * busy, at=NOON),
        now=NOON,
    )
    priced = price_range(zone, SHOP, wishes)
    assert priced.least_halalas <= quoted.total_halalas <= priced.most_halalas


def test_a_wider_zone_costs_more_at_most_and_the_same_at_least() -> None:
    zone = a_zone(parameters=TARIFF)
    far = Point(lat=SHOP.lat + 0.2, lng=SHOP.lng)
    near, away = (price_range(zone, shop, Wishes(goods=GOODS)) for shop in (SHOP, far))
    assert near.least_halalas == away.least_halalas
    assert near.most_halalas < away.most_halalas
