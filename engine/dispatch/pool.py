"""A zone's tick as a problem for the optimizer: who waits, who could carry, what it would cost."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.couriers.courier import Courier, CourierStatus
from engine.dispatch.candidates import search_of
from engine.dispatch.muster import Muster
from engine.dispatch.roster import KINDS
from engine.dispatch.underway import UnderWay
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import TravelProfile, VehicleKind, travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.cash import cash_due
from engine.orders.order import Order, OrderStatus
from optimizer.candidates import Sought
from optimizer.problem import (
    JobTable,
    Policy,
    Problem,
    Route,
    Service,
    Trip,
    VehicleTable,
    Weights,
)
from optimizer.routes import RouteTable

_PERMILLE = 1000
_LAST_S = 3600


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
    """On duty here, not asked at this moment, and neither his shift nor his loan over."""
    ends_at = courier.works_until
    return (
        courier.zone_id == zone.id
        and courier.status in {CourierStatus.ON, CourierStatus.BUSY}
        and courier.offer_id is None
        and (ends_at is None or ends_at > now)
    )


def stated(
    zone: Zone, orders: Sequence[Order], muster: Muster, incumbent: Sequence[Route] = ()
) -> Problem:
    """The problem of these orders and of who may be asked, all of whom were walked.

    All is sorted, so that the same tick is the same problem.
    """
    parameters, now = zone.parameters, muster.now
    waiting = sorted(orders, key=lambda one: one.id)
    shops: dict[Point, int] = {}
    shop = [shops.setdefault(one.shop.point, len(shops)) for one in waiting]
    places = [*shops, *(one.door.point for one in waiting)]
    return Problem(
        vehicles=_vehicles(muster, parameters),
        jobs=_jobs(waiting, shop, list(shops), muster, parameters),
        candidates=Sought(search_of(waiting, shop, list(shops), muster, parameters).find),
        travel=CoordinateTravel(
            lat=np.concatenate([muster.lat, [one.lat for one in places]]),
            lng=np.concatenate([muster.lng, [one.lng for one in places]]),
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
        incumbent=_with_trips(incumbent, muster.under_way),
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


def _with_trips(
    incumbent: Sequence[Route], under_way: Mapping[CourierId, UnderWay]
) -> Sequence[Route]:
    """The last plan, in which those who are under way do first what they are under way for."""
    first: dict[str, Trip] = {
        who: Trip(
            group=_group(trip.shop), jobs=trip.order_ids, leave_s=0, pickup_s=0, deliveries_s=()
        )
        for who, trip in under_way.items()
    }
    return RouteTable.of(incumbent).beginning_with(first)


def _paces(profile: TravelProfile, now: Instant) -> dict[VehicleKind, int]:
    """How much longer than a car each kind of vehicle takes, in thousandths."""
    travel = travel_times(profile)
    car = travel.speed_m_s(VehicleKind.CAR, now)
    return {kind: round(car / travel.speed_m_s(kind, now) * _PERMILLE) for kind in VehicleKind}


def _vehicles(muster: Muster, parameters: ZoneParameters) -> VehicleTable:
    """Everybody stands at a node of his own, the first ones that there are."""
    now = muster.now
    paces = _paces(parameters.travel, now)
    latest_s = np.minimum((muster.ends_at - now) // SECOND_MS, VehicleTable.NEVER)
    bound_for = dict.fromkeys(muster.ids)
    bound_for.update({who: _group(trip.shop) for who, trip in muster.under_way.items()})
    return VehicleTable(
        {"id": muster.ids, "bound_for": tuple(bound_for.values())},
        {
            "node": np.arange(len(muster.ids)),
            "free_at_s": muster.free_s,
            "latest_pickup_s": latest_s,
            "capacity": muster.units,
            "capacity_g": muster.grams,
            "idle_since_s": (muster.idle_since - now) // SECOND_MS
            + _rest_s(muster, latest_s) * parameters.shift_end_idle_percent // 100,
            "pace_permille": np.array([paces[kind] for kind in KINDS])[muster.kind],
        },
    )


def _rest_s(muster: Muster, latest_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """How much of his last hour each still has when he is free: what comes later is for others."""
    rest_s: NDArray[np.int64] = latest_s - np.maximum(0, muster.free_s)
    return np.clip(rest_s, 0, _LAST_S)


def _jobs(
    orders: Sequence[Order],
    shop: Sequence[int],
    shops: Sequence[Point],
    muster: Muster,
    parameters: ZoneParameters,
) -> JobTable:
    """Shops are the nodes after those of the couriers, after them every order has its door."""
    first, now = len(muster.ids), muster.now
    of_shop = [_group(one) for one in shops]
    groups = [of_shop[one] for one in shop]
    if alone := _to_travel_alone(orders, muster, parameters):
        groups = [
            f"{group} {one.id}" if one.id in alone else group
            for group, one in zip(groups, orders, strict=True)
        ]
    at = np.array([(one.ready_at, one.placed_at, one.due_at) for one in orders], dtype=np.int64)
    ready_s, placed_s, due_s = (at.reshape(-1, 3) - now).T // SECOND_MS
    return JobTable(
        {"id": tuple([one.id for one in orders]), "group": tuple(groups)},
        {
            "pickup": np.array(shop, dtype=np.int64) + first,
            "delivery": np.arange(len(orders)) + first + len(shops),
            "ready_s": ready_s,
            "placed_s": placed_s,
            "due_s": due_s,
            "size": np.array([one.gift.size_units for one in orders], dtype=np.int64),
            "weight_g": np.array([one.gift.weight_g for one in orders], dtype=np.int64),
            "weight": np.ones(len(orders), dtype=np.int64),
        },
    )


def _to_travel_alone(
    orders: Sequence[Order], muster: Muster, parameters: ZoneParameters
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
    most = int(muster.cash.max(initial=0))
    left = parameters.cash_held_halalas_max - most
    return frozenset(one.id for one in waiting if due[one.shop.point] > left)


def _group(shop: Point) -> str:
    return f"{shop.lat:.7f},{shop.lng:.7f}"
