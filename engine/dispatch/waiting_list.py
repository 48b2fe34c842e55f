"""The orders of a zone's ticks as columns, kept from tick to tick."""

from collections.abc import Iterable
from itertools import repeat
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.dispatch.roster import KINDS, SKILLS
from engine.kernel.ids import OrderId
from engine.kernel.place import EARTH_RADIUS_M, Point
from engine.orders.cash import cash_due
from engine.orders.order import Order
from optimizer.candidates import members

_ANY_KIND: Final = (1 << len(KINDS)) - 1
_ROW: Final = np.dtype(
    [(name, np.float64) for name in ("shop_lat", "shop_lng", "door_lat", "door_lng")]
    + [
        (name, np.int64)
        for name in (
            "ready_at",
            "placed_at",
            "released_at",
            "due_at",
            "units",
            "grams",
            "kinds",
            "skills",
            "cash",
        )
    ]
    + [("has_lapsed", np.bool_)]
)
_NEEDS: Final = ("units", "grams", "kinds", "skills", "cash")
Indices = NDArray[np.int64]


class WaitingList:
    """Orders in the order of ids, one row for each.

    It is read anew for every tick. What is the same thing as before has its row already: things
    never change, they are replaced. `groups` names their shops; `kinds` and `skills` are sets of
    bits, `cash` is what is due at the door; `has_lapsed`: somebody was asked in vain.
    """

    def __init__(self) -> None:
        self.ids: tuple[OrderId, ...] = ()
        self.orders: tuple[Order, ...] = ()
        self.groups: list[str] = []
        self.rows = np.zeros(0, _ROW)

    @staticmethod
    def of(orders: Iterable[Order]) -> "WaitingList":
        """Of these alone."""
        found = WaitingList()
        found.read(orders)
        return found

    def read(self, orders: Iterable[Order]) -> None:
        """Look at all of them, and write the rows of those that have changed."""
        told = tuple(sorted(orders, key=attrgetter("id")))
        # By what they are, not by what is in them: that would be read of each.
        known = dict(zip(map(id, self.orders), range(len(self.orders)), strict=True))
        was = np.array(list(map(known.get, map(id, told), repeat(-1))), dtype=np.int64)
        self._arrange(tuple([one.id for one in told]), was)
        self._write(np.flatnonzero(was < 0).tolist(), told)
        self.orders = told

    def shops(self) -> "Shops":
        """Where they are fetched."""
        number: dict[str, int] = {}
        of = [number.setdefault(group, len(number)) for group in self.groups]
        shop = np.array(of, dtype=np.int64)
        first = np.full(len(number), len(of), dtype=np.int64)
        np.minimum.at(first, shop, np.arange(len(of)))
        lat, lng = self.rows["shop_lat"][first], self.rows["shop_lng"][first]
        return Shops(shop, lat, lng)

    def needs(self) -> NDArray[np.int64]:
        """What each asks of a courier, one column for each kind of need."""
        return np.stack([self.rows[name] for name in _NEEDS], axis=1)

    def _arrange(self, ids: tuple[OrderId, ...], was: Indices) -> None:
        """Keep the rows of those that are still the same, where they are now; -1 = another one."""
        rows = np.zeros(len(was), _ROW)
        rows[was >= 0] = self.rows[was[was >= 0]]
        self.groups = ["" if one < 0 else self.groups[one] for one in was.tolist()]
        self.ids, self.rows = ids, rows

    def _write(self, at: list[int], orders: tuple[Order, ...]) -> None:
        if at:
            self.rows[at] = [_row(orders[one]) for one in at]
        for one in at:
            self.groups[one] = group_of(orders[one].shop.point)


class Shops(NamedTuple):
    """The shop of each order by its number, and where the shops are, in degrees."""

    of: Indices
    lat: NDArray[np.float64]
    lng: NDArray[np.float64]

    def within(self, apart_m: int) -> tuple[Indices, Indices]:
        """The pairs of shops that are no farther apart, as the crow flies over flat ground."""
        by_lat = np.argsort(self.lat, kind="stable")
        north = np.radians(self.lat[by_lat]) * EARTH_RADIUS_M
        first, then = np.arange(len(north)), np.searchsorted(north, north + apart_m, side="right")
        of, place = members(first + 1, then - first - 1)
        one, other = by_lat[of], by_lat[place]
        east = np.radians(self.lng[other] - self.lng[one]) * np.cos(np.radians(self.lat[one]))
        is_near = np.hypot(north[place] - north[of], east * EARTH_RADIUS_M) <= apart_m
        return one[is_near], other[is_near]


def group_of(shop: Point) -> str:
    """What the optimizer calls the orders of one shop."""
    return f"{shop.lat:.7f},{shop.lng:.7f}"


def _row(order: Order) -> tuple[float, ...]:
    gift, shop, door = order.gift, order.shop.point, order.door.point
    released_at = order.placed_at if order.release_at is None else order.release_at
    kinds = sum(1 << KINDS[one] for one in gift.vehicles) if gift.vehicles else _ANY_KIND
    skills = sum(SKILLS[one] for one in set(gift.skills)) if gift.skills else 0
    places = shop.lat, shop.lng, door.lat, door.lng
    times = order.ready_at, order.placed_at, released_at, order.due_at
    needs = gift.size_units, gift.weight_g, kinds, skills, cash_due(order)
    return *places, *times, *needs, bool(order.lapsed)
