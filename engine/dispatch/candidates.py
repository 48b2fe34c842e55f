"""Who could serve an order: couriers within H3 rings of its shop, by travel time, nearest first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from engine.couriers.courier import Courier
from engine.dispatch.why import reach_s, why_not
from engine.geo.cells import cell_at, disk, edge_length_m
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind, travel_times
from engine.kernel.ids import CellId, CourierId, OrderId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order

_RESOLUTION = 7
_RINGS_MAX = 40


class Available(Struct, frozen=True, kw_only=True):
    """A courier who may be asked, from when and where he is free."""

    courier: Courier
    free_at: Instant
    point: Point


def may_be_asked(order: Order, courier: Courier, parameters: ZoneParameters, now: Instant) -> bool:
    """Not who said no, nor who let it expire a moment ago, nor who cannot carry it."""
    return why_not(order, courier, parameters, now) is None


def candidates(
    orders: Sequence[Order],
    couriers: Sequence[Available],
    parameters: ZoneParameters,
    *,
    now: Instant,
) -> Mapping[OrderId, tuple[CourierId, ...]]:
    """For each order at most `candidates_max` couriers, those who could fetch it soonest first."""
    near = _Neighbourhood(couriers, parameters, now)
    found: dict[OrderId, tuple[CourierId, ...]] = {}
    by_shop: dict[Point, _Near] = {}
    for order in orders:
        shop = order.shop.point
        if shop not in by_shop:
            by_shop[shop] = near.soonest(shop)
        within_s = reach_s(order, parameters, now)
        fit = (
            one.courier.id
            for one in by_shop[shop].within(within_s, parameters)
            if may_be_asked(order, one.courier, parameters, now)
        )
        found[order.id] = _first(fit, parameters.candidates_max)
    return found


class _Near(Struct, frozen=True):
    """Couriers around a shop, soonest first, with their way there in seconds."""

    couriers: tuple[Available, ...]
    approach_s: list[int]

    def within(self, reach_s: int, parameters: ZoneParameters) -> Iterable[Available]:
        """Those whose way is no longer."""
        if reach_s >= parameters.approach_s_max:
            return self.couriers
        ways = zip(self.couriers, self.approach_s, strict=True)
        return (one for one, approach_s in ways if approach_s <= reach_s)


class _Neighbourhood:
    """Couriers by cell, so that only those near enough are measured."""

    def __init__(
        self, couriers: Sequence[Available], parameters: ZoneParameters, now: Instant
    ) -> None:
        self._couriers = couriers
        self._parameters = parameters
        self._travel = travel_times(parameters.travel)
        self._now = now
        self._by_cell: dict[CellId, list[int]] = defaultdict(list)
        for index, one in enumerate(couriers):
            self._by_cell[cell_at(one.point, _RESOLUTION)].append(index)
        self._lat = np.array([one.point.lat for one in couriers], dtype=np.float64)
        self._lng = np.array([one.point.lng for one in couriers], dtype=np.float64)
        self._free_s = np.array(
            [(one.free_at - now) // SECOND_MS for one in couriers], dtype=np.int64
        )
        self._vehicles = [one.courier.vehicle for one in couriers]
        self._rings = self._rings_for()

    def soonest(self, shop: Point) -> _Near:
        """The couriers within reach of a shop, by when they could be there."""
        near = self._within_rings(shop)
        if near.size == 0:
            return _Near((), [])
        approach_s = np.zeros(near.size, dtype=np.int64)
        lat, lng = np.array([shop.lat]), np.array([shop.lng])
        kinds = np.array([self._vehicles[index] for index in near.tolist()])
        for kind in VehicleKind:
            of_kind = kinds == kind
            if of_kind.any():
                chosen = near[of_kind]
                approach_s[of_kind] = self._travel.seconds(
                    self._lat[chosen], self._lng[chosen], lat, lng, vehicle=kind, at=self._now
                )
        in_reach = approach_s <= self._parameters.approach_s_max
        arrival = self._free_s[near] + approach_s
        order = sorted(
            np.flatnonzero(in_reach).tolist(),
            key=lambda i: (int(arrival[i]), self._couriers[int(near[i])].courier.id),
        )
        return _Near(tuple(self._couriers[int(near[i])] for i in order), approach_s[order].tolist())

    def _within_rings(self, shop: Point) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        if self._rings > _RINGS_MAX:
            return np.arange(len(self._couriers))
        reach = disk(cell_at(shop, _RESOLUTION), self._rings)
        cells = self._by_cell.keys() & reach
        found = [index for cell in cells for index in self._by_cell[cell]]
        return np.array(sorted(found), dtype=np.int64)

    def _rings_for(self) -> int:
        """Rings that surely hold everybody within `approach_s_max` of a shop by any vehicle.

        A ring is at least a mean edge wide, also towards a corner and where cells are smallest.
        """
        speed = max(self._travel.speed_m_s(kind, self._now) for kind in VehicleKind)
        straight_m = self._parameters.approach_s_max * speed / self._parameters.travel.detour
        return int(straight_m / edge_length_m(_RESOLUTION)) + 2


def _first(ids: Iterable[CourierId], count: int) -> tuple[CourierId, ...]:
    kept: list[CourierId] = []
    for one in ids:
        if len(kept) == count:
            break
        kept.append(one)
    return tuple(kept)
