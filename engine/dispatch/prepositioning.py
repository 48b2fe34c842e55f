"""Which idle couriers should go elsewhere, and how far at first.

Those with nothing ahead go where orders are expected: the state of a zone as the optimizer's
standing. Those with a planned trip ahead and time left go nearer to its shop, from shop to shop.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from engine.couriers.courier import Courier
from engine.couriers.prepositioning import is_idle
from engine.dispatch.apart import apart_s
from engine.dispatch.demand import Demand
from engine.dispatch.eta import Sighting, Walk, walk
from engine.geo.travel import TravelTimes, VehicleKind, travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant, seconds_between
from engine.orders.order import Order
from optimizer.prepositioning import Standing, moves
from optimizer.problem import Plan
from optimizer.routes import RouteTable

# Whoever stops sooner after his arrival would hardly be asked there.
STAYS_S: Final = 600
# How long a courier is reckoned to stand where he was sent.
HORIZON_S: Final = 1800
# No hop is shorter.
HOP_S_MIN: Final = 60


class WaitMove(Struct, frozen=True, kw_only=True):
    """Who should go from where to where, and when he should be there."""

    courier_id: CourierId
    origin: Point
    point: Point
    arrives_at: Instant


class Ahead(Struct, frozen=True, kw_only=True):
    """A courier's next planned trip: where it begins, and when he must leave for it."""

    courier: Courier
    shop: Point
    leaves_at: Instant


def trips_ahead(
    plan: Plan,
    orders: Mapping[OrderId, Order],
    couriers: Mapping[CourierId, Courier],
    *,
    now: Instant,
) -> list[Ahead]:
    """What a plan made now has everybody begin with."""
    routes = RouteTable.of(plan.routes)
    firsts = routes.firsts()
    jobs, leave_s = routes.jobs_begin[firsts].tolist(), routes.leave_s[firsts].tolist()
    found = []
    for who, job, in_s in zip(routes.vehicles, jobs, leave_s, strict=True):
        courier = couriers.get(CourierId(UserId(who)))
        if courier is not None:
            shop = orders[OrderId(routes.jobs[job])].shop.point
            leaves_at = now + in_s * SECOND_MS
            found.append(Ahead(courier=courier, shop=shop, leaves_at=leaves_at))
    return found


def moves_ahead(
    zone: Zone,
    ahead: Sequence[Ahead],
    demand: Demand,
    *,
    seen: Mapping[CourierId, Sighting],
    now: Instant,
) -> list[WaitMove]:
    """The hops on which couriers go nearer to the shops of their planned trips.

    Each goes to the nearest shop over which he is still in time: there he can be given something
    else, and once he is asked he cannot. Who has none on his way stays until he must leave.
    """
    early_s = zone.parameters.leave_early_s
    going = [
        one
        for one in sorted(ahead, key=lambda one: one.courier.id)
        if is_idle(one.courier, now) and seconds_between(now, one.leaves_at) <= early_s
    ]
    if not going:
        return []
    known, _ = demand.rates(memory_s=zone.parameters.demand_memory_s)
    shops = list(dict.fromkeys((*known, *(one.shop for one in going))))
    couriers = [one.courier for one in going]
    walks = [walk(one, seen.get(one.id), zone.parameters, now=now) for one in couriers]
    ways = _Ways(zone, couriers, walks, shops, now)
    found = []
    for at, one in enumerate(going):
        to = shops.index(one.shop)
        hop = ways.hop(at, to, spare_s=max(0, seconds_between(now, one.leaves_at)))
        if hop != to:
            found.append(ways.move(at, hop))
    return found


