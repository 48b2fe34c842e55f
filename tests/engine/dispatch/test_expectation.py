"""What must hold of what a plan is told of orders to come."""

import pytest

from engine.dispatch.demand import Demand, Forecast
from engine.dispatch.expectation import expected_of, uses_demand
from engine.geo.parameters import ZoneParameters
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from optimizer.problem import Route, Trip
from tests.builders import NOON, a_zone, an_order

PRICED = ZoneParameters(time_price_percent=50, promised_s=2400)
ZONE = a_zone(parameters=PRICED)
NOW = NOON + 10 * MINUTE_MS


def a_forecast(orders: int) -> Forecast:
    demand = Demand(since=NOON)
    for _ in range(orders):
        demand.note(an_order(), now=NOON)
    demand.fade(memory_s=PRICED.demand_memory_s, now=NOW)
    return demand.forecast(memory_s=PRICED.demand_memory_s)


def a_trip(leave_s: int, pickup_s: int, *deliveries_s: int) -> Trip:
    jobs = tuple(f"order {leave_s} {one}" for one in deliveries_s)
    return Trip(group="", jobs=jobs, leave_s=leave_s, pickup_s=pickup_s, deliveries_s=deliveries_s)


ROUTES = (
    Route(vehicle="a", trips=(a_trip(0, 300, 600, 900), a_trip(1000, 1100, 1570))),
    Route(vehicle="b", trips=(a_trip(60, 260, 660),)),
)


def test_an_order_takes_what_it_took_in_the_last_plan() -> None:
    expected = expected_of(ZONE, a_forecast(12), ROUTES, now=NOW)
    assert expected
    # Three trips of four orders to the last door and away from it; the ways to the shops.
    takes_s = 900 + 570 + 600 + 3 * PRICED.door_leave_s
    assert (expected.work_s, expected.approach_s) == (round(takes_s / 4), 200)
    assert expected.promised_s == PRICED.promised_s
    assert expected.seed == NOW // SECOND_MS
    assert sum(expected.preparation) == pytest.approx(1)


def test_as_much_is_expected_as_was_ordered_lately() -> None:
    few, many = (expected_of(ZONE, a_forecast(count), ROUTES, now=NOW) for count in (3, 12))
    assert few
    assert many
    assert many.rate == pytest.approx(4 * few.rate)
    assert many.rate == pytest.approx(12 / 600, rel=0.1)


def test_nothing_is_expected_without_a_price_or_a_plan() -> None:
    unpriced = a_zone(parameters=ZoneParameters())
    assert expected_of(unpriced, a_forecast(12), ROUTES, now=NOW) is None
    assert expected_of(ZONE, a_forecast(12), (), now=NOW) is None
    nothing = expected_of(ZONE, a_forecast(0), ROUTES, now=NOW)
    assert nothing
    assert nothing.rate == 0


@pytest.mark.parametrize(
    ("parameters", "does"),
    [
        (ZoneParameters(), False),
        (ZoneParameters(wait_moves_max=1), True),
        (ZoneParameters(leave_early_s=1), True),
        (ZoneParameters(time_price_percent=1), True),
    ],
)
def test_demand_is_learnt_for_whoever_asks(parameters: ZoneParameters, *, does: bool) -> None:
    assert uses_demand(parameters) is does
