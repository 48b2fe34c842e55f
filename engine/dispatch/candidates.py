"""Who could serve an order: couriers by H3 cells around its shop, by travel time, soonest first."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.dispatch.muster import Muster
from engine.dispatch.roster import KINDS
from engine.dispatch.waiting_list import Shops, WaitingList
from engine.dispatch.why import may_not_again, reaches_s
from engine.geo.cells import numbers_near
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Degrees, Points, Seconds, travel_times
from engine.kernel.place import EARTH_RADIUS_M
from engine.kernel.timing import Instant
from engine.orders.order import Order
from optimizer.candidates import CandidateTable, members
from optimizer.nearby import Asks, Cells, Nearest, People

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

_RESOLUTION: Final = 8
# Couriers measured beyond those who are asked.
_MEASURED_MORE: Final = 7
# What the last bits of the floats in a bound may amount to: in radii of the earth, and as a share.
_SLACK: Final = 1e-7
_SHORTER: Final = 1 - 1e-6
_EVERYBODY: Final = 2**40
_ARRIVAL_BITS, _COURIER_BITS = 24, 20


class Asked(NamedTuple):
    """What is asked for; orders that ask for the same have the same candidates.

    Ask a is made at shop[a] of those less than below_s[a] away; needs[a]: room, grams, kinds and
    skills as sets of bits, and cash due. barred[a]: those, by place, who may not be asked again.
    """

    shop: Indices
    below_s: Seconds
    needs: Indices
    barred: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Search:
    """Everything that says who could serve which order; finding it out takes a while.

    Order jobs[o] asks for what is asks' row ask[o]; couriers are columns in the order of ids.
    """

    jobs: tuple[str, ...]
    ask: Indices
    asks: Asked
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
        asks = len(self.asks.shop)
        begins, whom = np.zeros(asks + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if asks and self.couriers:
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
    orders: WaitingList, shops: Shops, muster: Muster, parameters: ZoneParameters
) -> Search:
    """The search for these orders, which wait in these shops, among who may be asked."""
    asks, ask = _asked(orders, shops, muster, parameters)
    return Search(
        jobs=orders.ids,
        ask=ask,
        asks=asks,
        shop_lat=shops.lat,
        shop_lng=shops.lng,
        couriers=muster.ids,
        lat=muster.lat,
        lng=muster.lng,
        free_s=muster.free_s,
        kind=muster.kind,
        units=muster.units,
        grams=muster.grams,
        skills=muster.skills,
        cash=muster.cash,
        parameters=parameters,
        now=muster.now,
    )


def _asked(
    orders: WaitingList, shops: Shops, muster: Muster, parameters: ZoneParameters
) -> tuple[Asked, Indices]:
    """What is asked for, and which of it each order asks for."""
    reach_s = reaches_s(orders.rows["released_at"], parameters, muster.now)
    barred: dict[tuple[int, ...], int] = {(): 0}
    whom = np.zeros(len(orders.ids), dtype=np.int64)
    for at in np.flatnonzero(orders.rows["has_lapsed"]).tolist():
        found = _barred(orders.orders[at], muster.ids, parameters, muster.now)
        whom[at] = barred.setdefault(found, len(barred))
    below_s = np.minimum(reach_s, parameters.approach_s_max) + 1
    needs = orders.needs()
    columns = shops.of, below_s, whom, *needs.T
    first, ask = _alike(columns)
    each = tuple(barred)
    asks = Asked(
        shop=shops.of[first],
        below_s=below_s[first],
        needs=needs[first],
        barred=tuple(map(each.__getitem__, whom[first].tolist())),
    )
    return asks, ask


def _alike(columns: Sequence[Indices]) -> tuple[Indices, Indices]:
    """The first of each kind of rows, which are alike in all columns, and each row's kind."""
    kind = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values, number = np.unique(column, return_inverse=True)
        if len(values) > 1:
            _, kind = np.unique(kind * len(values) + number, return_inverse=True)
    _, first = np.unique(kind, return_index=True)
    return first, kind


