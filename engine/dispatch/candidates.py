"""Who could serve an order: couriers by H3 cells around its shop, by travel time, soonest first."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.dispatch.muster import Muster
from engine.dispatch.roster import KINDS, SKILLS
from engine.dispatch.why import may_not_again, reach_s
from engine.geo.cells import numbers_near
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Degrees, Seconds, VehicleKind, travel_times
from engine.kernel.place import EARTH_RADIUS_M, Point
from engine.kernel.timing import Instant
from engine.orders.cash import cash_due
from engine.orders.order import Order
from optimizer.candidates import CandidateTable, members

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

_RESOLUTION: Final = 8
# Couriers measured for one who is asked.
_MEASURED: Final = 3
# What the last bits of the floats in a bound may amount to.
_BOUND_SLACK_M: Final = 2.0
_EVERYBODY: Final = 2**40
_ARRIVAL_BITS, _COURIER_BITS, _CELL_BITS = 24, 20, 20
_ANY_KIND: Final = (1 << len(KINDS)) - 1


class _Ask(NamedTuple):
    """What is asked for at a shop; orders that ask for the same have the same candidates.

    `kinds` and `skills` are sets of bits; `cash` is due at the door; `barred` are those, by place,
    who may not be asked again.
    """

    shop: int
    reach_s: int
    units: int
    grams: int
    kinds: int
    skills: int
    cash: int
    barred: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Search:
    """Everything that says who could serve which order; finding it out takes a while.

    Order jobs[o] asks for asks[ask[o]]; couriers are columns in the order of ids.
    """

    jobs: tuple[str, ...]
    ask: Indices
    asks: tuple[_Ask, ...]
    shop_lat: Degrees
    shop_lng: Degrees
    couriers: tuple[str, ...]
    lat: Degrees
    lng: Degrees
    free_s: Seconds
    kind: Indices
    units: Indices
    grams: Indices
    skills: Indices
    cash: Indices
    parameters: ZoneParameters
    now: Instant

    def find(self) -> CandidateTable:
        """For each order at most `candidates_max` couriers, who could fetch it soonest first."""
        begins, whom = np.zeros(len(self.asks) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if self.asks and self.couriers:
            begins, whom = _Choice(self).of_asks()
        counts = np.diff(begins)[self.ask]
        _, places = members(begins[self.ask], counts)
        return CandidateTable(
            jobs=self.jobs,
            vehicles=self.couriers,
            begins=np.concatenate([[0], np.cumsum(counts)]),
            vehicle=whom[places].astype(np.int32),
        )


def search_of(
    orders: Sequence[Order],
    shop: Sequence[int],
    shops: Sequence[Point],
    muster: Muster,
    parameters: ZoneParameters,
) -> Search:
    """The search for these orders, which wait in shops[shop[o]], among who may be asked."""
    now, ids = muster.now, muster.ids
    asks: dict[_Ask, int] = {}
    ask = []
    for order, at in zip(orders, shop, strict=True):
        gift, reach = order.gift, reach_s(order, parameters, now)
        kinds = sum(1 << KINDS[one] for one in gift.vehicles) if gift.vehicles else _ANY_KIND
        skills = sum(SKILLS[one] for one in set(gift.skills)) if gift.skills else 0
        barred = _barred(order, ids, parameters, now) if order.lapsed else ()
        asked = _Ask(
            at, reach, gift.size_units, gift.weight_g, kinds, skills, cash_due(order), barred
        )
        ask.append(asks.setdefault(asked, len(asks)))
    shop_lat, shop_lng = _degrees(shops)
    return Search(
        jobs=tuple([one.id for one in orders]),
        ask=np.array(ask, dtype=np.int64),
        asks=tuple(asks),
        shop_lat=shop_lat,
        shop_lng=shop_lng,
        couriers=ids,
        lat=muster.lat,
        lng=muster.lng,
        free_s=muster.free_s,
        kind=muster.kind,
        units=muster.units,
        grams=muster.grams,
        skills=muster.skills,
        cash=muster.cash,
        parameters=parameters,
        now=now,
    )


def _barred(
    order: Order, ids: Sequence[str], parameters: ZoneParameters, now: Instant
) -> tuple[int, ...]:
    found = []
    for courier_id in may_not_again(order, parameters, now):
        at = bisect_left(ids, courier_id)
        if at < len(ids) and ids[at] == courier_id:
            found.append(at)
    return tuple(found)


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
        return members(self.begins[shops], self.counts[shops])


class _Choice:
    """Chooses among the couriers for everything that is asked for in a tick at once."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._around = _Surroundings(search)
        columns = list(zip(*search.asks, strict=True))
        self._shop, self._reach, self._units, self._grams, self._kinds, self._skills, self._cash = (
            np.array(column, dtype=np.int64) for column in columns[:-1]
        )
        self._barred = np.array(
            [self._pair(at, one) for at, ask in enumerate(search.asks) for one in ask.barred],
            dtype=np.int64,
        )

    def of_asks(self) -> tuple[Indices, Indices]:
        """Couriers, the soonest first, and where those of each ask begin.

        Who is near enough to be measured is guessed at first; where the guess was too narrow, it is
        as wide as those found so far.
        """
        wanted = self._search.parameters.candidates_max
        bounds_s = self._around.bounds_s()
        until_s = self._around.guess(bounds_s, _MEASURED * wanted)
        waiting, found = np.arange(len(self._shop)), []
        while len(waiting):
            near = self._around.soonest(bounds_s, until_s)
            at, place = near.of(self._shop[waiting])
            able = self._may(waiting[at], near.courier[place], near.approach_s[place])
            at, place = self._first(at[able], place[able])
            needed_s = self._needed_s(len(waiting), at, near.arrival_s[place])
            is_known = needed_s <= until_s[self._shop[waiting]]
            kept = is_known[at]
            found.append((waiting[at[kept]], near.courier[place[kept]]))
            waiting, needed_s = waiting[~is_known], needed_s[~is_known]
            until_s = np.full(len(bounds_s), -_EVERYBODY)
            np.maximum.at(until_s, self._shop[waiting], needed_s)
        ask, courier = (np.concatenate(columns) for columns in zip(*found, strict=True))
        in_order = np.argsort(ask, kind="stable")
        begins = np.searchsorted(ask[in_order], np.arange(len(self._shop) + 1))
        return begins, courier[in_order]

    def _may(self, ask: Indices, courier: Indices, approach_s: Seconds) -> Flags:
        """Whether courier[i] may be asked for ask[i], as `why_not` says it of one."""
        search = self._search
        may: Flags = (
            (approach_s <= self._reach[ask])
            & (search.units[courier] >= self._units[ask])
            & (search.grams[courier] >= self._grams[ask])
            & (self._kinds[ask] >> search.kind[courier] & 1 > 0)
            & (self._skills[ask] & ~search.skills[courier] == 0)
        )
        if self._cash.any():
            held = search.cash[courier] + self._cash[ask]
            may &= (self._cash[ask] == 0) | (held <= search.parameters.cash_held_halalas_max)
        if len(self._barred):
            may &= ~np.isin(self._pair(ask, courier), self._barred)
        return may

    def _pair(self, ask: Indices | int, courier: Indices | int) -> Indices | int:
        return ask * len(self._search.couriers) + courier

    def _first(self, at: Indices, place: Indices) -> tuple[Indices, Indices]:
        """Of each ask at most as many as are wanted."""
        counts = np.bincount(at)
        rank = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        is_wanted = rank < self._search.parameters.candidates_max
        return at[is_wanted], place[is_wanted]

    def _needed_s(self, asks: int, at: Indices, arrival_s: Seconds) -> Seconds:
        """Until when everybody must be known who could be there, for these to be the soonest."""
        needed_s = np.full(asks, _EVERYBODY)
        is_full = np.bincount(at, minlength=asks) == self._search.parameters.candidates_max
        last = np.searchsorted(at, np.flatnonzero(is_full), side="right") - 1
        needed_s[is_full] = arrival_s[last]
        return needed_s


