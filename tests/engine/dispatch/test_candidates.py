"""What must hold of who could serve an order."""

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier
from engine.dispatch.why import reach_s, why_not
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import GreatCircle, Speeds, TravelProfile, VehicleKind
from engine.kernel.ids import CourierId
from engine.kernel.place import Place, Point
from engine.kernel.timing import SECOND_MS
from engine.orders.order import Gift, Lapse, Lapsed, Order
from tests.builders import CORNER, DOOR, NOON, SHOP, a_courier, a_zone, an_order
from tests.engine.dispatch.ticks import problem_of

ORDER, COURIER = an_order(), a_courier()
COURIERS = [a_courier() for _ in range(12)]
CROWD = [a_courier() for _ in range(200)]
ORDERS = [
    *(an_order() for _ in range(4)),
    an_order(gift=Gift(description="Sofa", size_units=3)),
    an_order(lapsed=(Lapsed(courier_id=CROWD[0].id, reason=Lapse.DECLINED, at=NOON),)),
]

shops = st.builds(Point, lat=st.floats(-60, 60), lng=st.floats(-179, 179))
# Degrees north and east of the shop, seconds until free, and the vehicle.
whereabouts = st.tuples(
    st.floats(-0.2, 0.2),
    st.floats(-0.2, 0.2),
    st.integers(0, 3600),
    st.sampled_from(VehicleKind),
)


def available(courier: Courier, point: Point, *, free_s: int = 0) -> Courier:
    return replace(courier, last_point=point, leaves_at=NOON + free_s * SECOND_MS)


def candidates(
    orders: Sequence[Order], couriers: Sequence[Courier], parameters: ZoneParameters
) -> Mapping[str, tuple[str, ...]]:
    return problem_of(a_zone(parameters=parameters), orders, couriers, now=NOON).candidates


def may_be_asked(order: Order, courier: Courier, parameters: ZoneParameters) -> bool:
    return why_not(order, courier, parameters, NOON) is None


def at_shop(point: Point) -> Order:
    return replace(ORDER, shop=Place(point=point))


@given(
    shops,
    st.lists(whereabouts, max_size=12),
    st.sampled_from([60, 600, 1800, 7200]),
    st.integers(1, 12),
)
# Cells are small here: a ring is little more than a kilometre wide.
@example(Point(lat=10.178, lng=59.0588), [(-0.0099, -0.1145, 0, VehicleKind.MOTORCYCLE)], 1800, 1)
def test_rings_of_cells_find_everybody_within_reach_soonest_first(
    shop: Point,
    offsets: list[tuple[float, float, int, VehicleKind]],
    approach_s_max: int,
    candidates_max: int,
) -> None:
    parameters = ZoneParameters(approach_s_max=approach_s_max, candidates_max=candidates_max)
    travel = GreatCircle(parameters.travel)
    around, expected = [], []
    for courier, (north, east, free_s, vehicle) in zip(COURIERS, offsets, strict=False):
        point = Point(lat=shop.lat + north, lng=shop.lng + east)
        around.append(available(replace(courier, vehicle=vehicle), point, free_s=free_s))
        approach_s = travel.one_s(point, shop, vehicle=vehicle, at=NOON)
        if approach_s <= approach_s_max:
            expected.append((free_s + approach_s, courier.id))
    order = at_shop(shop)
    found = candidates([order], around, parameters)
    assert found == {order.id: tuple(one for _, one in sorted(expected)[:candidates_max])}


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([0.01, 0.1, 0.4]), st.integers(1, 8))
def test_in_a_crowd_those_are_found_who_are_soonest_of_all(
    seed: int, spread: float, candidates_max: int
) -> None:
    chance = random.Random(seed)
    reach = chance.choice([900, 7200])
    parameters = ZoneParameters(candidates_max=candidates_max, search_start_s=reach)
    travel = GreatCircle(parameters.travel)
    around = [
        available(
            replace(
                one, vehicle=chance.choice([*VehicleKind]), capacity_units=chance.choice([1, 4])
            ),
            _near(SHOP, spread, chance),
            free_s=chance.choice([0, 0, 0, 300, 1200]),
        )
        for one in CROWD
    ]
    shops = [_near(SHOP, spread, chance) for _ in range(3)]
    orders = [replace(one, shop=Place(point=chance.choice(shops))) for one in ORDERS]
    found = candidates(orders, around, parameters)
    for order in orders:
        ways = [
            (one, travel.one_s(one.last_point, order.shop.point, vehicle=one.vehicle, at=NOON))
            for one in around
        ]
        soonest = sorted(
            (one.leaves_at + way_s * SECOND_MS, one.id)
            for one, way_s in ways
            if way_s <= reach_s(order, parameters, NOON) and may_be_asked(order, one, parameters)
        )
        assert found[order.id] == tuple(one for _, one in soonest[:candidates_max])