def wait_moves(
    zone: Zone,
    free: Sequence[Courier],
    demand: Demand,
    *,
    seen: Mapping[CourierId, Sighting],
    now: Instant,
) -> list[WaitMove]:
    """The moves of one tick; `free` are the available couriers for whom nothing is planned.

    They cover the demand, and those of them who are idle may be sent. The same couriers and the
    same demand give the same moves, in whatever order they come.
    """
    parameters = zone.parameters
    shops, rates = demand.rates(memory_s=parameters.demand_memory_s)
    if not shops or not any(is_idle(one, now) for one in free):
        return []
    couriers = sorted(free, key=lambda one: one.id)
    walks = [walk(one, seen.get(one.id), parameters, now=now) for one in couriers]
    between = _Ways(zone, couriers, walks, shops, now)
    found = moves(
        Standing(
            arrive_s=between.arrive_s,
            reach_s=between.reach_s,
            pace=between.pace,
            between_s=between.shops_s,
            rates=rates,
            lateness_s=demand.lateness(handover_s=parameters.shop_service_s // 2),
            horizon_s=HORIZON_S,
        ),
        moves_max=parameters.wait_moves_max,
        gain_min_s=parameters.wait_gain_min,
    )
    hops = parameters.wait_by_hops > 0
    ends = [(one.vehicle, one.node) for one in found]
    return [between.move(who, between.hop(who, to) if hops else to) for who, to in ends]


class _Ways:
    """How far couriers are from shops, and shops from each other."""

    def __init__(
        self,
        zone: Zone,
        couriers: Sequence[Courier],
        walks: Sequence[Walk],
        shops: Sequence[Point],
        now: Instant,
    ) -> None:
        self._couriers, self._walks, self._shops, self._now = couriers, walks, shops, now
        self._travel = travel_times(zone.parameters.travel)
        car_m_s = self._travel.speed_m_s(VehicleKind.CAR, now)
        self.pace = np.array(
            [car_m_s / self._travel.speed_m_s(one.vehicle, now) for one in couriers]
        )
        free_in_s = np.array([seconds_between(now, one.free_at) for one in walks], dtype=np.int64)
        points = [one.free_point for one in walks]
        ways_s = _seconds(self._travel, points, shops, now)
        self.arrive_s = free_in_s[:, None] + np.rint(ways_s * self.pace[:, None]).astype(np.int64)
        self.shops_s = apart_s(zone.parameters.travel, shops, now)
        longest_s = zone.parameters.wait_travel_s_max
        self.reach_s = np.array([_reach(one, longest_s, now) for one in couriers], dtype=np.int64)

    def hop(self, courier: int, shop: int, *, spare_s: int = 0) -> int:
        """The nearest shop over which he is there at most so much later, or there at once."""
        way_s = self.arrive_s[courier]
        onward_s = np.rint(self.shops_s[:, shop] * self.pace[courier]).astype(np.int64)
        is_over = (way_s >= HOP_S_MIN) & (way_s < way_s[shop])
        is_over &= way_s + onward_s <= way_s[shop] + spare_s
        if not is_over.any():
            return shop
        return int(np.where(is_over, way_s, way_s[shop]).argmin())

    def move(self, courier: int, shop: int) -> WaitMove:
        """The courier's way to the shop, timed by what he drives."""
        one, origin, point = (
            self._couriers[courier],
            self._walks[courier].free_point,
            self._shops[shop],
        )
        way_s = self._travel.one_s(origin, point, vehicle=one.vehicle, at=self._now)
        return WaitMove(
            courier_id=one.id,
            origin=origin,
            point=point,
            arrives_at=self._now + way_s * SECOND_MS,
        )


def _seconds(
    travel: TravelTimes, origins: Sequence[Point], points: Sequence[Point], at: Instant
) -> NDArray[np.int64]:
    """Seconds by car from every origin to every point."""
    return travel.seconds(
        np.array([one.lat for one in origins])[:, None],
        np.array([one.lng for one in origins])[:, None],
        np.array([one.lat for one in points])[None, :],
        np.array([one.lng for one in points])[None, :],
        vehicle=VehicleKind.CAR,
        at=at,
    )


def _reach(courier: Courier, longest_s: int, now: Instant) -> int:
    """How far he may be sent: nowhere unless he is idle, and so that he is of use there."""
    if not is_idle(courier, now):
        return 0
    if courier.works_until is None:
        return longest_s
    return max(0, min(longest_s, seconds_between(now, courier.works_until) - STAYS_S))
