"""The trips that were ever considered, as rows of numbers, to compute schedules in bulk."""

from collections.abc import Sequence

import numpy as np

from optimizer.sequencing import Stops, best_order
from optimizer.tables import NEVER, Bools, Ints, Tables


class TripBook:
    """Rows of trips; row j < number of jobs is job j alone. c is a vehicle's pace class.

    A trip picked up at p costs slope * p + constant[c] + the sum over b of kink_weight[b] * max(0,
    p - kink[c, b]). handover_min[c]: the earliest arrival at the counter for which no job is
    delivered too much later than alone.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._width = max(
            [
                1,
                tables.policy.bundle_size_max,
                *(len(vehicle.locked) for vehicle in tables.vehicles),
            ]
        )
        self.jobs: list[tuple[int, ...]] = []
        self._rows: dict[tuple[int, ...], int | None] = {}
        self._ordered: dict[tuple[int, ...], int | None] = {}
        self._rides: dict[int, tuple[dict[int, int], list[list[int]]]] = {}
        self._reserve(max(64, 2 * len(tables.jobs)))
        for j in range(len(tables.jobs)):
            self._append((j,), locked=False)

    def __len__(self) -> int:
        return len(self.jobs)

    def row(self, jobs: Sequence[int]) -> int | None:
        """The row that delivers these jobs of one group in the best order; None = not allowed."""
        if len(jobs) == 1:
            return jobs[0]
        key = tuple(sorted(jobs))
        if key not in self._rows:
            fits = len(key) <= self._tables.policy.bundle_size_max
            self._rows[key] = self._append(self._order(key), locked=False) if fits else None
        return self._rows[key]

    def ordered_row(self, jobs: tuple[int, ...]) -> int | None:
        """The row that delivers these jobs in this order; None = not allowed as one trip."""
        if len({int(self._tables.group[j]) for j in jobs}) > 1:
            return None
        best = self.row(jobs)
        if best is not None and self.jobs[best] == jobs:
            return best
        if jobs not in self._ordered:
            fits = len(jobs) <= self._tables.policy.bundle_size_max
            self._ordered[jobs] = self._append(jobs, locked=False) if fits else None
        return self._ordered[jobs]

    def locked_row(self, jobs: Sequence[int]) -> int:
        """A trip that was promised before, so that the bounds on bundles do not apply to it."""
        row = self._append(self._order(tuple(sorted(jobs))), locked=True)
        assert row is not None, "no bound applies"
        return row

    def cost(self, row: Ints, at: Ints, pickup_s: Ints) -> Ints:
        """What a trip costs from the pickup on; at = row * pace classes + pace class."""
        cost = self.slope[row] * pickup_s + self.constant[at]
        cost += self.kink_weight[row, 0] * np.maximum(0, pickup_s - self.kink[at, 0])
        for b in range(1, self._width):
            weight = self.kink_weight[row, b]
            if not weight.any():
                break
            cost += weight * np.maximum(0, pickup_s - self.kink[at, b])
        return cost

    def deliveries_s(self, row: int, pace: int, pickup_s: int) -> tuple[int, ...]:
        """When each job of a trip is delivered."""
        jobs, at = self.jobs[row], row * len(self._tables.paces) + pace
        dues = self._tables.due_s[list(jobs)].tolist()
        kinks = self.kink[at, : len(jobs)].tolist()
        return tuple(pickup_s + due - kink for due, kink in zip(dues, kinks, strict=True))

    def candidates(self, rows: Ints) -> Bools:
        """[i, v]: whether vehicle v may carry rows[i]."""
        tables = self._tables
        allowed = self.size[rows][:, None] <= tables.capacity
        if not tables.anybody:
            for b in range(self._width):
                allowed &= tables.may[self.member[rows, b]]
        return allowed

    def may(self, row: Ints, vehicle: Ints) -> Bools:
        """Whether the vehicles may carry the rows: candidates of every job, and room."""
        tables = self._tables
        allowed = self.size[row] <= tables.capacity[vehicle]
        if not tables.anybody:
            for b in range(self._width):
                allowed &= tables.may[self.member[row, b], vehicle]
        return allowed

    def moved_cost(self, row: Ints, vehicle: Ints) -> Ints:
        """The stability cost of giving the rows to the vehicles."""
        tables = self._tables
        cost = np.zeros(len(row), dtype=np.int64)
        if stability := tables.policy.weights.stability:
            for b in range(self._width):
                kept = tables.kept[self.member[row, b]]
                cost += stability * ((kept >= 0) & (kept != vehicle))
        return cost

    def _reserve(self, rows: int) -> None:
        paces, width = len(self._tables.paces), self._width
        self.group = np.zeros(rows, dtype=np.int64)
        self.end = np.zeros(rows, dtype=np.int64)
        self.ready_s = np.zeros(rows, dtype=np.int64)
        self.size = np.zeros(rows, dtype=np.int64)
        self.slope = np.zeros(rows, dtype=np.int64)
        self.member = np.full((rows, width), len(self._tables.jobs), dtype=np.int64)
        self.kink_weight = np.zeros((rows, width), dtype=np.int64)
        self.kink = np.zeros((rows * paces, width), dtype=np.int64)
        self.constant = np.zeros(rows * paces, dtype=np.int64)
        self.duration_s = np.zeros(rows * paces, dtype=np.int64)
        self.handover_min_s = np.zeros(rows * paces, dtype=np.int64)

    def _grow(self) -> None:
        for name, column in vars(self).items():
            if isinstance(column, np.ndarray):
                fill = len(self._tables.jobs) if name == "member" else 0
                setattr(self, name, np.concatenate([column, np.full_like(column, fill)]))

    def _order(self, key: tuple[int, ...]) -> tuple[int, ...]:
        """The best order when picked up as soon as all is ready, at the first pace class."""
        tables = self._tables
        pickup_s = max(0, *(int(tables.ready_s[j]) for j in key))
        stops = Stops(
            legs_s=self._legs(key, 0),
            start_s=pickup_s + tables.service.pickup_after_s,
            before_s=tables.service.delivery_before_s,
            after_s=tables.service.delivery_after_s,
            due_s=[int(tables.due_s[j]) for j in key],
            waiting=[int(tables.waiting[j]) for j in key],
            lateness=[int(tables.lateness[j]) for j in key],
            travel=tables.policy.weights.travel,
        )
        return tuple(key[stop] for stop in best_order(stops))

    def _legs(self, jobs: Sequence[int], pace: int) -> list[list[int]]:
        """legs[i][k]: seconds from the shop (i = 0) or the door of job i - 1 to that of job k."""
        at, rides = self._group_rides(int(self._tables.group[jobs[0]]))
        origins, stops = [0, *(at[j] + 1 for j in jobs)], [at[j] for j in jobs]
        permille = int(self._tables.paces[pace])
        return [[-(-rides[i][k] * permille // 1000) for k in stops] for i in origins]

    def _group_rides(self, group: int) -> tuple[dict[int, int], list[list[int]]]:
        if group not in self._rides:
            tables = self._tables
            jobs = np.nonzero(tables.group == group)[0]
            doors = tables.door[jobs]
            origins = np.concatenate([[tables.shop_place[group]], doors])
            seconds = tables.roads.between_s(
                np.repeat(origins, len(doors)), np.tile(doors, len(origins))
            )
            at = {int(j): i for i, j in enumerate(jobs)}
            self._rides[group] = at, seconds.reshape(len(origins), len(doors)).tolist()
        return self._rides[group]

    def _append(self, jobs: tuple[int, ...], *, locked: bool) -> int | None:
        """Add the row; None when its jobs hinder each other too much, come what may."""
        tables, row = self._tables, len(self.jobs)
        if row == len(self.group):
            self._grow()
        for pace in range(len(tables.paces)):
            at = row * len(tables.paces) + pace
            offsets_s, duration_s, driving_s = self._offsets(jobs, pace)
            handover_min_s = -NEVER if locked else self._handover_min_s(jobs, pace, offsets_s)
            if handover_min_s is None:
                return None
            self.handover_min_s[at] = handover_min_s
            self.duration_s[at] = duration_s
            constant = tables.policy.weights.travel * driving_s
            for b, (j, offset_s) in enumerate(zip(jobs, offsets_s, strict=True)):
                constant += int(tables.waiting[j]) * (offset_s - int(tables.earliest_s[j]))
                self.kink[at, b] = tables.due_s[j] - offset_s
            self.constant[at] = constant
        chosen = list(jobs)
        self.group[row] = tables.group[jobs[0]]
        self.end[row] = tables.door[jobs[-1]]
        self.ready_s[row] = tables.ready_s[chosen].max()
        self.size[row] = tables.size[chosen].sum()
        self.slope[row] = tables.waiting[chosen].sum()
        self.member[row] = len(tables.jobs)
        self.member[row, : len(jobs)] = chosen
        self.kink_weight[row] = 0
        self.kink_weight[row, : len(jobs)] = tables.lateness[chosen]
        self.jobs.append(jobs)
        return row

    def _offsets(self, jobs: tuple[int, ...], pace: int) -> tuple[list[int], int, int]:
        """Seconds from the pickup to each delivery, to being free again, and on the road."""
        service, legs = self._tables.service, self._legs(jobs, pace)
        offsets, now_s, driving_s = [], service.pickup_after_s, 0
        for i in range(len(jobs)):
            driving_s += legs[i][i]
            offsets.append(now_s + legs[i][i] + service.delivery_before_s)
            now_s = offsets[-1] + service.delivery_after_s
        return offsets, now_s, driving_s

    def _handover_min_s(
        self, jobs: tuple[int, ...], pace: int, offsets_s: Sequence[int]
    ) -> int | None:
        """Arriving when all is ready leaves only the detour; earlier adds the wait for others."""
        tables, service = self._tables, self._tables.service
        rides_s = self._legs(jobs, pace)[0]
        ready_s = max(int(tables.ready_s[j]) for j in jobs)
        handover_min_s = -NEVER
        for j, ride_s, offset_s in zip(jobs, rides_s, offsets_s, strict=True):
            alone_s = service.pickup_after_s + ride_s + service.delivery_before_s
            spare_s = tables.policy.bundle_extra_s_max - (offset_s - alone_s)
            if spare_s < 0:
                return None
            if ready_s - int(tables.ready_s[j]) > spare_s:
                handover_min_s = max(handover_min_s, ready_s - spare_s)
        return handover_min_s