def _near(point: Point, spread: float, chance: random.Random) -> Point:
    return Point(
        lat=point.lat + chance.uniform(-spread, spread),
        lng=point.lng + chance.uniform(-spread, spread),
    )


def test_an_order_without_anybody_near_has_no_candidates() -> None:
    order = at_shop(SHOP)
    far = available(COURIER, Point(lat=21.5, lng=39.2))
    for around in ([], [far]):
        assert candidates([order], around, ZoneParameters()) == {order.id: ()}


def test_a_reach_too_wide_for_rings_is_measured_for_everybody() -> None:
    parameters = ZoneParameters(
        approach_s_max=7200, travel=TravelProfile(speeds_kmh=Speeds(car=200.0))
    )
    near, far = (
        available(COURIER, Point(lat=SHOP.lat + 2, lng=SHOP.lng)),
        available(a_courier(), Point(lat=SHOP.lat + 3, lng=SHOP.lng)),
    )
    order = at_shop(SHOP)
    assert candidates([order], [near, far], parameters) == {order.id: (COURIER.id,)}


def test_orders_of_one_shop_may_have_different_candidates() -> None:
    no, yes = a_courier(), a_courier()
    declined = Lapsed(courier_id=no.id, reason=Lapse.DECLINED, at=NOON)
    orders = [an_order(lapsed=(declined,)), an_order(gift=Gift(description="Sofa", size_units=9))]
    around = [available(no, CORNER), available(yes, DOOR)]
    found = candidates(orders, around, ZoneParameters())
    assert found == {orders[0].id: (yes.id,), orders[1].id: ()}


@pytest.mark.parametrize(
    ("reason", "ago_s", "may"),
    [
        (Lapse.DECLINED, 0, False),
        (Lapse.DECLINED, 10**6, False),
        (Lapse.EXPIRED, 0, False),
        (Lapse.EXPIRED, 299, False),
        (Lapse.EXPIRED, 300, True),
        (Lapse.WITHDRAWN, 0, True),
    ],
)
def test_a_no_lasts_for_ever_and_silence_for_a_while(
    reason: Lapse, ago_s: int, *, may: bool
) -> None:
    parameters = ZoneParameters(offer_again_s=300)
    lapsed = Lapsed(courier_id=COURIER.id, reason=reason, at=NOON - ago_s * SECOND_MS)
    order = an_order(lapsed=(lapsed,))
    assert may_be_asked(order, COURIER, parameters) is may
    other = replace(COURIER, id=CourierId(order.customer_id))
    assert may_be_asked(order, other, parameters)


@pytest.mark.parametrize(("units", "fits"), [(1, True), (4, True), (5, False)])
def test_a_gift_must_fit_the_vehicle(units: int, *, fits: bool) -> None:
    order = an_order(gift=Gift(description="Cake", size_units=units))
    assert may_be_asked(order, COURIER, ZoneParameters()) is fits
