"""A zone's tick as a problem for the optimizer: who waits, who could carry, what it would cost."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.couriers.courier import Courier, CourierStatus
from engine.dispatch.candidates import search_of
from engine.dispatch.muster import Muster
from engine.dispatch.roster import KINDS
from engine.dispatch.underway import UnderWay
from engine.dispatch.waiting_list import Shops, WaitingList, group_of
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Points, TravelProfile, VehicleKind, travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import OrderStatus
from optimizer.candidates import Sought
from optimizer.problem import (
    Expected,
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

Pairs: TypeAlias = frozenset[tuple[str, str]]

_PERMILLE = 1000
_LAST_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoordinateTravel:
    """Travel times of a car between nodes that are places on the earth."""

    points: Points
    profile: TravelProfile
    at: Instant

    def between(
        self, origins: NDArray[np.int64], destinations: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Seconds from origins[i] to destinations[i]."""
        return travel_times(self.profile).seconds(
            self.points[origins],
            self.points[destinations],
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
    zone: Zone,
    orders: WaitingList,
    muster: Muster,
    incumbent: Sequence[Route] = (),
    expected: Expected | None = None,
) -> Problem:
    """The problem of these orders and of who may be asked, all of whom were walked.

    All is sorted, so that the same tick is the same problem.
    """
    parameters, now = zone.parameters, muster.now
    rows, shops = orders.rows, orders.shops()
    neighbours = _neighbours(orders, shops, parameters)
    alone = _to_travel_alone(orders, neighbours, muster, parameters)
    return Problem(
        vehicles=_vehicles(muster, parameters),
        jobs=_jobs(orders, shops, muster, alone),
        candidates=Sought(search_of(orders, shops, muster, parameters).find),
        travel=CoordinateTravel(
            points=Points.at(
                np.concatenate([muster.lat, shops.lat, rows["door_lat"]]),
                np.concatenate([muster.lng, shops.lng, rows["door_lng"]]),
            ),
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
        neighbours=neighbours | _begun(muster.under_way),
        expected=expected,
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
            time=parameters.time_price_percent,
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
            group=group_of(trip.shops[0]),
            jobs=trip.order_ids,
            leave_s=0,
            pickup_s=0,
            deliveries_s=(),
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
    bound_for: tuple[str | None, ...] = (None,) * len(muster.ids)
    if muster.under_way:
        shops = {who: group_of(trip.shops[0]) for who, trip in muster.under_way.items()}
        bound_for = tuple([shops.get(who) for who in muster.ids])
    return VehicleTable(
        {"id": muster.ids, "bound_for": bound_for},
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
        in_order=True,
    )


def _rest_s(muster: Muster, latest_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """How much of his last hour each still has when he is free: what comes later is for others."""
    rest_s: NDArray[np.int64] = latest_s - np.maximum(0, muster.free_s)
    return np.clip(rest_s, 0, _LAST_S)


def _neighbours(orders: WaitingList, shops: Shops, parameters: ZoneParameters) -> Pairs:
    """The shops from which one trip may fetch."""
    if not parameters.shops_apart_m_max:
        return frozenset()
    group = dict(zip(shops.of.tolist(), orders.groups, strict=True))
    one, other = shops.within(parameters.shops_apart_m_max)
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    return frozenset((group[a], group[b]) for a, b in pairs)


def _begun(under_way: Mapping[CourierId, UnderWay]) -> Pairs:
    """The shops of trips that couriers have said yes to, whatever the zone says by now."""
    return frozenset(
        pair
        for trip in under_way.values()
        if len(trip.shops) > 1
        for pair in combinations(map(group_of, trip.shops), 2)
    )


def _jobs(orders: WaitingList, shops: Shops, muster: Muster, alone: frozenset[OrderId]) -> JobTable:
    """Shops are the nodes after those of the couriers, after them every order has its door."""
    first, now, rows, groups = len(muster.ids), muster.now, orders.rows, tuple(orders.groups)
    if alone:
        groups = tuple(
            f"{group} {one}" if one in alone else group
            for group, one in zip(groups, orders.ids, strict=True)
        )
    return JobTable(
        {"id": orders.ids, "group": groups},
        {
            "pickup": shops.of + first,
            "delivery": np.arange(len(groups)) + first + len(shops.lat),
            "ready_s": (rows["ready_at"] - now) // SECOND_MS,
            "placed_s": (rows["placed_at"] - now) // SECOND_MS,
            "due_s": (rows["due_at"] - now) // SECOND_MS,
            "size": rows["units"].copy(),
            "weight_g": rows["grams"].copy(),
            "weight": np.ones(len(groups), dtype=np.int64),
        },
        in_order=True,
    )


def _to_travel_alone(
    orders: WaitingList, neighbours: Pairs, muster: Muster, parameters: ZoneParameters
) -> frozenset[OrderId]:
    """The waiting cash orders of shops where together they would be too much for a courier.

    A candidate stays within his limit with each order, so only a bundle can pass it: with those of
    the shop, or of its neighbours.
    """
    due: dict[str, int] = defaultdict(int)
    waiting = []
    for at in np.flatnonzero(orders.rows["cash"]).tolist():
        if orders.orders[at].status is OrderStatus.WAITING:
            due[orders.groups[at]] += int(orders.rows["cash"][at])
            waiting.append(at)
    of_shop = dict(due)
    for one, other in neighbours:
        due[one] += of_shop.get(other, 0)
        due[other] += of_shop.get(one, 0)
    most = int(muster.cash.max(initial=0))
    left = parameters.cash_held_halalas_max - most
    return frozenset(orders.ids[at] for at in waiting if due[orders.groups[at]] > left)