def _barred(
    order: Order, ids: Sequence[str], parameters: ZoneParameters, now: Instant
) -> tuple[int, ...]:
    found = []
    for courier_id in may_not_again(order, parameters, now):
        at = bisect_left(ids, courier_id)
        if at < len(ids) and ids[at] == courier_id:
            found.append(at)
    return tuple(found)


class _Choice:
    """Chooses among the couriers for everything that is asked for in a tick at once.

    A straight line through the earth is no longer than any way, so the soonest by their straight
    lines are measured, and who is then later than somebody unmeasured could be is chosen among
    more.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._travel = travel_times(search.parameters.travel)
        self._couriers = Points.at(search.lat, search.lng)
        self._shops = Points.at(search.shop_lat, search.shop_lng)
        self._at = np.ascontiguousarray(_on_sphere(self._couriers).T)
        cells = numbers_near(search.lat, search.lng, _RESOLUTION)
        self._members = np.argsort(cells)
        is_first = np.diff(cells[self._members], prepend=cells.dtype.type(0)) > 0
        self._begins = np.flatnonzero(is_first)
        self._counts = np.diff(np.append(self._begins, len(cells)))
        self._pace_s = self._seconds_a_unit()
        self._cells, self._people, self._asks = self._as_cells(), self._as_people(), self._as_asks()
        self._shop = search.asks.shop

    def of_asks(self) -> tuple[Indices, Indices]:
        """Couriers, the soonest first, and where those of each ask begin."""
        # It loads the compiler, which a cell that only states what is sought must not wait for.
        from optimizer.nearest import nearest  # noqa: PLC0415

        measured = self._search.parameters.candidates_max + _MEASURED_MORE
        waiting, found = np.arange(len(self._shop)), []
        while len(waiting):
            near = nearest(self._cells, self._people, self._some(waiting), measured)
            at, courier, arrival_s = self._measured(waiting, near)
            at, courier, arrival_s = self._first(at, courier, arrival_s)
            is_known = self._needed_s(len(waiting), at, arrival_s) + 1 <= near.until_s
            kept = is_known[at]
            found.append((waiting[at[kept]], courier[kept]))
            waiting, measured = waiting[~is_known], measured * 4
        ask, courier = (np.concatenate(columns) for columns in zip(*found, strict=True))
        in_order = np.argsort(ask, kind="stable")
        begins = np.searchsorted(ask[in_order], np.arange(len(self._shop) + 1))
        return begins, courier[in_order]

    def _seconds_a_unit(self) -> NDArray[np.float64]:
        """What each kind needs for an earth's radius, by its number."""
        search = self._search
        detour_m = search.parameters.travel.detour * EARTH_RADIUS_M
        pace_s = np.zeros(len(KINDS))
        for kind, number in KINDS.items():
            pace_s[number] = detour_m / self._travel.speed_m_s(kind, search.now)
        return pace_s * _SHORTER

    def _as_cells(self) -> Cells:
        """Each is as wide as the way from its middle to its farthest courier."""
        at = self._at[self._members]
        middle = np.add.reduceat(at, self._begins) / self._counts[:, None]
        apart = at - np.repeat(middle, self._counts, axis=0)
        radius = np.sqrt(np.maximum.reduceat((apart * apart).sum(axis=1), self._begins))
        free_s = self._search.free_s[self._members].astype(np.float64)
        return Cells(
            begins=np.append(self._begins, len(at)),
            middle=middle,
            radius=radius + _SLACK,
            free_s=np.minimum.reduceat(free_s, self._begins),
            least_s=float(self._pace_s.min()),
        )

    def _as_people(self) -> People:
        search, order = self._search, self._members
        kind = search.kind[order]
        able = search.units[order], search.grams[order], 1 << kind, search.skills[order]
        return People(
            where=self._at[order],
            free_s=search.free_s[order].astype(np.float64),
            pace_s=self._pace_s[kind],
            able=np.stack([*able, search.cash[order]], axis=1).astype(np.int64),
            number=order,
        )

    def _as_asks(self) -> Asks:
        search, asks = self._search, self._search.asks
        return Asks(
            where=_on_sphere(self._shops).T[asks.shop],
            below_s=asks.below_s,
            needs=asks.needs,
            barred_at=np.cumsum([0, *map(len, asks.barred)]),
            barred=np.array([who for one in asks.barred for who in one], dtype=np.int64),
            cash_max=search.parameters.cash_held_halalas_max,
        )

    def _some(self, chosen: Indices) -> Asks:
        asks = self._asks
        if len(chosen) == len(asks.where):
            return asks
        counts = np.diff(asks.barred_at)[chosen]
        _, places = members(asks.barred_at[chosen], counts)
        return Asks(
            where=asks.where[chosen],
            below_s=asks.below_s[chosen],
            needs=asks.needs[chosen],
            barred_at=np.append(0, np.cumsum(counts)),
            barred=asks.barred[places],
            cash_max=asks.cash_max,
        )

    def _measured(self, asks: Indices, near: Nearest) -> tuple[Indices, Indices, Seconds]:
        """Who of those is near enough, by ask (its place in `asks`), arrival and id."""
        at, column = np.nonzero(np.arange(near.people.shape[1]) < near.named[:, None])
        courier = self._members[near.people[at, column]]
        approach_s = self._approach_s(courier, self._shop[asks[at]])
        is_near = approach_s < self._asks.below_s[asks[at]]
        at, courier = at[is_near], courier[is_near]
        return _sorted(at, courier, approach_s[is_near] + self._search.free_s[courier])

    def _approach_s(self, courier: Indices, shop: Indices) -> Seconds:
        search = self._search
        approach_s = np.zeros(len(courier), dtype=np.int64)
        kinds = search.kind[courier]
        for kind, number in KINDS.items():
            (mine,) = np.nonzero(kinds == number)
            whom, where = courier[mine], shop[mine]
            if len(mine):
                approach_s[mine] = self._travel.seconds(
                    self._couriers[whom],
                    self._shops[where],
                    vehicle=kind,
                    at=search.now,
                )
        return approach_s

    def _first(
        self, at: Indices, courier: Indices, arrival_s: Seconds
    ) -> tuple[Indices, Indices, Seconds]:
        """Of each ask at most as many as are wanted."""
        counts = np.bincount(at)
        rank = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        is_wanted = rank < self._search.parameters.candidates_max
        return at[is_wanted], courier[is_wanted], arrival_s[is_wanted]

    def _needed_s(self, asks: int, at: Indices, arrival_s: Seconds) -> Seconds:
        """Until when everybody must be known who could be there, for these to be the soonest."""
        needed_s = np.full(asks, _EVERYBODY)
        is_full = np.bincount(at, minlength=asks) == self._search.parameters.candidates_max
        last = np.searchsorted(at, np.flatnonzero(is_full), side="right") - 1
        needed_s[is_full] = arrival_s[last]
        return needed_s


def _sorted(at: Indices, courier: Indices, arrival_s: Seconds) -> tuple[Indices, Indices, Seconds]:
    """By ask, then by arrival, then by the couriers' ids: packed, for that sorts fastest."""
    first_s = int(arrival_s.min(initial=_EVERYBODY))
    arrival_s = np.minimum(arrival_s - first_s, 2**_ARRIVAL_BITS - 1)
    key = (at << _ARRIVAL_BITS | arrival_s) << _COURIER_BITS | courier
    key.sort(kind="stable")
    courier = key & (2**_COURIER_BITS - 1)
    arrival_s = (key >> _COURIER_BITS) & (2**_ARRIVAL_BITS - 1)
    return key >> (_ARRIVAL_BITS + _COURIER_BITS), courier, arrival_s + first_s


def _on_sphere(points: Points) -> NDArray[np.float64]:
    """Points of a sphere of radius 1, one row for each axis."""
    east = np.radians(points.lng)
    axes = points.flat * np.cos(east), points.flat * np.sin(east), np.sin(points.north)
    return np.stack(axes)
