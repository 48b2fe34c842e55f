"""A zone's tick as a problem for the optimizer: who waits, who could carry, what it would cost."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.couriers.courier import Courier, CourierStatus
from engine.dispatch.candidates import Available, candidates
from engine.dispatch.eta import Sighting, walk
from engine.dispatch.underway import UnderWay
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import TravelProfile, VehicleKind, travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.place import Point
from engine.kernel.timing import Instant, seconds_between
from engine.orders.cash import cash_due
from engine.orders.order import Order, OrderStatus
from optimizer.problem import Job, Policy, Problem, Route, Service, Trip, Vehicle, Weights

_NO_SIGHTINGS: Mapping[CourierId, Sighting] = {}
_NOBODY: Mapping[CourierId, UnderWay] = {}
_PERMILLE = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoordinateTravel:
    """Travel times of a car between nodes that are places on the earth."""

    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    profile: TravelProfile
    at: Instant

    def between(
        self, origins: NDArray[np.int64], destinations: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Seconds from origins[i] to destinations[i]."""
        return travel_times(self.profile).seconds(
            self.lat[origins],
            self.lng[origins],
            self.lat[destinations],
            self.lng[destinations],
            vehicle=VehicleKind.CAR,
            at=self.at,
        )


def is_available(courier: Courier, zone: Zone, now: Instant) -> bool:
    """On duty here, not asked at this moment, and his shift not over."""
    return (
        courier.zone_id == zone.id
        and courier.status in {CourierStatus.ON, CourierStatus.BUSY}
        and courier.offer_id is None
        and (courier.shift_ends_at is None or courier.shift_ends_at > now)
    )


def problem_of(
    zone: Zone,
    orders: Sequence[Order],
    couriers: Sequence[Courier],
    *,
    seen: Mapping[CourierId, Sighting] = _NO_SIGHTINGS,
    under_way: Mapping[CourierId, UnderWay] = _NOBODY,
    incumbent: tuple[Route, ...] = (),
    now: Instant,
) -> Problem:
    """The problem of one tick: `orders` wait or are under way, `couriers` are available.

    All is sorted, so that the same tick is the same problem.
    """
    parameters = zone.parameters
    nodes = _Nodes()
    free = [
        _availability(one, seen.get(one.id), under_way.get(one.id), parameters, now)
        for one in sorted(couriers, key=lambda one: one.id)
    ]
    waiting = sorted(orders, key=lambda one: one.id)
    paces = _paces(parameters.travel, now)
    vehicles = tuple(
        _vehicle(one, under_way.get(one.courier.id), nodes, paces, now) for one in free
    )
    alone = _to_travel_alone(waiting, couriers, parameters)
    jobs = tuple(_job(one, nodes, now, is_alone=one.id in alone) for one in waiting)
    return Problem(
        vehicles=vehicles,
        jobs=jobs,
        candidates=candidates(waiting, free, parameters, now=now),
        travel=CoordinateTravel(
            lat=np.array(nodes.lat, dtype=np.float64),
            lng=np.array(nodes.lng, dtype=np.float64),
            profile=parameters.travel,
            at=now,
        ),
        service=Service(
            pickup_before_s=parameters.shop_service_s - parameters.shop_leave_s,
            pickup_after_s=parameters.shop_leave_s,
            delivery_before_s=parameters.door_service_s - parameters.door_leave_s,
            delivery_after_s=parameters.door_leave_s,
        ),
        policy=policy_of(parameters),
        incumbent=_with_trips(incumbent, under_way),
    )


def policy_of(parameters: ZoneParameters) -> Policy:
    """How the zone's parameters tell the optimizer to plan."""
    return Policy(
        weights=Weights(
            waiting=parameters.waiting_weight,
            lateness=parameters.lateness_weight,
            travel=parameters.travel_weight,
            idle=parameters.idle_weight,
            stability=parameters.stability_weight,
        ),
        bundle_size_max=parameters.bundle_size_max,
        bundle_extra_s_max=parameters.bundle_extra_s,
        trips_max=parameters.trips_max,
        rounds_max=parameters.search_rounds_max,
        rounds_per_job=parameters.search_rounds_per_order,
    )


