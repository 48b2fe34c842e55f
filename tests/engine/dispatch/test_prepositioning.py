"""What must hold of who is sent to wait where."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, Duty, Stop, StopKind
from engine.couriers.prepositioning import is_idle, send_to_wait
from engine.dispatch.demand import Demand, Forecast
from engine.dispatch.prepositioning import (
    HOP_S_MIN,
    STAYS_S,
    Ahead,
    Freed,
    WaitingPlaces,
    WaitMove,
    freed_by,
    moves_ahead,
)
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind, travel_times
from engine.geo.zone import Zone
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS, seconds_between
from engine.orders.order import Order, OrderStatus
from optimizer.problem import Route, Trip
from tests.builders import NOON, SHOP, a_courier, a_zone, an_order, new_id

EAGER = ZoneParameters(wait_moves_max=3, wait_gain_min=0)
ZONE = a_zone(parameters=EAGER)
EARLY = a_zone(parameters=ZoneParameters(leave_early_s=600))
# Ways are rounded to seconds, by car and then by what he drives.
ROUNDING_MS = 6 * SECOND_MS
seeds = st.integers(0, 2**32)


def near(chance: random.Random, spread: float = 0.1) -> Point:
    return Point(
        lat=SHOP.lat + chance.uniform(-spread, spread),
        lng=SHOP.lng + chance.uniform(-spread, spread),
    )


def a_demand(chance: random.Random, *, shops: int = 6, reverse: bool = False) -> Demand:
    points = [near(chance) for _ in range(shops)]
    orders = [
        an_order(
            shop=Place(point=chance.choice(points)),
            placed_at=NOON,
            ready_at=NOON + chance.randrange(30) * MINUTE_MS,
        )
        for _ in range(30)
    ]
    demand = Demand(since=NOON - 60 * MINUTE_MS)
    demand.fade(memory_s=EAGER.demand_memory_s, now=NOON)
    for order in reversed(orders) if reverse else orders:
        demand.note(order, now=NOON)
    return demand


def somebody(chance: random.Random) -> Courier:
    """In any state in which a courier may be counted on."""
    wait = Stop(kind=StopKind.WAIT, point=near(chance), orders=(), ready_at=NOON + MINUTE_MS)
    fields: dict[str, Any] = chance.choice(
        (
            {},
            {},
            {},
            {"shift_ends_at": NOON + chance.randrange(1, 40) * MINUTE_MS},
            {"offer_id": new_id()},
            {"route": (wait,)},
            {"leaves_at": NOON + MINUTE_MS},
            {"duty": Duty.BREAK},
        )
    )
    vehicle = chance.choice((VehicleKind.CAR, VehicleKind.CAR, *VehicleKind))
    return replace(a_courier(zone=ZONE, last_point=near(chance), vehicle=vehicle), **fields)


def a_trip_ahead(chance: random.Random) -> Ahead:
    leaves_at = NOON + chance.randrange(-60, 900) * SECOND_MS
    return Ahead(courier=somebody(chance), shop=near(chance), leaves_at=leaves_at)


def way_s(origin: Point, point: Point, vehicle: VehicleKind) -> int:
    return travel_times(EAGER.travel).one_s(origin, point, vehicle=vehicle, at=NOON)


def forecast(zone: Zone, demand: Demand) -> Forecast:
    return demand.forecast(memory_s=zone.parameters.demand_memory_s, known=zone.shops)


def sent(
    zone: Zone, free: list[Courier], demand: Demand, later: tuple[Freed, ...] = ()
) -> list[WaitMove]:
    places = WaitingPlaces(zone, free, later, forecast(zone, demand), seen={}, now=NOON)
    for _ in places.foreseen():
        pass
    return places.moves()


@given(seeds)
def test_only_who_is_idle_and_of_use_there_is_sent(seed: int) -> None:
    chance = random.Random(seed)
    couriers = {one.id: one for one in (somebody(chance) for _ in range(chance.randint(1, 12)))}
    moves = sent(ZONE, list(couriers.values()), a_demand(chance))
    assert len(moves) <= EAGER.wait_moves_max
    assert len({one.courier_id for one in moves}) == len(moves)
    for move in moves:
        courier = couriers[move.courier_id]
        assert is_idle(courier, NOON)
        assert move.origin == courier.last_point
        way_s = travel_times(EAGER.travel).one_s(
            move.origin, move.point, vehicle=courier.vehicle, at=NOON
        )
        assert move.arrives_at == NOON + way_s * SECOND_MS
        assert 0 < way_s <= EAGER.wait_travel_s_max + 1
        ends = courier.shift_ends_at
        assert ends is None or seconds_between(move.arrives_at, ends) >= STAYS_S - 1
        assert send_to_wait(
            courier, move.point, origin=move.origin, arrives_at=move.arrives_at, now=NOON
        )


@given(seeds)
def test_the_order_in_which_couriers_and_orders_come_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    couriers = [somebody(chance) for _ in range(8)]
    state = chance.getstate()
    moves = sent(ZONE, couriers, a_demand(chance))
    chance.setstate(state)
    assert sent(ZONE, couriers[::-1], a_demand(chance, reverse=True)) == moves


def test_an_idle_courier_goes_where_the_orders_are_if_it_is_worth_it_and_near_enough() -> None:
    far = Point(lat=SHOP.lat - 0.03, lng=SHOP.lng)
    demand = Demand(since=NOON - 60 * MINUTE_MS)
    demand.fade(memory_s=EAGER.demand_memory_s, now=NOON)
    for _ in range(20):
        demand.note(
            an_order(shop=Place(point=SHOP), placed_at=NOON, ready_at=NOON + 5 * MINUTE_MS),
            now=NOON,
        )
    couriers = [a_courier(zone=ZONE, last_point=far)]
    (move,) = sent(ZONE, couriers, demand)
    assert (move.origin, move.point) == (far, SHOP)
    dear = replace(EAGER, wait_gain_min=3600)
    assert sent(a_zone(parameters=dear), couriers, demand) == []
    near_by = replace(EAGER, wait_travel_s_max=60)
    assert sent(a_zone(parameters=near_by), couriers, demand) == []


def test_an_idle_courier_goes_where_nobody_ordered_yet_if_the_zone_was_told_of_it() -> None:
    seen = [Point(lat=SHOP.lat + number / 10_000, lng=SHOP.lng) for number in range(10)]
    unseen = Point(lat=SHOP.lat - 0.03, lng=SHOP.lng)
    demand = Demand(since=NOON - 60 * MINUTE_MS)
    demand.fade(memory_s=EAGER.demand_memory_s, now=NOON)
    for shop in seen:
        demand.note(an_order(shop=Place(point=shop), placed_at=NOON, ready_at=NOON), now=NOON)
    couriers = [a_courier(zone=ZONE, last_point=SHOP) for _ in range(10)]
    untold, told = a_zone(parameters=EAGER), a_zone(parameters=EAGER, shops=(unseen,))
    assert unseen not in {one.point for one in sent(untold, couriers, demand)}
    assert unseen in {one.point for one in sent(told, couriers, demand)}


@given(seeds)
def test_a_hop_lies_on_the_way_and_makes_it_no_longer(seed: int) -> None:
    chance = random.Random(seed)
    couriers = [somebody(chance) for _ in range(chance.randint(1, 12))]
    demand = a_demand(chance, shops=20)
    by_hops = a_zone(parameters=replace(EAGER, wait_by_hops=1))
    wholes, hops = sent(ZONE, couriers, demand), sent(by_hops, couriers, demand)
    assert [one.courier_id for one in hops] == [one.courier_id for one in wholes]
    for whole, hop in zip(wholes, hops, strict=True):
        vehicle = next(one.vehicle for one in couriers if one.id == hop.courier_id)
        assert hop.point == whole.point or seconds_between(NOON, hop.arrives_at) >= HOP_S_MIN
        onward_s = way_s(hop.point, whole.point, vehicle)
        assert hop.arrives_at + onward_s * SECOND_MS <= whole.arrives_at + ROUNDING_MS


@given(seeds)
def test_whoever_goes_ahead_is_idle_and_still_in_time_for_his_trip(seed: int) -> None:
    chance = random.Random(seed)
    ahead = {one.courier.id: one for one in (a_trip_ahead(chance) for _ in range(8))}
    expected = forecast(EARLY, a_demand(chance, shops=20))
    moves = moves_ahead(EARLY, list(ahead.values()), expected, seen={}, now=NOON)
    assert len({one.courier_id for one in moves}) == len(moves)
    for move in moves:
        trip = ahead[move.courier_id]
        assert is_idle(trip.courier, NOON)
        assert move.point != trip.shop
        must_leave_at = max(NOON, trip.leaves_at)
        assert must_leave_at <= NOON + EARLY.parameters.leave_early_s * SECOND_MS
        vehicle = trip.courier.vehicle
        by_hops_ms = move.arrives_at + way_s(move.point, trip.shop, vehicle) * SECOND_MS
        at_once_ms = must_leave_at + way_s(move.origin, trip.shop, vehicle) * SECOND_MS
        assert by_hops_ms <= at_once_ms + ROUNDING_MS
    state = list(reversed(ahead.values()))
    assert moves_ahead(EARLY, state, expected, seen={}, now=NOON) == moves


def test_who_has_no_shop_on_his_way_or_is_too_early_stays_where_he_is() -> None:
    far = Point(lat=SHOP.lat - 0.03, lng=SHOP.lng)
    between = Point(lat=SHOP.lat - 0.02, lng=SHOP.lng)
    beyond = Point(lat=SHOP.lat + 0.02, lng=SHOP.lng)
    courier = a_courier(zone=ZONE, last_point=far)

    def goes(shop: Point, in_s: int) -> list[Point]:
        demand = Demand(since=NOON - 60 * MINUTE_MS)
        demand.note(an_order(shop=Place(point=shop), placed_at=NOON, ready_at=NOON), now=NOON)
        trip = Ahead(courier=courier, shop=SHOP, leaves_at=NOON + in_s * SECOND_MS)
        expected = forecast(EARLY, demand)
        return [one.point for one in moves_ahead(EARLY, [trip], expected, seen={}, now=NOON)]

    # Ways are whole seconds, so that two parts may take one more than the whole.
    assert goes(between, 2) == goes(between, 600) == [between]
    assert goes(between, 601) == []
    assert goes(beyond, 600) == goes(SHOP, 600) == []


def test_a_plan_leaves_at_his_last_door_who_has_orders_that_still_wait() -> None:
    waiting = an_order(status=OrderStatus.WAITING)
    last = an_order(status=OrderStatus.WAITING, door=Place(point=near(random.Random(1))))
    taken = an_order(status=OrderStatus.ASSIGNED)
    plans, carries, gone = (a_courier(zone=ZONE) for _ in range(3))

    def trip(*orders: Order, delivered_s: int) -> Trip:
        jobs = tuple(str(one.id) for one in orders)
        times = tuple(delivered_s for _ in orders)
        return Trip(group="shop", jobs=jobs, leave_s=0, pickup_s=0, deliveries_s=times)

    routes = [
        Route(
            vehicle=str(plans.id),
            trips=(trip(waiting, taken, delivered_s=300), trip(last, delivered_s=900)),
        ),
        Route(vehicle=str(carries.id), trips=(trip(taken, delivered_s=600),)),
        Route(vehicle=str(gone.id), trips=(trip(waiting, delivered_s=600),)),
    ]
    orders = {one.id: one for one in (waiting, last, taken)}
    couriers = {one.id: one for one in (plans, carries)}
    (freed,) = freed_by(routes, ZONE, orders, couriers, planned_at=NOON)
    assert (freed.courier, freed.point) == (plans, last.door.point)
    assert freed.at == NOON + (900 + ZONE.parameters.door_leave_s) * SECOND_MS
    del orders[last.id]
    (freed,) = freed_by(routes, ZONE, orders, couriers, planned_at=NOON)
    assert freed.point == taken.door.point
    del orders[waiting.id]
    assert freed_by(routes, ZONE, orders, couriers, planned_at=NOON) == []
    assert freed_by([], ZONE, orders, couriers, planned_at=NOON) == []


def test_nobody_is_sent_where_somebody_has_work_and_will_be_free() -> None:
    far = Point(lat=SHOP.lat - 0.03, lng=SHOP.lng)
    demand = Demand(since=NOON - 60 * MINUTE_MS)
    for _ in range(200):
        at_once = an_order(shop=Place(point=SHOP), placed_at=NOON, ready_at=NOON)
        demand.note(at_once, now=NOON - 240 * MINUTE_MS)
    demand.fade(memory_s=EAGER.demand_memory_s, now=NOON + 300 * MINUTE_MS)
    idle, busy = a_courier(zone=ZONE, last_point=far), a_courier(zone=ZONE)
    careful = a_zone(parameters=replace(EAGER, wait_gain_min=30))
    assert len(sent(careful, [idle], demand)) == 1
    free_soon = Freed(courier=busy, point=SHOP, at=NOON + MINUTE_MS)
    assert sent(careful, [idle], demand, (free_soon,)) == []


def test_without_demand_or_without_anybody_idle_nobody_is_sent() -> None:
    idle = a_courier(zone=ZONE)
    assert sent(ZONE, [idle], Demand(since=NOON)) == []
    busy = replace(idle, leaves_at=NOON + 1)
    assert sent(ZONE, [busy], a_demand(random.Random(1))) == []
