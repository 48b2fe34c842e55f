"""Which idle couriers should wait elsewhere: the state of a zone as the optimizer's standing."""

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
from engine.kernel.ids import CourierId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant, seconds_between
from optimizer.prepositioning import Standing, moves

# Whoever stops sooner after his arrival would hardly be asked there.
STAYS_S: Final = 600
# How long a courier is reckoned to stand where he was sent.
HORIZON_S: Final = 1800


class WaitMove(Struct, frozen=True, kw_only=True):
    """Who should go from where to where, and when he should be there."""

    courier_id: CourierId
    origin: Point
    point: Point
    arrives_at: Instant


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
    return [between.move(one.vehicle, one.node) for one in found]


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
