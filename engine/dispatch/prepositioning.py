"""Which idle couriers should go elsewhere, and how far at first.

Those with nothing ahead go where orders are expected: the state of a zone as the optimizer's
standing. Those with a planned trip ahead and time left go nearer to its shop, from shop to shop.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from engine.couriers.courier import Courier
from engine.couriers.fixes import Fix
from engine.couriers.prepositioning import is_idle
from engine.dispatch.apart import apart_s
from engine.dispatch.demand import Forecast
from engine.dispatch.eta import walk
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Points, VehicleKind, by_car_s, travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant, seconds_between
from engine.orders.order import Order, OrderStatus
from optimizer.prepositioning import Outlook, Standing
from optimizer.problem import Plan, Route
from optimizer.routes import RouteTable

# Whoever stops sooner after his arrival would hardly be asked there.
STAYS_S: Final = 600
# How far ahead to look for orders that are not placed yet.
HORIZON_S: Final = 1500
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


class Freed(Struct, frozen=True, kw_only=True):
    """Where and when a courier has done what he has to do."""

    courier: Courier
    point: Point
    at: Instant


def freed_by(
    routes: Sequence[Route],
    zone: Zone,
    orders: Mapping[OrderId, Order],
    couriers: Mapping[CourierId, Courier],
    *,
    planned_at: Instant,
) -> list[Freed]:
    """Who has orders in a plan that still wait, and where and when it would leave him.

    `orders` are all that there are; what is gone from a plan leaves him at the door before it.
    """
    table = RouteTable.of(routes)
    lasts, busy = dict[int, tuple[int, Order]](), set[int]()
    for at, route in enumerate(table.route_of[table.trip_of].tolist()):
        order = orders.get(OrderId(table.jobs[at]))
        if order is not None:
            lasts[route] = at, order
            if order.status is OrderStatus.WAITING:
                busy.add(route)
    after_s = zone.parameters.door_leave_s
    found = []
    for route in sorted(busy):
        courier = couriers.get(CourierId(UserId(table.vehicles[route])))
        if courier is not None:
            last, order = lasts[route]
            free_at = planned_at + (int(table.delivery_s[last]) + after_s) * SECOND_MS
            found.append(Freed(courier=courier, point=order.door.point, at=free_at))
    return found


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
    forecast: Forecast,
    *,
    seen: Mapping[CourierId, Fix],
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
    shops = list(dict.fromkeys((*forecast.shops, *(one.shop for one in going))))
    couriers = [one.courier for one in going]
    freed = [_freed(one, seen.get(one.id), zone.parameters, now) for one in couriers]
    ways = _Ways(zone, freed, shops, now)
    found = []
    for at, one in enumerate(going):
        to = shops.index(one.shop)
        hop = ways.hop(at, to, spare_s=max(0, seconds_between(now, one.leaves_at)))
        if hop != to:
            found.append(ways.move(at, hop))
    return found


class WaitingPlaces:
    """Who of a zone's couriers without planned work should wait where, by what is foreseen.

    The same couriers and the same demand give the same moves, in whatever order they come.
    """

    def __init__(
        self,
        zone: Zone,
        free: Sequence[Courier],
        later: Sequence[Freed],
        forecast: Forecast,
        *,
        seen: Mapping[CourierId, Fix],
        now: Instant,
    ) -> None:
        """`free` are the available couriers for whom nothing is planned, `later` all others.

        All of them cover the demand; those of the first who are idle may be sent.
        """
        parameters = self._parameters = zone.parameters
        couriers = sorted(free, key=lambda one: one.id)
        reach_s = [_reach(one, parameters.wait_travel_s_max, now) for one in couriers]
        self._outlook: Outlook | None = None
        if not forecast.shops or not any(reach_s):
            return
        freed = [_freed(one, seen.get(one.id), parameters, now) for one in couriers]
        freed += sorted(later, key=lambda one: one.courier.id)
        self._ways = _Ways(zone, freed, forecast.shops, now)
        self._outlook = Outlook(
            Standing(
                arrive_s=self._ways.arrive_s,
                reach_s=np.array([*reach_s, *(0 for _ in later)], dtype=np.int64),
                pace=self._ways.pace,
                between_s=self._ways.shops_s,
                rates=forecast.rates,
                preparation=forecast.preparation,
                handover_s=parameters.shop_service_s - parameters.shop_leave_s,
                horizon_s=HORIZON_S,
            ),
            seed=now,
        )

    def foreseen(self) -> Iterator[None]:
        """Looks at one more future, for some milliseconds, before each that it yields."""
        if self._outlook is None:
            return
        for _ in range(self._outlook.futures):
            self._outlook.foresee()
            yield

    def moves(self) -> list[WaitMove]:
        """The moves of this tick, by what was foreseen."""
        if self._outlook is None:
            return []
        parameters = self._parameters
        found = self._outlook.moves(
            moves_max=parameters.wait_moves_max, gain_min_s=parameters.wait_gain_min
        )
        hops = parameters.wait_by_hops > 0
        ends = [(one.vehicle, one.node) for one in found]
        return [self._ways.move(who, self._ways.hop(who, to) if hops else to) for who, to in ends]


class _Ways:
    """How far couriers are from shops once they are free, and shops from each other."""

    def __init__(
        self, zone: Zone, freed: Sequence[Freed], shops: Sequence[Point], now: Instant
    ) -> None:
        self._freed, self._shops, self._now = freed, shops, now
        self._travel = travel_times(zone.parameters.travel)
        car_m_s = self._travel.speed_m_s(VehicleKind.CAR, now)
        self.pace = np.array(
            [car_m_s / self._travel.speed_m_s(one.courier.vehicle, now) for one in freed]
        )
        free_in_s = np.array(
            [max(0, seconds_between(now, one.at)) for one in freed], dtype=np.int64
        )
        ways_s = by_car_s(
            zone.parameters.travel,
            Points.of([one.point for one in freed]),
            Points.of(shops),
            at=now,
        )
        self.arrive_s = free_in_s[:, None] + np.rint(ways_s * self.pace[:, None]).astype(np.int64)
        self.shops_s = apart_s(zone.parameters.travel, shops, now)

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
        freed, point = self._freed[courier], self._shops[shop]
        one = freed.courier
        way_s = self._travel.one_s(freed.point, point, vehicle=one.vehicle, at=self._now)
        return WaitMove(
            courier_id=one.id,
            origin=freed.point,
            point=point,
            arrives_at=self._now + way_s * SECOND_MS,
        )


def _freed(courier: Courier, seen: Fix | None, parameters: ZoneParameters, now: Instant) -> Freed:
    """At the end of the route that he has."""
    walked = walk(courier, seen, parameters, now=now)
    return Freed(courier=courier, point=walked.free_point, at=walked.free_at)


def _reach(courier: Courier, longest_s: int, now: Instant) -> int:
    """How far he may be sent: nowhere unless he is idle, and so that he is of use there."""
    if not is_idle(courier, now):
        return 0
    if courier.works_until is None:
        return longest_s
    return max(0, min(longest_s, seconds_between(now, courier.works_until) - STAYS_S))
