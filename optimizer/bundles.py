"""One trip worked out: the order of its stops, how long it takes, who hinders whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.arrays import NEVER
from optimizer.sequencing import Stops, best_order
from optimizer.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """Seconds from the pickup to each delivery, to being free again, and on the road.

    handover_min_s: the earliest arrival at the counter for which no job is delivered too much later
    than alone; None = there is none.
    """

    offsets_s: tuple[int, ...]
    duration_s: int
    driving_s: int
    handover_min_s: int | None


class Bundler:
    """Works out trips of jobs of one group."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ready_s: list[int] = tables.ready_s.tolist()
        self._due_s: list[int] = tables.due_s.tolist()
        self._waiting: list[int] = tables.waiting.tolist()
        self._lateness: list[int] = tables.lateness.tolist()
        self._group: list[int] = tables.group.tolist()
        self._paces: list[int] = tables.paces.tolist()
        self._rides: dict[int, tuple[dict[int, int], list[list[int]]]] = {}

    def best_order(self, jobs: tuple[int, ...], pickup_s: int = 0) -> tuple[int, ...]:
        """The cheapest order at the first pace class, picked up then or when all is ready."""
        tables, service = self._tables, self._tables.service
        pickup_s = max(pickup_s, *(self._ready_s[j] for j in jobs))
        stops = Stops(
            legs_s=self._legs(jobs, 0),
            start_s=pickup_s + service.pickup_after_s,
            before_s=service.delivery_before_s,
            after_s=service.delivery_after_s,
            due_s=[self._due_s[j] for j in jobs],
            waiting=[self._waiting[j] for j in jobs],
            lateness=[self._lateness[j] for j in jobs],
            travel=tables.policy.weights.travel,
        )
        return tuple(jobs[stop] for stop in best_order(stops))

    def tour(self, jobs: tuple[int, ...], pace: int) -> Tour:
        """The trip in this order."""
        service, legs = self._tables.service, self._legs(jobs, pace)
        offsets, now_s, driving_s = [], service.pickup_after_s, 0
        for i in range(len(jobs)):
            driving_s += legs[i][i]
            offsets.append(now_s + legs[i][i] + service.delivery_before_s)
            now_s = offsets[-1] + service.delivery_after_s
        return Tour(
            offsets_s=tuple(offsets),
            duration_s=now_s,
            driving_s=driving_s,
            handover_min_s=self._handover_min_s(jobs, legs[0], offsets),
        )

    def _handover_min_s(
        self, jobs: tuple[int, ...], rides_s: Sequence[int], offsets_s: Sequence[int]
    ) -> int | None:
        """Arriving when all is ready leaves only the detour; earlier adds the wait for others."""
        service, extra_max_s = self._tables.service, self._tables.policy.bundle_extra_s_max
        ready_s = max(self._ready_s[j] for j in jobs)
        handover_min_s = -NEVER
        for j, ride_s, offset_s in zip(jobs, rides_s, offsets_s, strict=True):
            alone_s = service.pickup_after_s + ride_s + service.delivery_before_s
            spare_s = extra_max_s - (offset_s - alone_s)
            if spare_s < 0:
                return None
            if ready_s - self._ready_s[j] > spare_s:
                handover_min_s = max(handover_min_s, ready_s - spare_s)
        return handover_min_s

    def _legs(self, jobs: Sequence[int], pace: int) -> list[list[int]]:
        """legs[i][k]: seconds from the shop (i = 0) or the door of job i - 1 to that of job k."""
        at, rides = self._group_rides(self._group[jobs[0]])
        origins, stops = [0, *(at[j] + 1 for j in jobs)], [at[j] for j in jobs]
        permille = self._paces[pace]
        if permille == 1000:
            return [[rides[i][k] for k in stops] for i in origins]
        return [[-(-rides[i][k] * permille // 1000) for k in stops] for i in origins]

    def _group_rides(self, group: int) -> tuple[dict[int, int], list[list[int]]]:
        """Plain seconds from the shop and from every door of the group to every door of it."""
        if group not in self._rides:
            tables = self._tables
            jobs = np.nonzero(tables.group == group)[0]
            doors = tables.door[jobs]
            origins = np.concatenate([tables.shop_place[[group]], doors])
            seconds = tables.roads.between_s(
                np.repeat(origins, len(doors)), np.tile(doors, len(origins))
            )
            at = {j: i for i, j in enumerate(jobs.tolist())}
            self._rides[group] = at, seconds.reshape(len(origins), len(doors)).tolist()
        return self._rides[group]