class _Surroundings:
    """Couriers by cell, so that only those near enough are measured.

    No courier can be at a shop before the least `free_s` of his cell plus the straight way to its
    nearest edge; edges are as far from a cell's middle as its farthest courier. Straight lines
    through the earth are no longer than great circles, and simpler to compute.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._travel = travel_times(search.parameters.travel)
        cells = numbers_near(search.lat, search.lng, _RESOLUTION)
        cell = np.unique(cells, return_inverse=True)[1]
        self._members = np.argsort(cell, kind="stable")
        self._counts = np.bincount(cell)
        self._begins = np.cumsum(self._counts) - self._counts
        at = _on_sphere(search.lat, search.lng)[:, self._members]
        self._middle = np.add.reduceat(at, self._begins, axis=1) / self._counts
        apart = at - np.repeat(self._middle, self._counts, axis=1)
        apart *= apart
        self._radius = np.sqrt(np.maximum.reduceat(apart.sum(axis=0), self._begins))
        self._free_first_s = np.minimum.reduceat(search.free_s[self._members], self._begins)

    def guess(self, bounds_s: Seconds, count: int) -> Seconds:
        """Until when about so many couriers could be at each shop, the nearest cells first."""
        # Bounds and cells packed into one number, for that sorts fastest.
        key = np.sort(bounds_s << _CELL_BITS | np.arange(len(self._counts)), axis=1)
        so_far = np.cumsum(self._counts[key & (2**_CELL_BITS - 1)], axis=1)
        last = np.minimum((so_far < count).sum(axis=1), len(self._counts) - 1)
        return np.take_along_axis(key, last[:, None], axis=1)[:, 0] >> _CELL_BITS

    def soonest(self, bounds_s: Seconds, until_s: Seconds) -> _Near:
        """Around each shop, at least those who could be there until then."""
        search = self._search
        shop, cell = np.nonzero(bounds_s <= until_s[:, None])
        pair, place = members(self._begins[cell], self._counts[cell])
        shop, courier = shop[pair], self._members[place]
        approach_s = self._approach_s(courier, search.shop_lat[shop], search.shop_lng[shop])
        is_near = approach_s <= search.parameters.approach_s_max
        shop, courier = shop[is_near], courier[is_near]
        shop, courier, arrival_s = self._sorted(shop, courier, approach_s[is_near])
        counts = np.bincount(shop, minlength=len(bounds_s))
        return _Near(
            courier=courier,
            approach_s=arrival_s - search.free_s[courier],
            arrival_s=arrival_s,
            begins=np.cumsum(counts) - counts,
            counts=counts,
        )

    def bounds_s(self) -> Seconds:
        """Before when nobody of a cell (columns) can be at a shop (rows)."""
        search = self._search
        speed = max(self._travel.speed_m_s(kind, search.now) for kind in VehicleKind)
        shops = _on_sphere(search.shop_lat, search.shop_lng)
        # One big table, changed in its place; a product of matrices would wake other threads.
        apart = np.zeros((shops.shape[1], self._middle.shape[1]))
        for ours, theirs in zip(shops, self._middle, strict=True):
            way = ours[:, None] - theirs
            way *= way
            apart += way
        np.sqrt(apart, out=apart)
        apart -= self._radius
        apart *= EARTH_RADIUS_M
        np.maximum(0, np.subtract(apart, _BOUND_SLACK_M, out=apart), out=apart)
        apart *= search.parameters.travel.detour / speed
        return apart.astype(np.int64) + self._free_first_s

    def _approach_s(self, courier: Indices, lat: Degrees, lng: Degrees) -> Seconds:
        search = self._search
        approach_s = np.zeros(len(courier), dtype=np.int64)
        kinds = search.kind[courier]
        for kind, number in KINDS.items():
            (mine,) = np.nonzero(kinds == number)
            whom = courier[mine]
            if len(mine):
                approach_s[mine] = self._travel.seconds(
                    search.lat[whom],
                    search.lng[whom],
                    lat[mine],
                    lng[mine],
                    vehicle=kind,
                    at=search.now,
                )
        return approach_s

    def _sorted(
        self, shop: Indices, courier: Indices, approach_s: Seconds
    ) -> tuple[Indices, Indices, Seconds]:
        """By shop, then by arrival, then by the couriers' ids: packed, for that sorts fastest."""
        free_s = self._search.free_s
        first_s = int(free_s.min())
        arrival_s = np.minimum(free_s[courier] + approach_s - first_s, 2**_ARRIVAL_BITS - 1)
        key = (shop << _ARRIVAL_BITS | arrival_s) << _COURIER_BITS | courier
        key.sort()
        courier = key & (2**_COURIER_BITS - 1)
        arrival_s = (key >> _COURIER_BITS) & (2**_ARRIVAL_BITS - 1)
        return key >> (_ARRIVAL_BITS + _COURIER_BITS), courier, arrival_s + first_s


def _degrees(points: Sequence[Point]) -> tuple[Degrees, Degrees]:
    return (
        np.array([one.lat for one in points], dtype=np.float64),
        np.array([one.lng for one in points], dtype=np.float64),
    )


def _on_sphere(lat: Degrees, lng: Degrees) -> NDArray[np.float64]:
    """Points of a sphere of radius 1, one row for each axis."""
    north, east = np.radians(lat), np.radians(lng)
    flat = np.cos(north)
    return np.stack([flat * np.cos(east), flat * np.sin(east), np.sin(north)])
