"""Everybody on duty in a zone as columns, kept from tick to tick."""

from collections.abc import Iterable, Mapping, Sequence
from operator import is_not
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.couriers.breaks import ends_when
from engine.couriers.courier import Courier, Duty
from engine.dispatch.eta import Sighting
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId
from engine.kernel.place import Point
from engine.kernel.skills import Skill

KINDS: Final = {kind: number for number, kind in enumerate(VehicleKind)}
SKILLS: Final = {skill: 1 << number for number, skill in enumerate(Skill)}
_NEVER: Final = 2**62
_NOWHERE: Final = Sighting(Point(lat=0.0, lng=0.0), -_NEVER)
# `is_free`: asked nothing, and on duty or back at `back_at`. `has_route`: he has something to do,
# or is on his way.
_ROW: Final = np.dtype(
    [(name, np.float64) for name in ("last_lat", "last_lng", "seen_lat", "seen_lng")]
    + [
        (name, np.int64)
        for name in (
            "seen_at",
            "leaves_at",
            "back_at",
            "ends_at",
            "free_since",
            "units",
            "grams",
            "skills",
            "cash",
        )
    ]
    + [("kind", np.int64), ("is_free", np.bool_), ("has_route", np.bool_)]
)
Rows = NDArray[np.void]


class Roster:
    """The couriers of a zone, in the order in which they are told, one row for each.

    It is read anew for every tick. Who is the same thing as before, and was seen where he was seen
    before, has his row already: things never change, they are replaced.
    """

    def __init__(self) -> None:
        self.ids: list[CourierId] = []
        self.couriers: Sequence[Courier] = ()
        self.sightings: list[Sighting | None] = []
        self._written: Sequence[Courier | None] = ()
        self.rows: Rows = np.zeros(0, _ROW)
        self.by_id: NDArray[np.int64] = np.zeros(0, np.int64)

    def read(self, couriers: Iterable[Courier], seen: Mapping[CourierId, Sighting]) -> None:
        """Look at everybody, and write the rows of those who have changed."""
        self.meet(couriers)
        self.look(seen)

    def meet(self, couriers: Iterable[Courier]) -> None:
        """Who is there, and what each has to do: the first half of reading."""
        couriers = tuple(couriers)
        ids = [one.id for one in couriers]
        if ids != self.ids:
            self._arrange(ids)
        changed = _others(couriers, self._written)
        self._write(changed, [couriers[at] for at in changed.tolist()])
        self.couriers = self._written = couriers

    def look(self, seen: Mapping[CourierId, Sighting]) -> None:
        """Where each was seen last: the second half."""
        sightings = list(map(seen.get, self.ids))
        moved = _others(sightings, self.sightings)
        self._see(moved, [sightings[at] for at in moved.tolist()])
        self.sightings = sightings

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where everybody was seen last, or else stopped last: degrees north and east."""
        rows, is_seen = self.rows, self.rows["seen_at"] > -_NEVER
        lat = np.where(is_seen, rows["seen_lat"], rows["last_lat"])
        return lat, np.where(is_seen, rows["seen_lng"], rows["last_lng"])

    def _arrange(self, ids: list[CourierId]) -> None:
        """Keep the rows of those who are still there, at their new places."""
        known = {one: at for at, one in enumerate(self.ids)}
        before = [known.get(one, -1) for one in ids]
        places, rows = np.array(before, dtype=np.int64), np.zeros(len(ids), _ROW)
        rows["seen_at"] = -_NEVER
        rows[places >= 0] = self.rows[places[places >= 0]]
        self.rows = rows
        self._written = tuple([None if at < 0 else self._written[at] for at in before])
        self.sightings = [None if at < 0 else self.sightings[at] for at in before]
        self.ids = ids
        self.by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)

    def _write(self, at: NDArray[np.int64], couriers: list[Courier]) -> None:
        if not len(at):
            return
        rows, points = self.rows, [one.last_point for one in couriers]
        rows["last_lat"][at] = [one.lat for one in points]
        rows["last_lng"][at] = [one.lng for one in points]
        rows["leaves_at"][at] = [one.leaves_at for one in couriers]
        ends = [one.works_until for one in couriers]
        rows["ends_at"][at] = [_NEVER if one is None else one for one in ends]
        rows["free_since"][at] = [one.free_since for one in couriers]
        rows["units"][at] = [one.capacity_units for one in couriers]
        rows["grams"][at] = [one.capacity_g for one in couriers]
        rows["kind"][at] = [KINDS[one.vehicle] for one in couriers]
        rows["skills"][at] = [sum(SKILLS[skill] for skill in one.skills) for one in couriers]
        rows["cash"][at] = [one.cash_at_stake_halalas for one in couriers]
        backs = [ends_when(one) for one in couriers]
        rows["back_at"][at] = [back or 0 for back in backs]
        rows["is_free"][at] = [
            one.offer_id is None and (one.duty is Duty.ON or back is not None)
            for one, back in zip(couriers, backs, strict=True)
        ]
        rows["has_route"][at] = [bool(one.route) for one in couriers]

    def _see(self, at: NDArray[np.int64], sightings: list[Sighting | None]) -> None:
        if not len(at):
            return
        rows, told = self.rows, [_NOWHERE if one is None else one for one in sightings]
        points = [one.point for one in told]
        rows["seen_lat"][at] = [one.lat for one in points]
        rows["seen_lng"][at] = [one.lng for one in points]
        rows["seen_at"][at] = [one.at for one in told]


def _others(now: Sequence[object], before: Sequence[object]) -> NDArray[np.int64]:
    """Where there is another thing than before."""
    is_other = np.fromiter(map(is_not, now, before), dtype=np.bool_, count=len(now))
    return np.flatnonzero(is_other)
