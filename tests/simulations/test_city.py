"""The generated city: the same from the same seed, and plausible."""

from itertools import islice, pairwise

import pytest

from engine.geo.bounds import faults_in
from engine.geo.cells import cell_at
from engine.kernel.place import distance_m
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from simulations.city import City, day_part
from simulations.demand import mean_demand
from simulations.riyadh import RIYADH

EVENING = 1_767_258_000_000 + 8 * HOUR_MS  # 20:00 in Riyadh


def test_the_same_seed_gives_the_same_city() -> None:
    def told(seed: int) -> object:
        city = City(seed)
        couriers = city.couriers(40, on_at=EVENING, spread_ms=60_000)
        orders = list(islice(city.orders(EVENING, per_hour=300, at_once=3), 50))
        return city.shops, couriers, orders

    assert told(7) == told(7)
    assert told(7) != told(8)


def test_every_place_lies_in_the_zone() -> None:
    city = City(1)
    covered = set(city.zone().cells)
    orders = list(islice(city.orders(EVENING, per_hour=300), 300))
    couriers = city.couriers(300, on_at=EVENING, spread_ms=0)
    places = [one.shop.point for one in orders] + [one.door.point for one in orders]
    places += [one.start for one in couriers]
    assert all(cell_at(one, 7) in covered for one in places)


def test_orders_come_one_after_the_other_at_about_the_rate_that_was_asked_for() -> None:
    orders = list(islice(City(3).orders(EVENING, per_hour=600, run="x"), 1500))
    assert all(a.placed_at <= b.placed_at for a, b in pairwise(orders))
    assert len({one.key for one in orders}) == 1500
    expected = 600 * mean_demand(RIYADH, EVENING, EVENING + HOUR_MS)
    within = [one for one in orders if one.placed_at < EVENING + HOUR_MS]
    assert len(within) == pytest.approx(expected, rel=0.1)


def test_the_first_orders_can_come_at_once() -> None:
    orders = list(islice(City(3).orders(EVENING, per_hour=60, at_once=12), 12))
    assert {one.placed_at for one in orders} == {EVENING}


def test_a_gift_needs_the_time_that_its_kind_of_shop_needs() -> None:
    for order in islice(City(5).orders(EVENING, per_hour=600), 200):
        assert MINUTE_MS <= order.ready_at - order.placed_at <= 45 * MINUTE_MS
        assert 1 <= order.gift.size_units <= 3
        assert distance_m(order.shop.point, order.door.point) < 30_000


def test_couriers_come_on_duty_one_after_the_other() -> None:
    couriers = City(5).couriers(100, on_at=EVENING, spread_ms=10_000)
    assert couriers[0].on_at == EVENING
    assert all(a.on_at <= b.on_at for a, b in pairwise(couriers))
    assert couriers[-1].on_at < EVENING + 10_000
    assert len({one.key for one in couriers}) == 100


@pytest.mark.parametrize(("hour", "part"), [(3, 3), (8, 0), (13, 1), (20, 2), (23, 3)])
def test_the_parts_of_the_day_follow_the_hour(hour: int, part: int) -> None:
    assert day_part(hour) == part


@pytest.mark.parametrize("pace", [0.5, 1, 10, 60, 3600])
def test_the_zone_s_parameters_are_in_bounds_however_fast_time_runs(pace: float) -> None:
    parameters = City(1).zone(pace=pace).parameters
    assert faults_in(parameters) == []
