"""Who could serve an order: couriers by H3 cells around its shop, by travel time, soonest first."""

from collections.abc import Iterable, Iterator, Sequence
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

_RESOLUTION: Final = 8
# Cells whose distances are told apart at first, and couriers measured for one who is asked.
_CELLS: Final = 32
_MEASURED: Final = 3
# What the last bits of the floats in a bound may amount to.
_BOUND_SLACK_M: Final = 2.0
_EVERYBODY: Final = 2**40
_NOBODY: Final = np.zeros(0, dtype=np.int64)
_ARRIVAL_BITS, _COURIER_BITS = 24, 20


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
    return CandidateTable.of(
        [one.id for one in orders],
        [one.courier.id for one in couriers],
        _Choice(couriers, parameters, now).of(orders) if couriers else [_NOBODY] * len(orders),
    )


class _Near(NamedTuple):
    """Couriers around a shop, soonest first, each with his way there and when he is there.

    Whoever could be there by `until_s` is among them.
    """

    courier: Indices
    approach_s: Seconds
    arrival_s: Seconds
    until_s: int


class _Choice:
    """Chooses among the couriers for all orders of a tick at once."""

    def __init__(
        self, couriers: Sequence[Available], parameters: ZoneParameters, now: Instant
    ) -> None:
        self._couriers = [one.courier for one in couriers]
        self._parameters = parameters
        self._now = now
        self._around = _Surroundings(couriers, parameters, now)
        self._units_min = min(one.capacity_units for one in self._couriers)
        self._grams_min = min(one.capacity_g for one in self._couriers)

    def of(self, orders: Sequence[Order]) -> list[Indices]:
        """The candidates of each order.

        Who is near enough to be measured is guessed at first; where the guess was too narrow, it is
        as wide as those found so far.
        """
        found: list[Indices | None] = [None] * len(orders)
        shops = list(dict.fromkeys(one.shop.point for one in orders))
        until_s = self._around.guess(shops, _MEASURED * self._parameters.candidates_max)
        while shops:
            near = self._around.soonest(shops, until_s)
            wider: dict[Point, int] = {}
            alike: dict[tuple[Point, int], Indices] = {}
            for at, order in enumerate(orders):
                shop = order.shop.point
                if found[at] is not None or shop not in near:
                    continue
                chosen = self._chosen(order, near[shop], alike)
                needed_s = self._needed_s(chosen, near[shop])
                if needed_s <= near[shop].until_s:
                    found[at] = near[shop].courier[chosen]
                else:
                    wider[shop] = max(needed_s, wider.get(shop, 0))
            shops, until_s = list(wider), np.array(list(wider.values()), dtype=np.int64)
        return [one for one in found if one is not None]

    def _chosen(
        self, order: Order, near: _Near, alike: dict[tuple[Point, int], Indices]
    ) -> Indices:
        """The places in `near` of those who may be asked about an order."""
        within_s = reach_s(order, self._parameters, self._now)
        if not self._is_plain(order):
            able = self._able(order, near, within_s)
            return np.fromiter(able, dtype=np.int64)
        key = order.shop.point, within_s
        if key not in alike:
            count = self._parameters.candidates_max
            alike[key] = np.flatnonzero(near.approach_s <= within_s)[:count]
        return alike[key]

    def _is_plain(self, order: Order) -> bool:
        """Whether anybody may be asked about it who is near enough."""
        gift = order.gift
        return (
            gift.size_units <= self._units_min
            and gift.weight_g <= self._grams_min
            and not (gift.vehicles or gift.skills or order.lapsed)
        )

    def _able(self, order: Order, near: _Near, within_s: int) -> Iterator[int]:
        count = self._parameters.candidates_max
        ways = enumerate(zip(near.courier.tolist(), near.approach_s.tolist(), strict=True))
        for place, (index, approach_s) in ways:
            if count == 0:
                return
            courier = self._couriers[index]
            if approach_s <= within_s and may_be_asked(order, courier, self._parameters, self._now):
                yield place
                count -= 1

    def _needed_s(self, chosen: Indices, near: _Near) -> int:
        """Until when everybody must be known who could be there, for these to be the soonest."""
        if len(chosen) < self._parameters.candidates_max:
            return _EVERYBODY
        return int(near.arrival_s[chosen[-1]])


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

    def guess(self, shops: Sequence[Point], count: int) -> Seconds:
        """Until when about so many couriers could be at each shop, the nearest cells first."""
        bound_s, cells = self._bounds_s(shops), min(_CELLS, len(self._counts))
        nearest = np.argpartition(bound_s, cells - 1, axis=1)[:, :cells]
        bound_s = np.take_along_axis(bound_s, nearest, axis=1)
        order = np.argsort(bound_s, axis=1)
        bound_s = np.take_along_axis(bound_s, order, axis=1)
        counts = self._counts[np.take_along_axis(nearest, order, axis=1)]
        enough = (np.cumsum(counts, axis=1) < count).sum(axis=1)
        last = np.minimum(enough, cells - 1)
        return np.take_along_axis(bound_s, last[:, None], axis=1)[:, 0]

    def soonest(self, shops: Sequence[Point], until_s: Seconds) -> dict[Point, _Near]:
        """Around each shop, at least those who could be there until then."""
        shop, cell = np.nonzero(self._bounds_s(shops) <= until_s[:, None])
        counts = self._counts[cell]
        shop = np.repeat(shop, counts)
        within = np.arange(len(shop)) - np.repeat(np.cumsum(counts) - counts, counts)
        courier = self._members[np.repeat(self._begins[cell], counts) + within]
        approach_s = self._approach_s(courier, *(one[shop] for one in _degrees(shops)))
        is_near = approach_s <= self._parameters.approach_s_max
        shop, courier = shop[is_near], courier[is_near]
        shop, courier, arrival_s = self._sorted(shop, courier, approach_s[is_near])
        approach_s = arrival_s - self._free_s[courier]
        ends = np.searchsorted(shop, np.arange(len(shops)), side="right")
        rows = (slice(*row) for row in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))
        return {
            point: _Near(courier[row], approach_s[row], arrival_s[row], until)
            for point, row, until in zip(shops, rows, until_s.tolist(), strict=True)
        }

    def _bounds_s(self, shops: Sequence[Point]) -> Seconds:
        """Before when nobody of a cell (columns) can be at a shop (rows)."""
        travel = self._parameters.travel
        speed = max(self._travel.speed_m_s(kind, self._now) for kind in VehicleKind)
        at = _on_sphere(*_degrees(shops))
        cosine = at @ self._middle.T
        square = 1 + (self._middle**2).sum(axis=1) - 2 * cosine
        apart_m = EARTH_RADIUS_M * (np.sqrt(np.maximum(0, square)) - self._radius)
        straight_m = np.maximum(0, apart_m - _BOUND_SLACK_M)
        bound_s: Seconds = (straight_m * travel.detour / speed).astype(np.int64)
        return bound_s + self._free_first_s

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
