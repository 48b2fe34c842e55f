"""Who could serve an order: couriers by H3 cells around its shop, by travel time, soonest first."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from engine.couriers.courier import Courier
from engine.dispatch.why import reach_s, why_not
from engine.geo.cells import cell_near
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Seconds, VehicleKind, travel_times
from engine.kernel.place import EARTH_RADIUS_M, Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order
from optimizer.candidates import CandidateTable

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

_RESOLUTION: Final = 8
# Couriers measured for one who is asked.
_MEASURED: Final = 3
# What the last bits of the floats in a bound may amount to.
_BOUND_SLACK_M: Final = 2.0
_EVERYBODY: Final = 2**40
_NOBODY: Final = np.zeros(0, dtype=np.int64)
_ARRIVAL_BITS, _COURIER_BITS, _CELL_BITS = 24, 20, 20


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
) -> CandidateTable:
    """For each order at most `candidates_max` couriers, those who could fetch it soonest first."""
    order, courier = _NOBODY, _NOBODY
    if orders and couriers:
        order, courier = _Choice(couriers, parameters, now).of(orders)
    return CandidateTable(
        jobs=tuple([one.id for one in orders]),
        vehicles=tuple([one.courier.id for one in couriers]),
        begins=np.searchsorted(order, np.arange(len(orders) + 1)),
        vehicle=courier.astype(np.int32),
    )


class _Near(NamedTuple):
    """Couriers around shops, each with his way there and when he is there.

    Those of shop s are at begins[s] : begins[s] + counts[s], soonest first.
    """

    courier: Indices
    approach_s: Seconds
    arrival_s: Seconds
    begins: Indices
    counts: Indices

    def of(self, shops: Indices) -> tuple[Indices, Indices]:
        """All of each of these shops, one shop after the other: which shop, and where they are."""
        counts = self.counts[shops]
        at = np.repeat(np.arange(len(shops)), counts)
        within = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        return at, np.repeat(self.begins[shops], counts) + within


class _Choice:
    """Chooses among the couriers for all orders of a tick at once."""

    def __init__(
        self, couriers: Sequence[Available], parameters: ZoneParameters, now: Instant
    ) -> None:
        self._couriers = [one.courier for one in couriers]
        self._parameters = parameters
        self._now = now
        self._around = _Surroundings(couriers, parameters, now)
        self._units_min = min([one.capacity_units for one in self._couriers])
        self._grams_min = min([one.capacity_g for one in self._couriers])

    def of(self, orders: Sequence[Order]) -> tuple[Indices, Indices]:
        """The order and the courier of each pair, the candidates of each order soonest first.

        Who is near enough to be measured is guessed at first; where the guess was too narrow, it is
        as wide as those found so far.
        """
        points = [one.shop.point for one in orders]
        number = {point: at for at, point in enumerate(dict.fromkeys(points))}
        shop = np.array([number[point] for point in points])
        reach = np.array([reach_s(one, self._parameters, self._now) for one in orders])
        bounds_s = self._around.bounds_s(list(number))
        until_s = self._around.guess(bounds_s, _MEASURED * self._parameters.candidates_max)
        waiting, found = np.arange(len(orders)), []
        while len(waiting):
            near = self._around.soonest(list(number), bounds_s, until_s)
            at, place = near.of(shop[waiting])
            able = near.approach_s[place] <= reach[waiting[at]]
            self._ask([orders[one] for one in waiting.tolist()], near, at, place, able)
            at, place = self._first(at[able], place[able])
            needed_s = self._needed_s(len(waiting), at, near.arrival_s[place])
            is_known = needed_s <= until_s[shop[waiting]]
            kept = is_known[at]
            found.append((waiting[at[kept]], near.courier[place[kept]]))
            waiting, needed_s = waiting[~is_known], needed_s[~is_known]
            until_s = np.full(len(number), -_EVERYBODY)
            np.maximum.at(until_s, shop[waiting], needed_s)
        order, courier = (np.concatenate(columns) for columns in zip(*found, strict=True))
        in_order = np.argsort(order, kind="stable")
        return order[in_order], courier[in_order]

    def _is_plain(self, order: Order) -> bool:
        """Whether anybody may be asked about it who is near enough."""
        gift = order.gift
        return (
            gift.size_units <= self._units_min
            and gift.weight_g <= self._grams_min
            and not (gift.vehicles or gift.skills or order.lapsed or order.is_cash)
        )

    def _ask(
        self, orders: Sequence[Order], near: _Near, at: Indices, place: Indices, able: Flags
    ) -> None:
        """Clear `able` of those who may not be asked, and of who comes after enough others."""
        for number, order in enumerate(orders):
            if self._is_plain(order):
                continue
            begin, end = np.searchsorted(at, [number, number + 1]).tolist()
            places = (begin + np.flatnonzero(able[begin:end])).tolist()
            whom = near.courier[place[places]].tolist()
            able[begin:end] = False
            able[[one for one, _ in self._may(order, zip(places, whom, strict=True))]] = True

    def _may(self, order: Order, whom: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        may = (
            (place, courier)
            for place, courier in whom
            if may_be_asked(order, self._couriers[courier], self._parameters, self._now)
        )
        return islice(may, self._parameters.candidates_max)

    def _first(self, at: Indices, place: Indices) -> tuple[Indices, Indices]:
        """Of each order at most as many as are wanted."""
        counts = np.bincount(at)
        rank = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        is_wanted = rank < self._parameters.candidates_max
        return at[is_wanted], place[is_wanted]

    def _needed_s(self, orders: int, at: Indices, arrival_s: Seconds) -> Seconds:
        """Until when everybody must be known who could be there, for these to be the soonest."""
        needed_s = np.full(orders, _EVERYBODY)
        is_full = np.bincount(at, minlength=orders) == self._parameters.candidates_max
        last = np.searchsorted(at, np.flatnonzero(is_full), side="right") - 1
        needed_s[is_full] = arrival_s[last]
        return needed_s


class _Surroundings:
    """Couriers by cell, so that only those near enough are measured.

    No courier can be at a shop before the least `free_s` of his cell plus the straight way to its
    nearest edge; edges are as far from a cell's middle as its farthest courier. Straight lines
    through the earth are no longer than great circles, and simpler to compute.
    """

    def __init__(
        self, couriers: Sequence[Available], parameters: ZoneParameters, now: Instant
    ) -> None:
        self._parameters = parameters
        self._travel = travel_times(parameters.travel)
        self._now = now
        points = [one.point for one in couriers]
        self._lat, self._lng = _degrees(points)
        self._free_s = np.array(
            [(one.free_at - now) // SECOND_MS for one in couriers], dtype=np.int64
        )
        kinds = {kind: at for at, kind in enumerate(VehicleKind)}
        self._kind = np.array([kinds[one.courier.vehicle] for one in couriers])
        self._by_id = _sorted_by([one.courier.id for one in couriers])
        self._rank = np.empty_like(self._by_id)
        self._rank[self._by_id] = np.arange(len(couriers))
        self._gather(_cells_of(self._lat, self._lng))

    def _gather(self, cell: Indices) -> None:
        self._members = np.argsort(cell, kind="stable")
        self._counts = np.bincount(cell)
        self._begins = np.cumsum(self._counts) - self._counts
        at = _on_sphere(self._lat, self._lng)[self._members]
        self._middle = np.add.reduceat(at, self._begins) / self._counts[:, None]
        apart = np.linalg.norm(at - np.repeat(self._middle, self._counts, axis=0), axis=1)
        self._radius = np.maximum.reduceat(apart, self._begins)
        self._free_first_s = np.minimum.reduceat(self._free_s[self._members], self._begins)

    def guess(self, bounds_s: Seconds, count: int) -> Seconds:
        """Until when about so many couriers could be at each shop, the nearest cells first."""
        # Bounds and cells packed into one number, for that sorts fastest.
        key = np.sort(bounds_s << _CELL_BITS | np.arange(len(self._counts)), axis=1)
        so_far = np.cumsum(self._counts[key & (2**_CELL_BITS - 1)], axis=1)
        last = np.minimum((so_far < count).sum(axis=1), len(self._counts) - 1)
        return np.take_along_axis(key, last[:, None], axis=1)[:, 0] >> _CELL_BITS

    def soonest(self, shops: Sequence[Point], bounds_s: Seconds, until_s: Seconds) -> _Near:
        """Around each shop, at least those who could be there until then."""
        shop, cell = np.nonzero(bounds_s <= until_s[:, None])
        counts = self._counts[cell]
        shop = np.repeat(shop, counts)
        within = np.arange(len(shop)) - np.repeat(np.cumsum(counts) - counts, counts)
        courier = self._members[np.repeat(self._begins[cell], counts) + within]
        approach_s = self._approach_s(courier, *(one[shop] for one in _degrees(shops)))
        is_near = approach_s <= self._parameters.approach_s_max
        shop, courier = shop[is_near], courier[is_near]
        shop, courier, arrival_s = self._sorted(shop, courier, approach_s[is_near])
        counts = np.bincount(shop, minlength=len(shops))
        return _Near(
            courier=courier,
            approach_s=arrival_s - self._free_s[courier],
            arrival_s=arrival_s,
            begins=np.cumsum(counts) - counts,
            counts=counts,
        )

    def bounds_s(self, shops: Sequence[Point]) -> Seconds:
        """Before when nobody of a cell (columns) can be at a shop (rows)."""
        travel = self._parameters.travel
        speed = max(self._travel.speed_m_s(kind, self._now) for kind in VehicleKind)
        at = _on_sphere(*_degrees(shops))
        # One big table, changed in its place: 1 - 2 cos + r^2, the square of a straight line.
        apart = at @ (-2 * self._middle.T)
        apart += 1 + (self._middle**2).sum(axis=1)
        np.sqrt(np.maximum(0, apart, out=apart), out=apart)
        apart -= self._radius
        apart *= EARTH_RADIUS_M
        np.maximum(0, np.subtract(apart, _BOUND_SLACK_M, out=apart), out=apart)
        apart *= travel.detour / speed
        return apart.astype(np.int64) + self._free_first_s

    def _approach_s(
        self, courier: Indices, lat: NDArray[np.float64], lng: NDArray[np.float64]
    ) -> Seconds:
        approach_s = np.zeros(len(courier), dtype=np.int64)
        kinds = self._kind[courier]
        for at, kind in enumerate(VehicleKind):
            (mine,) = np.nonzero(kinds == at)
            whom = courier[mine]
            if len(mine):
                approach_s[mine] = self._travel.seconds(
                    self._lat[whom],
                    self._lng[whom],
                    lat[mine],
                    lng[mine],
                    vehicle=kind,
                    at=self._now,
                )
        return approach_s

    def _sorted(
        self, shop: Indices, courier: Indices, approach_s: Seconds
    ) -> tuple[Indices, Indices, Seconds]:
        """By shop, then by arrival, then by the couriers' ids: packed, for that sorts fastest."""
        first_s = int(self._free_s.min())
        arrival_s = np.minimum(self._free_s[courier] + approach_s - first_s, 2**_ARRIVAL_BITS - 1)
        key = (shop << _ARRIVAL_BITS | arrival_s) << _COURIER_BITS | self._rank[courier]
        key.sort()
        courier = self._by_id[key & (2**_COURIER_BITS - 1)]
        arrival_s = (key >> _COURIER_BITS) & (2**_ARRIVAL_BITS - 1)
        return key >> (_ARRIVAL_BITS + _COURIER_BITS), courier, arrival_s + first_s


def _cells_of(lat: NDArray[np.float64], lng: NDArray[np.float64]) -> Indices:
    """The cells numbered as they are met: those of places rounded to a hundred metres."""
    numbers: dict[str, int] = {}
    squares = zip(*(np.rint(one * 1000).astype(int).tolist() for one in (lat, lng)), strict=True)
    cells = (cell_near(north, east, _RESOLUTION) for north, east in squares)
    return np.array([numbers.setdefault(cell, len(numbers)) for cell in cells], dtype=np.int64)


def _degrees(points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array([one.lat for one in points]), np.array([one.lng for one in points])


def _on_sphere(lat: NDArray[np.float64], lng: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a sphere of radius 1."""
    north, east = np.radians(lat), np.radians(lng)
    flat = np.cos(north)
    return np.stack([flat * np.cos(east), flat * np.sin(east), np.sin(north)], axis=1)


def _sorted_by(ids: Iterable[str]) -> Indices:
    names = list(ids)
    return np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
