"""Everybody on duty in a zone as columns, kept from tick to tick."""

from collections.abc import Iterable, Mapping, Sequence
from operator import is_not
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.couriers.breaks import ends_when
from engine.couriers.courier import Courier, Duty
from engine.couriers.fixes import Fix
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId
from engine.kernel.skills import Skill

KINDS: Final = {kind: number for number, kind in enumerate(VehicleKind)}
SKILLS: Final = {skill: 1 << number for number, skill in enumerate(Skill)}
_NEVER: Final = 2**62
_NOWHERE: Final = Fix(lat=0.0, lng=0.0, at=-_NEVER, accuracy_m=0.0)
# `is_free`: asked nothing, and on duty or back at `back_at`. `has_route`: he has something to do,
# or is on his way.
_DTYPES: Final[dict[str, type[np.generic]]] = {
    **dict.fromkeys(("last_lat", "last_lng", "seen_lat", "seen_lng"), np.float64),
    **dict.fromkeys(("seen_at", "leaves_at", "back_at", "ends_at", "free_since"), np.int64),
    **dict.fromkeys(("units", "grams", "skills", "cash", "kind"), np.int64),
    **dict.fromkeys(("is_free", "has_route"), np.bool_),
}
Columns = dict[str, NDArray[Any]]


class Roster:
    """The couriers of a zone, in the order in which they are told, one row for each.

    It is read anew for every tick. Who is the same thing as before, and was seen where he was seen
    before, has his row already: things never change, they are replaced.
    """

    def __init__(self) -> None:
        self.ids: list[CourierId] = []
        self.couriers: Sequence[Courier] = ()
        self.fixes: list[Fix | None] = []
        self._written: Sequence[Courier | None] = ()
        self.columns = _columns(0)
        self.by_id: NDArray[np.int64] = np.zeros(0, np.int64)

    def read(self, couriers: Iterable[Courier], seen: Mapping[CourierId, Fix]) -> None:
        """Look at everybody, and write the rows of those who have changed."""
        self.meet(couriers)
        self.look(seen)

    def meet(self, couriers: Iterable[Courier]) -> None:
        """Who is there, and what each has to do: the first half of reading."""
        couriers = tuple(couriers)
        changed = _others(couriers, self._written)
        if not self._are_same(couriers, changed):
            self._arrange([one.id for one in couriers])
            changed = _others(couriers, self._written)
        self._write(changed, [couriers[at] for at in changed.tolist()])
        self.couriers = self._written = couriers

    def look(self, seen: Mapping[CourierId, Fix]) -> None:
        """Where each was seen last: the second half."""
        fixes = list(map(seen.get, self.ids))
        moved = _others(fixes, self.fixes)
        self._see(moved, [fixes[at] for at in moved.tolist()])
        self.fixes = fixes

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where everybody was seen last, or else stopped last: degrees north and east."""
        columns, is_seen = self.columns, self.columns["seen_at"] > -_NEVER
        lat = np.where(is_seen, columns["seen_lat"], columns["last_lat"])
        return lat, np.where(is_seen, columns["seen_lng"], columns["last_lng"])

    def of(self, places: NDArray[np.int64]) -> Columns:
        """A copy of the rows of those who are there."""
        return {name: column[places] for name, column in self.columns.items()}

    def _are_same(self, couriers: Sequence[Courier], changed: NDArray[np.int64]) -> bool:
        """Whether they are the people of the last time in the same order, changed or not."""
        if len(couriers) != len(self.ids):
            return False
        return all(couriers[at].id == self.ids[at] for at in changed.tolist())

    def _arrange(self, ids: list[CourierId]) -> None:
        """Keep the rows of those who are still there, at their new places."""
        known = {one: at for at, one in enumerate(self.ids)}
        before = [known.get(one, -1) for one in ids]
        places, columns = np.array(before, dtype=np.int64), _columns(len(ids))
        is_kept = places >= 0
        for name, column in self.columns.items():
            columns[name][is_kept] = column[places[is_kept]]
        self.columns = columns
        self._written = tuple([None if at < 0 else self._written[at] for at in before])
        self.fixes = [None if at < 0 else self.fixes[at] for at in before]
        self.ids = ids
        self.by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)

    def _write(self, at: NDArray[np.int64], couriers: list[Courier]) -> None:
        if not len(at):
            return
        columns, points = self.columns, [one.last_point for one in couriers]
        columns["last_lat"][at] = [one.lat for one in points]
        columns["last_lng"][at] = [one.lng for one in points]
        columns["leaves_at"][at] = [one.leaves_at for one in couriers]
        ends = [one.works_until for one in couriers]
        columns["ends_at"][at] = [_NEVER if one is None else one for one in ends]
        columns["free_since"][at] = [one.free_since for one in couriers]
        columns["units"][at] = [one.capacity_units for one in couriers]
        columns["grams"][at] = [one.capacity_g for one in couriers]
        columns["kind"][at] = [KINDS[one.vehicle] for one in couriers]
        columns["skills"][at] = [sum(SKILLS[skill] for skill in one.skills) for one in couriers]
        columns["cash"][at] = [one.cash_at_stake_halalas for one in couriers]
        backs = [ends_when(one) for one in couriers]
        columns["back_at"][at] = [back or 0 for back in backs]
        columns["is_free"][at] = [
            one.offer_id is None and (one.duty is Duty.ON or back is not None)
            for one, back in zip(couriers, backs, strict=True)
        ]
        columns["has_route"][at] = [bool(one.route) for one in couriers]

    def _see(self, at: NDArray[np.int64], fixes: list[Fix | None]) -> None:
        if not len(at):
            return
        columns, told = self.columns, [_NOWHERE if one is None else one for one in fixes]
        columns["seen_lat"][at] = [one.lat for one in told]
        columns["seen_lng"][at] = [one.lng for one in told]
        columns["seen_at"][at] = [one.at for one in told]


def _columns(count: int) -> Columns:
    """Of people who were seen nowhere, as columns: each is read alone."""
    columns: Columns = {name: np.zeros(count, dtype=kind) for name, kind in _DTYPES.items()}
    columns["seen_at"][:] = -_NEVER
    return columns


def _others(now: Sequence[object], before: Sequence[object]) -> NDArray[np.int64]:
    """Where there is another thing than before, as far as both go."""
    both = min(len(now), len(before))
    return np.flatnonzero(np.fromiter(map(is_not, now, before), dtype=np.bool_, count=both))
