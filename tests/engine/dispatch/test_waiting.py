"""What must hold of who is sent to wait where."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, Duty, Stop, StopKind
from engine.couriers.waiting import is_idle, send_to_wait
from engine.dispatch.demand import Demand
from engine.dispatch.waiting import STAYS_S, WaitMove, wait_moves
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind, travel_times
from engine.geo.zone import Zone
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS, seconds_between
from tests.builders import NOON, SHOP, a_courier, a_zone, an_order, new_id

EAGER = ZoneParameters(wait_moves_max=3, wait_gain_min=0)
ZONE = a_zone(parameters=EAGER)
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


def sent(zone: Zone, free: list[Courier], demand: Demand) -> list[WaitMove]:
    return wait_moves(zone, free, demand, seen={}, now=NOON)


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


def test_without_demand_or_without_anybody_idle_nobody_is_sent() -> None:
    idle = a_courier(zone=ZONE)
    assert sent(ZONE, [idle], Demand(since=NOON)) == []
    busy = replace(idle, leaves_at=NOON + 1)
    assert sent(ZONE, [busy], a_demand(random.Random(1))) == []
