"""A problem as arrays in the order of ids, so that the order of input does not matter."""

import numpy as np
from numpy.typing import ArrayLike

from optimizer.arrays import NEVER, Ints, Numbers, or_never
from optimizer.candidates import CandidateTable, members
from optimizer.neighbours import numbered
from optimizer.opportunity import AHEAD_S, second_permille
from optimizer.problem import JobTable, Problem, VehicleTable
from optimizer.routes import bound_groups, kept_by, promises
from optimizer.ruin import SAMPLED_MAX
from optimizer.timing import Timetable, limits
from optimizer.town import FIRST_TRIP, GROUP, JOB, RULES, VEHICLE, Records, Town
from optimizer.ways import no_ways, number_ways


class Tables:
    """The numbers of vehicles and jobs, and the town that the search is given.

    promised[v]: the jobs, in order, of the trip for which vehicle v is under way. by_group: all
    jobs, those of one group together.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.vehicles = VehicleTable.of(problem.vehicles).by_id()
        self.jobs = JobTable.of(problem.jobs).by_id()
        self.promised = {
            self.vehicles.at[vehicle]: [self.jobs.at[job] for job in jobs]
            for vehicle, jobs in promises(problem).items()
        }
        self._group = self.jobs.group_number.astype(np.int32)
        self._groups = len(self.jobs.groups)
        self._neighbours = numbered(problem, self.jobs.groups)
        self.by_group = np.argsort(self._group, kind="stable")
        self._read_candidates()
        self.town = self._town()

    def _town(self) -> Town:
        problem, jobs, weights = self.problem, self.jobs, self.problem.policy.weights
        service, policy = problem.service, problem.policy
        shops = self._shops()
        approach_s, follows = self._approaches(shops)
        onward_s = self._onward_s(shops, follows)
        ride_s = problem.travel.between(jobs.number("pickup"), jobs.number("delivery"))
        hop_s, groups, rank = self._hops()
        beside_s, beside_at = self._beside(shops, len(hop_s))
        importance, age_s = jobs.number("weight"), -jobs.number("placed_s")
        ready_s = jobs.number("ready_s")
        return Town(
            jobs=_records(
                JOB,
                group=self._group,
                ready_s=ready_s,
                earliest_s=ready_s + service.pickup_after_s + ride_s + service.delivery_before_s,
                due_s=jobs.number("due_s"),
                ride_s=ride_s,
                rank=rank,
                waiting=importance * weights.waiting,
                lateness=importance * weights.lateness,
                load=jobs.number("size"),
                weight_g=jobs.number("weight_g"),
                left_out=importance * (weights.unassigned + weights.unassigned_age * age_s),
                kept=kept_by(problem.incumbent, self.vehicles, self.jobs),
            ),
            vehicles=self._vehicle_records(),
            first_trips=self._first_trips(),
            groups=groups,
            rules=_records(
                RULES,
                pickup_before_s=[service.pickup_before_s],
                pickup_after_s=[service.pickup_after_s],
                delivery_before_s=[service.delivery_before_s],
                delivery_after_s=[service.delivery_after_s],
                travel=[weights.travel],
                stability=[weights.stability],
                second_permille=[second_permille(problem)],
                extra_s_max=[policy.bundle_extra_s_max],
                count_max=[policy.bundle_size_max],
                trips_max=[policy.trips_max],
                has_neighbours=[self._neighbours.size > 0],
            ),
            candidates_at=self._candidates_at,
            candidate=self._candidate,
            approach_s=approach_s,
            onward_s=onward_s,
            apart_s=self._apart_s(shops, follows),
            hop_s=np.concatenate([hop_s, beside_s]) if len(beside_s) else hop_s,
            beside_at=beside_at,
        )

    def _vehicle_records(self) -> Records:
        vehicles = self.vehicles
        return _records(
            VEHICLE,
            free_s=vehicles.number("free_at_s"),
            latest_s=vehicles.number("latest_pickup_s"),
            capacity=vehicles.number("capacity"),
            capacity_g=vehicles.number("capacity_g"),
            pace=vehicles.number("pace_permille"),
            use_cost=self._use_cost(),
            priced_s=np.clip(vehicles.number("latest_pickup_s"), 0, AHEAD_S),
            bound=self._bound(),
        )

    def _read_candidates(self) -> None:
        """Who may carry what; who is promised something may carry it whatever the problem says."""
        table = CandidateTable.from_names(self.problem.candidates)
        j = np.repeat(self.jobs.places(table.jobs), np.diff(table.begins))
        v = self.vehicles.places(table.vehicles)[table.vehicle]
        known = (j >= 0) & (v >= 0)
        promised = [(j, v) for v, jobs in self.promised.items() for j in jobs]
        more_j, more_v = np.array(promised, dtype=np.int64).reshape(-1, 2).T
        width = max(1, len(self.vehicles))
        pairs = np.concatenate([j[known] * width + v[known], more_j * width + more_v])
        # Only within jobs are they out of order, which the stable way makes use of.
        pairs.sort(kind="stable")
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        firsts = np.arange(len(self.jobs) + 1) * width
        self._candidates_at = np.searchsorted(pairs, firsts)
        v = pairs - np.repeat(firsts[:-1], np.diff(self._candidates_at))
        self._candidate: Numbers = v.astype(np.int32)

    def _shops(self) -> Ints:
        """The node of each group."""
        pickups = self.jobs.number("pickup")
        shops = np.zeros(self._groups, dtype=np.int64)
        shops[self._group] = pickups
        assert (shops[self._group] == pickups).all(), "the jobs of one group have one pickup node"
        return shops

    def _apart_s(self, shops: Ints, follows: tuple[Ints, Ints]) -> Numbers:
        """Seconds from shops to shops, where the search asks for them."""
        apart_s = np.zeros((len(shops), len(shops)), dtype=np.int32)
        if len(self.jobs) <= SAMPLED_MAX:
            # Of so few jobs the search looks at all.
            first, then = np.divmod(np.arange(apart_s.size), len(shops))
        else:
            first, then = follows
        apart_s[first, then] = self.problem.travel.between(shops[first], shops[then])
        return apart_s

    def _approaches(self, shops: Ints) -> tuple[Numbers, tuple[Ints, Ints]]:
        """Seconds to shops by entry of candidates, and which groups may follow which in a chain."""
        starts = self.vehicles.number("node")
        ways = no_ways(len(starts), self._groups, len(self._candidate))
        count = number_ways(self.by_group, self._group, self._candidates_at, self._candidate, ways)
        v, g = ways.vehicle[:count], ways.group[:count]
        way_s = self.problem.travel.between(starts[v], shops[g]).astype(np.int32)
        pairs = np.flatnonzero(ways.may_follow | ways.may_follow.T)
        return way_s[ways.of], np.divmod(pairs, max(1, self._groups))

    def _onward_s(self, shops: Ints, follows: tuple[Ints, Ints]) -> Numbers:
        """Seconds from doors to shops."""
        # Who may follow may go first, too: so it is written row by row.
        then, first = follows
        sizes = np.bincount(self._group, minlength=self._groups)
        pair, place = members((np.cumsum(sizes) - sizes)[first], sizes[first])
        j, then = self.by_group[place], then[pair]
        doors = self.jobs.number("delivery")
        onward_s = np.zeros((len(shops), len(doors)), dtype=np.int32)
        onward_s[then, j] = self.problem.travel.between(doors[j], shops[then])
        return onward_s

    def _hops(self) -> tuple[Numbers, Records, Numbers]:
        """Seconds between the doors of one group, in blocks, and where the blocks are."""
        doors = self.jobs.number("delivery")
        sizes = np.bincount(self._group, minlength=self._groups)
        begins = np.cumsum(sizes) - sizes
        rank = np.empty(len(doors), dtype=np.int32)
        rank[self.by_group] = np.arange(len(doors)) - np.repeat(begins, sizes)
        grid = sizes**2
        block, within = members(np.zeros_like(grid), grid)
        origins = doors[self.by_group[begins[block] + within // sizes[block]]]
        destinations = doors[self.by_group[begins[block] + within % sizes[block]]]
        hop_s = self.problem.travel.between(origins, destinations).astype(np.int32)
        return hop_s, _records(GROUP, hop_at=np.cumsum(grid) - grid, members=sizes), rank

    def _beside(self, shops: Ints, first: int) -> tuple[Numbers, Numbers]:
        """Seconds to the doors of neighbouring groups, in blocks, the first of which begins there.

        And where the block of each pair is.
        """
        g, h = self._neighbours
        if not len(g):
            return np.zeros(0, dtype=np.int32), np.zeros((0, 0), dtype=np.int32)
        doors = self.jobs.number("delivery")
        sizes = np.bincount(self._group, minlength=self._groups)
        begins = np.cumsum(sizes) - sizes
        blocks = (sizes[g] + 1) * sizes[h]
        block, within = members(np.zeros_like(blocks), blocks)
        row, column = np.divmod(within, sizes[h][block])
        at_door = self.by_group[begins[g][block] + np.maximum(row - 1, 0)]
        origins = np.where(row > 0, doors[at_door], shops[g][block])
        destinations = doors[self.by_group[begins[h][block] + column]]
        beside_at = np.full((self._groups, self._groups), -1, dtype=np.int32)
        beside_at[g, h] = first + np.cumsum(blocks) - blocks
        return self.problem.travel.between(origins, destinations).astype(np.int32), beside_at

    def _first_trips(self) -> Records:
        """What the first trip of a vehicle under way may do, by vehicle."""
        limits_of = np.zeros(len(self.vehicles), dtype=FIRST_TRIP)
        timetable = Timetable(self.problem) if self.promised else None
        for v, jobs in self.promised.items():
            assert timetable is not None
            ids = [self.jobs.ids[j] for j in jobs]
            allowed = limits(self.problem, timetable, self.vehicles[v], ids)
            latest_s, weight_g = or_never(allowed.latest_s), or_never(allowed.weight_g)
            limits_of[v] = latest_s, allowed.extra_s, allowed.size, weight_g, allowed.count
        return limits_of.view(np.recarray)

    def _bound(self) -> Numbers:
        promised = {self.vehicles.ids[v] for v in self.promised}
        return bound_groups(self.vehicles, self.jobs, promised).astype(np.int32)

    def _use_cost(self) -> Ints:
        """What it costs to use a vehicle at all; who is under way is used already."""
        idle_since_s = self.vehicles.number("idle_since_s")
        idle_less_s = idle_since_s - idle_since_s.min(initial=NEVER)
        cost: Ints = self.problem.policy.weights.idle * idle_less_s // 60
        cost[list(self.promised)] = 0
        return cost


def _records(kind: np.dtype[np.void], **columns: ArrayLike) -> Records:
    """Raises ValueError where a number has no room in its field."""
    records = np.recarray(len(np.asarray(next(iter(columns.values())))), dtype=kind)
    for name, column in columns.items():
        records[name] = np.asarray(column).astype(kind[name], casting="same_value", copy=False)
    return records
