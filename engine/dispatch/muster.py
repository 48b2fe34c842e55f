"""Who may be asked in a tick, and where and when each of them is free."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.couriers.courier import Courier
from engine.dispatch.eta import walk
from engine.dispatch.roster import Roster
from engine.dispatch.underway import Busy, UnderWay
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CourierId
from engine.kernel.timing import SECOND_MS, Instant


class Muster:
    """Who may be asked at a moment, in the order of ids: where and when each is free.

    A copy: nothing that happens later changes it. Who has a route is `busy`, and is not known until
    `walk` was told of him.
    """

    def __init__(self, roster: Roster, parameters: ZoneParameters, now: Instant) -> None:
        self._parameters = parameters
        self.now = now
        is_available = roster.columns["is_free"] & (roster.columns["ends_at"] > now)
        places = roster.by_id[is_available[roster.by_id]]
        chosen, columns = places.tolist(), roster.of(places)
        self.ids = tuple(map(roster.ids.__getitem__, chosen))
        self._everybody, self._chosen = roster.couriers, chosen
        self.units, self.grams, self.cash = columns["units"], columns["grams"], columns["cash"]
        self.kind, self.skills = columns["kind"], columns["skills"]
        self.ends_at = columns["ends_at"]
        is_seen = columns["seen_at"] >= columns["leaves_at"]
        self.lat = np.where(is_seen, columns["seen_lat"], columns["last_lat"])
        self.lng = np.where(is_seen, columns["seen_lng"], columns["last_lng"])
        self.free_at = np.maximum(now, np.maximum(columns["leaves_at"], columns["back_at"]))
        self.idle_since = np.maximum(columns["free_since"], columns["back_at"])
        self.under_way: dict[CourierId, UnderWay] = {}
        self.busy: list[Busy] = []
        for place in np.flatnonzero(columns["has_route"]).tolist():
            at = chosen[place]
            self.busy.append(Busy(place, roster.couriers[at], roster.fixes[at]))

    def couriers(self) -> Iterator[Courier]:
        """They, as they were."""
        return map(self._everybody.__getitem__, self._chosen)

    @cached_property
    def free_s(self) -> NDArray[np.int64]:
        """In how many seconds each is free, when everybody was walked."""
        free_s: NDArray[np.int64] = (self.free_at - self.now) // SECOND_MS
        return free_s

    def walk(self, busy: Sequence[Busy], under_way: Mapping[CourierId, UnderWay]) -> None:
        """Find out where and when these are free; who is `under_way` is so in the first shop."""
        for at, courier, seen in busy:
            trip = under_way.get(courier.id)
            if trip is not None:
                self.under_way[courier.id] = trip
                point, self.free_at[at] = trip.shops[0], trip.arrives_at
            else:
                walked = walk(courier, seen, self._parameters, now=self.now)
                point, self.free_at[at] = walked.free_point, walked.free_at
            self.lat[at], self.lng[at] = point.lat, point.lng
            if courier.orders:
                self.idle_since[at] = self.free_at[at]
