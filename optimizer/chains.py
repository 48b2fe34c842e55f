"""The plan in the making: chains of trips, their schedule, and what any change costs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

import numpy as np

from optimizer.tables import INFEASIBLE, Bools, Ints, Tables
from optimizer.trips import DURATION, HANDOVER_MIN, READY, TripBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Trips as they would unfold, in bulk."""

    cost: Ints
    pickup_s: Ints
    free_s: Ints
    possible: Bools


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
        for v, vehicle in enumerate(tables.vehicles):
            if vehicle.locked:
                row = book.locked_row([tables.job_at[id_] for id_ in vehicle.locked])
                self.first[v], self.promised[v] = 1, row
                self.put([v], [[row]])

    def chain(self, v: int) -> list[int]:
        """The rows of one vehicle."""
        rows: list[int] = self.now.rows[v, : self.now.count[v]].tolist()
        return rows

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

    def put(self, vehicles: Sequence[int], chains: Sequence[Sequence[int]]) -> Ints:
        """Give each vehicle its trips; of each, the number of leading trips that it can do.

        A vehicle that cannot do all of them must be given others before anything else is asked.
        """
        now, v = self.now, np.array(vehicles, dtype=np.int64)
        now.rows[v] = -1
        now.count[v] = [len(chain) for chain in chains]
        for at, chain in zip(vehicles, chains, strict=True):
            now.rows[at, : len(chain)] = chain
        costs = np.zeros((len(v), now.rows.shape[1] + 1), dtype=np.int64)
        able: Ints = now.count[v].copy()
        for slot in range(int(able.max(initial=0))):
            on = np.nonzero(able > slot)[0]
            w = v[on]
            row = now.rows[w, slot]
            visit = self._visit(w, now.free_s[w, slot], now.place[w, slot], row)
            now.pickup_s[w, slot] = visit.pickup_s
            now.free_s[w, slot + 1], now.place[w, slot + 1] = visit.free_s, self.book.end[row]
            costs[on, slot] = visit.cost + self.book.moved_cost(row, w)
            unable = on[~visit.possible & (row != self.promised[w])]
            able[unable] = slot
        now.rest[v] = costs[:, ::-1].cumsum(axis=1)[:, ::-1]
        return able

    def take_out(self, v: Ints, slot: Ints) -> Ints:
        """Take trips out, all but locked jobs; the jobs that are free now.

        A vehicle whose other trips cannot do without these keeps them.
        """
        gone: dict[int, set[int]] = {}
        for vehicle, k in zip(v.tolist(), slot.tolist(), strict=True):
            gone.setdefault(vehicle, set()).add(k)
        before = {vehicle: self.chain(vehicle) for vehicle in gone}
        after = {vehicle: self._without(vehicle, slots) for vehicle, slots in gone.items()}
        able = self.put(list(after), list(after.values())).tolist()
        taken: set[int] = set()
        for (vehicle, rows), count in zip(after.items(), able, strict=True):
            if count < len(rows):
                self.put([vehicle], [before[vehicle]])
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
        cost: Ints = visit.cost + book.moved_cost(row, v)
        cost += tables.start_cost[v] * (now.count[v] == 0)
        possible = visit.possible & (now.count[v] + slot - then < tables.policy.trips_max)
        possible &= book.may(row, v)
        cost[~possible] = INFEASIBLE
        cost -= now.rest[v, slot]
        on = np.nonzero(possible & (then < now.count[v]))[0]
        if on.size:
            w = v[on]
            cost[on] += self.follow(w, visit.free_s[on], book.end[row[on]], w, then[on])
        return cost

    def follow(self, v: Ints, free_s: Ints, place: Ints, owner: Ints, slot: Ints) -> Ints:
        """What it costs when v, free at a time and place, drives the trips of owner from slot on.

        Where v drives its own trips and is in time for one of them, the rest is as it was. There
        must be a trip.
        """
        now, book = self.now, self.book
        total, on = np.zeros(len(v), dtype=np.int64), np.arange(len(v))
        while on.size:
            row = now.rows[owner, slot]
            visit = self._visit(v, free_s, place, row)
            cost = visit.cost + book.moved_cost(row, v)
            possible = visit.possible & ((owner == v) | book.may(row, v))
            cost[~possible] = INFEASIBLE
            as_before = (owner == v) & (visit.pickup_s == now.pickup_s[owner, slot])
            slot = slot + 1
            cost[as_before] += now.rest[owner[as_before], slot[as_before]]
            total[on] += cost
            going = np.nonzero(possible & ~as_before & (slot < now.count[owner]))[0]
            on, v, owner, slot = on[going], v[going], owner[going], slot[going]
            free_s, place = visit.free_s[going], book.end[row[going]]
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
        return Visits(
            cost=book.cost(facts, pickup_s) + tables.policy.weights.travel * approach_s,
            pickup_s=pickup_s,
            free_s=pickup_s + facts[:, DURATION],
            possible=(pickup_s <= tables.latest_s[v]) & (handover_s >= facts[:, HANDOVER_MIN]),
        )
