"""The plan in the making: chains of trips, their schedule, and what any change costs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate

import numpy as np

from optimizer.arrays import INFEASIBLE, Bools, Ints
from optimizer.tables import Tables
from optimizer.trips import DURATION, HANDOVER_MIN, READY, TripBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Trips as they would unfold, in bulk."""

    cost: Ints
    pickup_s: Ints
    free_s: Ints
    possible: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vehicle:
    """One vehicle's numbers, where one is looked at alone."""

    free_s: int
    place: int
    latest_s: int
    pace: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """rows[v, k] is the trip in slot k of vehicle v, -1 = none; count[v] of them.

    free_s and place [v, k]: when and where v is after k trips. pickup_s[v, k]: of the trip in slot
    k. rest[v, k]: the cost of the trips from slot k on.
    """

    rows: Ints
    count: Ints
    free_s: Ints
    place: Ints
    pickup_s: Ints
    rest: Ints

    def copy(self) -> "Schedule":
        """The same numbers, to come back to."""
        return Schedule(**{each.name: getattr(self, each.name).copy() for each in fields(self)})


class Chains:
    """The schedule and the rules of changing it.

    first[v]: the first slot where a trip may come or go. promised[v]: the row of the locked trip,
    -1 = none.
    """

    def __init__(self, tables: Tables, book: TripBook) -> None:
        self.tables, self.book = tables, book
        vehicles, slots = len(tables.vehicles), tables.policy.trips_max
        self.now = Schedule(
            rows=np.full((vehicles, slots), -1, dtype=np.int64),
            count=np.zeros(vehicles, dtype=np.int64),
            free_s=np.tile(tables.free_s[:, None], (1, slots + 1)),
            place=np.tile(tables.start[:, None], (1, slots + 1)),
            pickup_s=np.zeros((vehicles, slots), dtype=np.int64),
            rest=np.zeros((vehicles, slots + 1), dtype=np.int64),
        )
        self.first = np.zeros(vehicles, dtype=np.int64)
        self.promised = np.full(vehicles, -1, dtype=np.int64)
        self._plain = [
            _Vehicle(free_s=free_s, place=place, latest_s=latest_s, pace=pace)
            for free_s, place, latest_s, pace in zip(
                tables.free_s.tolist(),
                tables.start.tolist(),
                tables.latest_s.tolist(),
                tables.pace.tolist(),
                strict=True,
            )
        ]
        for v, vehicle in enumerate(tables.vehicles):
            if vehicle.locked:
                row = book.locked_row([tables.job_at[id_] for id_ in vehicle.locked])
                self.first[v], self.promised[v] = 1, row
                self._put(v, [row])

    def chain(self, v: int) -> list[int]:
        """The rows of one vehicle."""
        rows: list[int] = self.now.rows[v, : self.now.count[v]].tolist()
        return rows

    def chain_promised(self, v: int) -> list[int]:
        """The least that one vehicle must do: its locked trip, if there is one."""
        return [int(self.promised[v])] if self.first[v] else []

    def carriers(self) -> Ints:
        """The vehicle of each job, -1 = left out."""
        v, slot = np.nonzero(self.now.rows >= 0)
        # One place more than jobs, for the padding of the rows' members.
        carrier = np.full(len(self.tables.jobs) + 1, -1, dtype=np.int64)
        carrier[self.book.member[self.now.rows[v, slot]]] = v[:, None]
        return carrier[:-1]

    def vehicle_costs(self, schedule: Schedule) -> Ints:
        """What each vehicle's chain costs in a schedule."""
        costs: Ints = schedule.rest[:, 0] + self.tables.start_cost * (schedule.count > 0)
        return costs

    def cost(self) -> int:
        """What the chains cost and what is left out."""
        left_out = self.tables.left_out_cost[self.carriers() < 0]
        return int(self.vehicle_costs(self.now).sum() + left_out.sum())

    def put(self, chains: Mapping[int, Sequence[int]]) -> dict[int, int]:
        """Give each vehicle its trips; of each, the number of leading trips that it can do.

        A vehicle that cannot do all of them must be given others before anything else is asked.
        """
        return {v: self._put(v, rows) for v, rows in chains.items()}

    def take_out(self, v: Ints, slot: Ints) -> Ints:
        """Take trips out, all but locked jobs; the jobs that are free now.

        A vehicle whose other trips cannot do without these keeps them.
        """
        gone: dict[int, set[int]] = {}
        for vehicle, k in zip(v.tolist(), slot.tolist(), strict=True):
            gone.setdefault(vehicle, set()).add(k)
        before = {vehicle: self.chain(vehicle) for vehicle in gone}
        after = {vehicle: self._without(vehicle, slots) for vehicle, slots in gone.items()}
        able = self.put(after)
        taken: set[int] = set()
        for vehicle, rows in after.items():
            if able[vehicle] < len(rows):
                self._put(vehicle, before[vehicle])
            else:
                taken.update(j for row in before[vehicle] for j in self.book.jobs[row])
                taken.difference_update(j for row in rows for j in self.book.jobs[row])
        return np.array(sorted(taken), dtype=np.int64)

    def back_to(self, saved: Schedule, v: Ints | None = None) -> None:
        """Undo what happened since `now` was copied, to these vehicles or to all."""
        which = slice(None) if v is None else v
        for each in fields(Schedule):
            getattr(self.now, each.name)[which] = getattr(saved, each.name)[which]

    def _without(self, v: int, slots: Collection[int]) -> list[int]:
        rows = [row for slot, row in enumerate(self.chain(v)) if slot not in slots]
        if self.first[v] and 0 in slots:
            rows.insert(0, int(self.promised[v]))
        return rows

    def change(self, v: Ints, slot: Ints, row: Ints, then: Ints) -> Ints:
        """What it costs more to drive `row` after `slot` trips, then the old ones from `then`.

        then = slot inserts, then = slot + 1 replaces. INFEASIBLE where a vehicle cannot do it.
        """
        now, tables, book = self.now, self.tables, self.book
        visit = self._visit(v, now.free_s[v, slot], now.place[v, slot], row)
        cost: Ints = visit.cost + tables.start_cost[v] * (now.count[v] == 0)
        possible = visit.possible & (now.count[v] + slot - then < tables.policy.trips_max)
        possible &= book.may(row, v)
        cost[~possible] = INFEASIBLE
        cost -= now.rest[v, slot]
        on = np.nonzero(possible & (then < now.count[v]))[0]
        if on.size:
            cost[on] += self.follow(v[on], visit.free_s[on], book.end[row[on]], then[on])
        return cost

    def follow(self, v: Ints, free_s: Ints, place: Ints, slot: Ints) -> Ints:
        """What it costs when v, free at a time and place, goes on with its trips from slot on.

        There must be one. From the first trip for which v is in time the rest is as it was.
        """
        now = self.now
        total, on = np.zeros(len(v), dtype=np.int64), np.arange(len(v))
        while on.size:
            row = now.rows[v, slot]
            visit = self._visit(v, free_s, place, row)
            cost = visit.cost
            cost[~visit.possible] = INFEASIBLE
            as_before = visit.pickup_s == now.pickup_s[v, slot]
            slot = slot + 1
            cost += np.where(as_before, now.rest[v, slot], 0)
            total[on] += cost
            going = np.nonzero(visit.possible & ~as_before & (slot < now.count[v]))[0]
            on, v, slot = on[going], v[going], slot[going]
            free_s, place = visit.free_s[going], self.book.end[row[going]]
        return total

    def in_time(self, v: Ints, row: Ints) -> Bools:
        """Whether a vehicle with nothing else to do could make the trip before its shift ends."""
        return self._visit(v, self.tables.free_s[v], self.tables.start[v], row).possible

    def _visit(self, v: Ints, free_s: Ints, place: Ints, row: Ints) -> Visits:
        tables, book = self.tables, self.book
        pace = tables.pace[v]
        facts = book.facts[row * len(tables.paces) + pace]
        approach_s = tables.roads.to_shop_s(pace, place, book.group[row])
        handover_s = free_s + approach_s + tables.service.pickup_before_s
        pickup_s = np.maximum(handover_s, facts[:, READY])
        cost = book.cost(facts, pickup_s) + tables.policy.weights.travel * approach_s
        if tables.policy.weights.stability:
            cost += book.moved_cost(row, v)
        return Visits(
            cost=cost,
            pickup_s=pickup_s,
            free_s=pickup_s + facts[:, DURATION],
            possible=(pickup_s <= tables.latest_s[v]) & (handover_s >= facts[:, HANDOVER_MIN]),
        )

    def _put(self, v: int, rows: Sequence[int]) -> int:
        """As `_visit`, but one trip after the other; one vehicle's few trips are faster so."""
        now, book, vehicle = self.now, self.book, self._plain[v]
        now.rows[v] = -1
        now.rows[v, : len(rows)] = rows
        now.count[v] = len(rows)
        free_s, place = vehicle.free_s, vehicle.place
        visits: list[tuple[int, int, int, int]] = []
        for slot, row in enumerate(rows):
            approach_s = self.tables.approach_s(vehicle.pace, place, int(book.group[row]))
            handover_s = free_s + approach_s + self.tables.service.pickup_before_s
            plain = book.plain(row, vehicle.pace)
            pickup_s = max(handover_s, plain.ready_s)
            possible = pickup_s <= vehicle.latest_s and handover_s >= plain.handover_min_s
            if not possible and row != self.promised[v]:
                return slot
            cost = plain.cost(pickup_s) + self.tables.policy.weights.travel * approach_s
            free_s, place = pickup_s + plain.duration_s, plain.end
            visits.append((pickup_s, free_s, place, cost + book.moved_cost_of(row, v)))
        if visits:
            pickups, frees, places, costs = zip(*visits, strict=True)
            now.pickup_s[v, : len(rows)] = pickups
            now.free_s[v, 1 : len(rows) + 1] = frees
            now.place[v, 1 : len(rows) + 1] = places
            now.rest[v, : len(rows)] = list(accumulate(reversed(costs)))[::-1]
        now.rest[v, len(rows) :] = 0
        return len(rows)