class _Nodes:
    """Places numbered in the order in which they are first met."""

    def __init__(self) -> None:
        self.lat: list[float] = []
        self.lng: list[float] = []
        self._index: dict[tuple[float, float], int] = {}

    def of(self, point: Point) -> int:
        """The number of a place."""
        index = self._index.setdefault((point.lat, point.lng), len(self.lat))
        if index == len(self.lat):
            self.lat.append(point.lat)
            self.lng.append(point.lng)
        return index


def _with_trips(
    incumbent: tuple[Route, ...], under_way: Mapping[CourierId, UnderWay]
) -> tuple[Route, ...]:
    """The last plan, in which those who are under way do first what they are under way for."""
    planned = {route.vehicle: route.trips for route in incumbent}
    for courier_id, trip in under_way.items():
        present = Trip(
            group=_group(trip.shop), jobs=trip.order_ids, leave_s=0, pickup_s=0, deliveries_s=()
        )
        planned[courier_id] = (present, *planned.get(courier_id, ()))
    return tuple(Route(vehicle=vehicle, trips=trips) for vehicle, trips in planned.items())


def _availability(
    courier: Courier,
    seen: Sighting | None,
    trip: UnderWay | None,
    parameters: ZoneParameters,
    now: Instant,
) -> Available:
    if trip is not None:
        return Available(courier=courier, free_at=trip.arrives_at, point=trip.shop)
    walked = walk(courier, seen, parameters, now=now)
    return Available(courier=courier, free_at=walked.free_at, point=walked.free_point)


def _paces(profile: TravelProfile, now: Instant) -> dict[VehicleKind, int]:
    """How much longer than a car each kind of vehicle takes, in thousandths."""
    travel = travel_times(profile)
    car = travel.speed_m_s(VehicleKind.CAR, now)
    return {kind: round(car / travel.speed_m_s(kind, now) * _PERMILLE) for kind in VehicleKind}


def _vehicle(
    available: Available,
    trip: UnderWay | None,
    nodes: _Nodes,
    paces: Mapping[VehicleKind, int],
    now: Instant,
) -> Vehicle:
    courier = available.courier
    ends = courier.shift_ends_at
    has_orders = courier.route and courier.orders
    idle_since = available.free_at if has_orders else courier.free_since
    return Vehicle(
        id=courier.id,
        node=nodes.of(available.point),
        free_at_s=seconds_between(now, available.free_at),
        latest_pickup_s=None if ends is None else seconds_between(now, ends),
        capacity=courier.capacity_units,
        capacity_g=courier.capacity_g,
        idle_since_s=seconds_between(now, idle_since),
        pace_permille=paces[courier.vehicle],
        bound_for=None if trip is None else _group(trip.shop),
    )


def _to_travel_alone(
    orders: Sequence[Order], couriers: Sequence[Courier], parameters: ZoneParameters
) -> frozenset[OrderId]:
    """The waiting cash orders of shops where together they would be too much for a courier.

    A candidate stays within his limit with each order, so only a bundle can pass it.
    """
    waiting = [one for one in orders if one.is_cash and one.status is OrderStatus.WAITING]
    if not waiting:
        return frozenset()
    due: dict[Point, int] = defaultdict(int)
    for one in waiting:
        due[one.shop.point] += cash_due(one)
    most = max((one.cash_at_stake_halalas for one in couriers), default=0)
    left = parameters.cash_held_halalas_max - most
    return frozenset(one.id for one in waiting if due[one.shop.point] > left)


def _job(order: Order, nodes: _Nodes, now: Instant, *, is_alone: bool) -> Job:
    shop = order.shop.point
    return Job(
        id=order.id,
        pickup=nodes.of(shop),
        delivery=nodes.of(order.door.point),
        group=f"{_group(shop)} {order.id}" if is_alone else _group(shop),
        ready_s=seconds_between(now, order.ready_at),
        placed_s=seconds_between(now, order.placed_at),
        due_s=seconds_between(now, order.due_at),
        size=order.gift.size_units,
        weight_g=order.gift.weight_g,
    )


def _group(shop: Point) -> str:
    return f"{shop.lat:.7f},{shop.lng:.7f}"
