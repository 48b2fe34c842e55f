"""Gifts for later windows: which of them share a trip, and when each joins the waiting orders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from msgspec import Struct

from engine.couriers.breaks import ends_when
from engine.couriers.courier import CAPACITY_G, Break, Courier, Duty
from engine.couriers.fixes import Fix
from engine.dispatch.eta import walk
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Points, VehicleKind, by_car_s, travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import OrderId
from engine.kernel.place import Point, each_once
from engine.kernel.skills import Skill
from engine.kernel.timing import SECOND_MS, Instant, seconds_between
from engine.orders.decide import on_the_road_s
from engine.orders.order import Gift, Order, OrderStatus
from optimizer.routing.problem import (
    FOREVER_S,
    Effort,
    Request,
    Rest,
    Route,
    RoutingPlan,
    RoutingProblem,
    Side,
    Stop,
    Table,
    Vehicle,
    Weights,
)

ORDERS_MAX = 200
_CREW_CAPACITY = 4
# A trip of its own for a gift is worth ten minutes on the road: less, and none would share one.
_WEIGHTS = Weights(vehicle=600, time=1, unserved=1_000_000)
_REST_S = 1800
_REST_LATE_S = 1800
_EFFORT = Effort(time_budget_s=2.0, rounds_max=2_000)


class Shift(Struct, frozen=True, kw_only=True):
    """A courier who works, or is expected to, from when and where he is free.

    Of who is expected nothing is known that speaks against a gift.
    """

    id: str
    point: Point
    starts_at: Instant
    ends_at: Instant | None = None
    vehicle: VehicleKind = VehicleKind.CAR
    capacity_units: int = _CREW_CAPACITY
    capacity_g: int = CAPACITY_G[VehicleKind.CAR]
    skills: tuple[Skill, ...] = tuple(Skill)
    rest: Break | None = None


def shift_of(
    courier: Courier, seen: Fix | None, parameters: ZoneParameters, *, now: Instant
) -> Shift:
    """A courier on duty, from when and where his present route ends."""
    walked = walk(courier, seen, parameters, now=now)
    return Shift(
        id=courier.id,
        point=walked.free_point,
        starts_at=max(walked.free_at, ends_when(courier) or 0),
        ends_at=courier.shift_ends_at,
        vehicle=courier.vehicle,
        capacity_units=courier.capacity_units,
        capacity_g=courier.capacity_g,
        skills=courier.skills,
        rest=courier.rest if courier.duty is Duty.ON else None,
    )


def soonest(orders: Sequence[Order]) -> tuple[Order, ...]:
    """The scheduled orders that are planned together: those whose release is nearest."""
    scheduled = [one for one in orders if one.status is OrderStatus.SCHEDULED]
    return tuple(sorted(scheduled, key=lambda one: (one.release_at, one.id))[:ORDERS_MAX])


def crew(zone: Zone, on_duty: Sequence[Shift], orders: Sequence[Order]) -> tuple[Shift, ...]:
    """Those on duty, and by the shops as many more as the zone expects to have."""
    expected = max(0, zone.parameters.schedule_crew - len(on_duty)) if orders else 0
    shops = each_once(one.shop.point for one in orders)
    return (
        *sorted(on_duty, key=lambda one: one.id),
        *(
            Shift(id=f"expected {n:03}", point=shops[n % len(shops)], starts_at=0)
            for n in range(expected)
        ),
    )


def routing_problem_of(
    zone: Zone, orders: Sequence[Order], shifts: Sequence[Shift], *, now: Instant
) -> RoutingProblem:
    """Scheduled orders as requests with windows, shifts as vehicles; seconds count from now."""
    places = list(
        dict.fromkeys(
            [*(p for one in orders for p in (one.shop.point, one.door.point))]
            + [one.point for one in shifts]
        )
    )
    node = {point: number for number, point in enumerate(places)}
    at = min((one.window.start for one in orders if one.window is not None), default=now)
    return RoutingProblem(
        requests=tuple(_request(zone.parameters, one, node, now) for one in orders),
        vehicles=tuple(
            replace(_vehicle(zone.parameters, one, node, now, at), skills=_has(one, orders))
            for one in shifts
        ),
        seconds=_seconds(zone.parameters, places, at),
        weights=_WEIGHTS,
        effort=_EFFORT,
    )


def releases(
    zone: Zone, orders: Sequence[Order], plan: RoutingPlan, *, now: Instant
) -> Mapping[OrderId, Instant]:
    """When each order joins the waiting ones: those of a trip together, as far as that is safe.

    An order that the plan leaves out is released when it would be without a plan.
    """
    lead_ms = zone.parameters.schedule_lead_s * SECOND_MS
    wanted: dict[str, Instant] = {}
    for route in plan.routes:
        for trip, begin_s in _trips(route):
            wanted |= dict.fromkeys(trip, now + begin_s * SECOND_MS - lead_ms)
    found = {}
    for order in orders:
        first, last = release_bounds(zone, order)
        found[order.id] = min(max(wanted.get(order.id, first), first), last)
    return found


def release_bounds(zone: Zone, order: Order) -> tuple[Instant, Instant]:
    """The zone's lead before the first pick-up that is of use, and before the last that is safe.

    Earlier an order would only keep a courier waiting; later its window could be missed.
    """
    assert order.window is not None
    assert order.release_at is not None
    parameters = zone.parameters
    travel_s = travel_times(parameters.travel).one_s(
        order.shop.point, order.door.point, vehicle=VehicleKind.CAR, at=order.window.start
    )
    needed_s = on_the_road_s(parameters, travel_s) + parameters.schedule_lead_s
    return order.release_at, max(order.release_at, order.window.end - needed_s * SECOND_MS)


def _trips(route: Route) -> Iterator[tuple[list[str], int]]:
    """The orders that are on board together, and when the first of them is fetched."""
    on_board: set[str] = set()
    trip: list[str] = []
    begin_s = 0
    for visit in route.visits:
        if visit.side is Side.DELIVERY:
            on_board.discard(visit.request)
            continue
        if not on_board:
            if trip:
                yield trip, begin_s
            trip, begin_s = [], visit.begin_s
        on_board.add(visit.request)
        trip.append(visit.request)
    if trip:
        yield trip, begin_s


def _request(
    parameters: ZoneParameters, order: Order, node: Mapping[Point, int], now: Instant
) -> Request:
    assert order.window is not None
    before_s = parameters.door_service_s - parameters.door_leave_s
    return Request(
        id=order.id,
        pickup=Stop(
            node=node[order.shop.point],
            earliest_s=seconds_between(now, order.ready_at),
            service_s=parameters.shop_service_s,
        ),
        delivery=Stop(
            node=node[order.door.point],
            earliest_s=seconds_between(now, order.window.start) - before_s,
            latest_s=seconds_between(now, order.window.end) - before_s,
            service_s=parameters.door_service_s,
        ),
        volume=order.gift.size_units,
        weight=order.gift.weight_g,
        skills=_needs(order.gift),
    )


def _needs(gift: Gift) -> frozenset[str]:
    """Which vehicles may carry a gift is one more skill that it needs."""
    allowed = {_one_of(gift)} if gift.vehicles else set()
    return frozenset({*(one.value for one in gift.skills), *allowed})


def _has(shift: Shift, orders: Sequence[Order]) -> frozenset[str]:
    gifts = [one.gift for one in orders]
    driven = {_one_of(one) for one in gifts if shift.vehicle in one.vehicles}
    return frozenset({*(one.value for one in shift.skills), *driven})


def _one_of(gift: Gift) -> str:
    return "/".join(sorted(one.value for one in gift.vehicles))


def _vehicle(
    parameters: ZoneParameters, shift: Shift, node: Mapping[Point, int], now: Instant, at: Instant
) -> Vehicle:
    travel = travel_times(parameters.travel)
    pace = travel.speed_m_s(VehicleKind.CAR, at) / travel.speed_m_s(shift.vehicle, at)
    return Vehicle(
        id=shift.id,
        start=node[shift.point],
        shift_start_s=max(0, seconds_between(now, shift.starts_at)),
        shift_end_s=FOREVER_S if shift.ends_at is None else seconds_between(now, shift.ends_at),
        volume=shift.capacity_units,
        weight=shift.capacity_g,
        pace_permille=round(1000 * pace),
        rests=() if shift.rest is None else (_rest(shift.rest, now),),
    )


def _rest(rest: Break, now: Instant) -> Rest:
    """When he is done with what he has then, and for a while if he has not said how long."""
    earliest_s = max(0, seconds_between(now, rest.begins_at))
    lasts_s = _REST_S if rest.lasts_s is None else rest.lasts_s
    return Rest(earliest_s=earliest_s, latest_s=earliest_s + _REST_LATE_S, duration_s=lasts_s)


def _seconds(parameters: ZoneParameters, places: Sequence[Point], at: Instant) -> Table:
    points = Points.of(places)
    return by_car_s(parameters.travel, points, points, at=at)
