"""The trips that were ever considered, as rows of numbers, to compute schedules in bulk."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optimizer.arrays import NEVER, Bools, Ints
from optimizer.bundles import Bundler, Tour
from optimizer.tables import Tables

READY, DURATION, HANDOVER_MIN, SLOPE, CONSTANT, KINKS = range(6)


class PlainTrip(NamedTuple):
    """One row's facts, where one trip is looked at alone."""

    ready_s: int
    duration_s: int
    handover_min_s: int
    end: int
    slope: int
    constant: int
    kinks: list[int]

    def cost(self, pickup_s: int) -> int:
        """What the trip costs from the pickup on."""
        late = 0
        for kink, weight in zip(self.kinks[::2], self.kinks[1::2], strict=True):
            if pickup_s > kink:
                late += weight * (pickup_s - kink)
        return self.slope * pickup_s + self.constant + late


class TripBook:
    """Rows of trips; row j < number of jobs is job j alone.

    group, end, size and member (padded with the number of jobs) are by row. facts are by the row
    times the number of pace classes plus the pace class: ready_s, duration_s, handover_min_s and
    the cost. A trip picked up at p costs slope * p + constant + the sum over its jobs of
    weight * max(0, p - kink), where kinks and weights follow each other from column KINKS on.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables, self._bundler = tables, Bundler(tables)
        self._paces = len(tables.paces)
        locked = (len(vehicle.locked) for vehicle in tables.vehicles)
        self._width = max(1, tables.policy.bundle_size_max, *locked)
        self.jobs: list[tuple[int, ...]] = [(j,) for j in range(len(tables.jobs))]
        self._best: dict[tuple[int, ...], int | None] = {}
        self._ordered: dict[tuple[int, ...], int | None] = {}
        spare = 64 + len(tables.jobs)
        self.group = np.append(tables.group, np.zeros(spare, dtype=np.int64))
        self.end = np.append(tables.door, np.zeros(spare, dtype=np.int64))
        self.size = np.append(tables.size, np.zeros(spare, dtype=np.int64))
        self.member = np.full((len(self.group), self._width), len(tables.jobs), dtype=np.int64)
        self.member[: len(tables.jobs), 0] = np.arange(len(tables.jobs))
        self.facts = np.zeros(
            (len(self.group) * self._paces, KINKS + 2 * self._width), dtype=np.int64
        )
        for pace in range(self._paces):
            self._write_singles(pace)

    def row(self, jobs: Sequence[int]) -> int | None:
        """The row that delivers these jobs of one group in the best order; None = not allowed."""
        if len(jobs) == 1:
            return jobs[0]
        key = tuple(sorted(jobs))
        if key not in self._best:
            fits = len(key) <= self._tables.policy.bundle_size_max
            order = self._bundler.best_order(key) if fits else key
            self._best[key] = self.ordered_row(order) if fits else None
        return self._best[key]

    def ordered_row(self, jobs: tuple[int, ...]) -> int | None:
        """The row that delivers these jobs in this order; None = not allowed as one trip."""
        if len(jobs) == 1:
            return jobs[0]
        if jobs not in self._ordered:
            fits = len(jobs) <= self._tables.policy.bundle_size_max
            one_shop = len({int(self._tables.group[j]) for j in jobs}) == 1
            tours = self._tours(jobs) if fits and one_shop else []
            possible = bool(tours) and all(tour.handover_min_s is not None for tour in tours)
            self._ordered[jobs] = self._append(jobs, tours) if possible else None
        return self._ordered[jobs]

    def locked_row(self, jobs: Sequence[int]) -> int:
        """A trip that was promised before, so that the bounds on bundles do not apply to it."""
        order = tuple(jobs)
        if len(order) > 1:
            order = self._bundler.best_order(tuple(sorted(order)))
        return self._append(order, self._tours(order))

    def reordered_row(self, row: int, pickup_s: int) -> int | None:
        """The row that delivers the same jobs in the order that is best for a pickup then."""
        return self.ordered_row(self._bundler.best_order(tuple(sorted(self.jobs[row])), pickup_s))

    def cost(self, facts: Ints, pickup_s: Ints) -> Ints:
        """What the trips with these facts cost from the pickup on."""
        cost: Ints = facts[:, SLOPE] * pickup_s + facts[:, CONSTANT]
        for kink in range(KINKS, facts.shape[1], 2):
            weight = facts[:, kink + 1]
            if kink > KINKS and not weight.any():
                break
            cost += weight * np.maximum(0, pickup_s - facts[:, kink])
        return cost

    def plain(self, row: int, pace: int) -> "PlainTrip":
        """The facts of one row in a pace class."""
        ready_s, duration_s, handover_min_s, slope, constant, *kinks = self.facts[
            row * self._paces + pace
        ].tolist()
        return PlainTrip(
            ready_s, duration_s, handover_min_s, int(self.end[row]), slope, constant, kinks
        )

    def moved_cost_of(self, row: int, v: int) -> int:
        """The stability cost of giving one row to a vehicle."""
        stability = self._tables.policy.weights.stability
        if not stability:
            return 0
        kept = self._tables.kept[list(self.jobs[row])]
        return stability * int(((kept >= 0) & (kept != v)).sum())

    def deliveries_s(self, row: Ints, pace: Ints, pickup_s: Ints) -> Ints:
        """When the jobs of trips are delivered; beyond a trip's last job there is no sense."""
        due_s = np.append(self._tables.due_s, 0)[self.member[row]]
        deliveries_s: Ints = pickup_s[:, None] + due_s
        return deliveries_s - self.facts[row * self._paces + pace, KINKS::2]

    def candidates(self, rows: Ints, vehicles: Ints | None) -> tuple[Ints, Ints]:
        """Pairs i, v: vehicle v may carry rows[i]; only of these vehicles, or of all."""
        candidates, first = self._tables.candidates, self.member[rows, 0]
        if vehicles is None:
            i, v = candidates.of(first)
        else:
            i, v = candidates.among(first, vehicles)
        allowed = self.may(rows[i], v)
        return i[allowed], v[allowed]

    def may(self, row: Ints, vehicle: Ints) -> Bools:
        """Whether the vehicles may carry the rows: candidates of every job, and room."""
        tables = self._tables
        allowed = self.size[row] <= tables.capacity[vehicle]
        if not tables.candidates.anybody:
            for b in range(self._width):
                allowed &= tables.candidates.may[self.member[row, b], vehicle]
        return allowed

    def moved_cost(self, row: Ints, vehicle: Ints) -> Ints:
        """The stability cost of giving the rows to the vehicles."""
        cost = np.zeros(len(row), dtype=np.int64)
        for b in range(self._width):
            kept = self._tables.kept[self.member[row, b]]
            cost += (kept >= 0) & (kept != vehicle)
        return cost * self._tables.policy.weights.stability

    def _tours(self, jobs: tuple[int, ...]) -> list[Tour]:
        return [self._bundler.tour(jobs, pace) for pace in range(self._paces)]

    def _write_singles(self, pace: int) -> None:
        tables, service, jobs = self._tables, self._tables.service, len(self._tables.jobs)
        ride_s = tables.roads.paced_s(np.full(jobs, pace), tables.ride_s)
        offset_s = service.pickup_after_s + ride_s + service.delivery_before_s
        facts = self.facts[pace : jobs * self._paces : self._paces]
        facts[:, READY] = tables.ready_s
        facts[:, DURATION] = offset_s + service.delivery_after_s
        facts[:, HANDOVER_MIN] = -NEVER
        facts[:, SLOPE] = tables.waiting
        facts[:, CONSTANT] = tables.policy.weights.travel * ride_s
        facts[:, CONSTANT] += tables.waiting * (offset_s - tables.earliest_s)
        facts[:, KINKS] = tables.due_s - offset_s
        facts[:, KINKS + 1] = tables.lateness

    def _append(self, jobs: tuple[int, ...], tours: Sequence[Tour]) -> int:
        tables, row, chosen = self._tables, len(self.jobs), list(jobs)
        if row == len(self.group):
            self._grow()
        self.group[row] = tables.group[jobs[0]]
        self.end[row] = tables.door[jobs[-1]]
        self.size[row] = tables.size[chosen].sum()
        self.member[row, : len(jobs)] = chosen
        ready_s, waiting = tables.ready_s[chosen].max(), tables.waiting[chosen]
        for pace, tour in enumerate(tours):
            offsets_s = np.array(tour.offsets_s)
            constant = tables.policy.weights.travel * tour.driving_s
            constant += waiting @ (offsets_s - tables.earliest_s[chosen])
            handover_min_s = -NEVER if tour.handover_min_s is None else tour.handover_min_s
            facts = self.facts[row * self._paces + pace]
            facts[:KINKS] = ready_s, tour.duration_s, handover_min_s, waiting.sum(), constant
            facts[KINKS : KINKS + 2 * len(jobs) : 2] = tables.due_s[chosen] - offsets_s
            facts[KINKS + 1 : KINKS + 2 * len(jobs) : 2] = tables.lateness[chosen]
        self.jobs.append(jobs)
        return row

    def _grow(self) -> None:
        self.group = np.append(self.group, np.zeros_like(self.group))
        self.end = np.append(self.end, np.zeros_like(self.end))
        self.size = np.append(self.size, np.zeros_like(self.size))
        nobody = np.full_like(self.member, len(self._tables.jobs))
        self.member = np.concatenate([self.member, nobody])
        self.facts = np.concatenate([self.facts, np.zeros_like(self.facts)])
