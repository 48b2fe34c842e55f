"""A problem as arrays in the order of ids, so that the order of input does not matter."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from optimizer.problem import Problem, Travel, carriers

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

NEVER = 2**40
INFEASIBLE = 2**50
_CELLS_MAX = 24_000_000


class Roads:
    """Travel times to the shops, asked once per pair; places and shops are positions in arrays."""

    def __init__(self, travel: Travel, nodes: Ints, shops: Ints, paces: Ints) -> None:
        self._travel = travel
        self._nodes = nodes
        self._shops = shops
        self._paces = None if (paces == 1000).all() else paces
        known = len(nodes) * len(shops) <= _CELLS_MAX
        self._known = np.full(len(nodes) * len(shops), -1, dtype=np.int64) if known else None

    def to_shop_s(self, pace: Ints, places: Ints, shops: Ints) -> Ints:
        """Seconds from places[i] to shops[i] at pace class pace[i]."""
        if self._known is None:
            return self.paced_s(pace, self._ask(places, shops))
        cells = places * len(self._shops) + shops
        plain_s = self._known[cells]
        if plain_s.size and plain_s.min() < 0:
            missing = plain_s < 0
            plain_s[missing] = self._ask(places[missing], shops[missing])
            self._known[cells] = plain_s
        return self.paced_s(pace, plain_s)

    def one_to_shop_s(self, pace: int, place: int, shop: int) -> int:
        """As `to_shop_s`, for one pair."""
        if self._known is not None and self._paces is None:
            plain_s = int(self._known[place * len(self._shops) + shop])
            if plain_s >= 0:
                return plain_s
        return int(self.to_shop_s(_ints([pace]), _ints([place]), _ints([shop]))[0])

    def paced_s(self, pace: Ints, plain_s: Ints) -> Ints:
        """Plain seconds at a pace class, rounded up."""
        if self._paces is None:
            return plain_s
        return -(-plain_s * self._paces[pace] // 1000)

    def between_s(self, origins: Ints, destinations: Ints) -> Ints:
        """Plain seconds between places."""
        return self._travel.between(self._nodes[origins], self._nodes[destinations])

    def _ask(self, places: Ints, shops: Ints) -> Ints:
        return self._travel.between(self._nodes[places], self._shops[shops])


class Tables:
    """The arrays: v is a vehicle, j a job; groups, pace classes and places are numbered, too."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.policy = problem.policy
        self.service = problem.service
        self.vehicles = tuple(sorted(problem.vehicles, key=lambda vehicle: vehicle.id))
        self.jobs = tuple(sorted(problem.jobs, key=lambda job: job.id))
        self.vehicle_at = {vehicle.id: v for v, vehicle in enumerate(self.vehicles)}
        self.job_at = {job.id: j for j, job in enumerate(self.jobs)}
        self._read_vehicles()
        self._read_jobs()
        self._read_places()
        self._read_candidates(problem.candidates)
        self.kept = self._read_incumbent()

    def approach_s(self, pace: int, place: int, group: int) -> int:
        """Seconds from a place to the shop of a group at a pace class."""
        return self.roads.one_to_shop_s(pace, place, group)

    def shops_apart_s(self, group: int, groups: Ints) -> Ints:
        """Plain seconds from the shop of one group to those of others."""
        nothing = np.zeros(len(groups), dtype=np.int64)
        return self.roads.to_shop_s(nothing, nothing + self.shop_place[group], groups)

    def _read_vehicles(self) -> None:
        vehicles, weights = self.vehicles, self.policy.weights
        self.free_s = _ints([max(0, vehicle.free_at_s) for vehicle in vehicles])
        self.latest_s = _ints(
            [NEVER if (end := vehicle.latest_pickup_s) is None else end for vehicle in vehicles]
        )
        self.capacity = _ints([vehicle.capacity for vehicle in vehicles])
        idle_since_s = _ints([vehicle.idle_since_s for vehicle in vehicles])
        longest_s = -idle_since_s.min() if len(vehicles) else 0
        self.start_cost = weights.idle * (longest_s + idle_since_s) // 60
        paces = _ints([vehicle.pace_permille for vehicle in vehicles])
        self.paces, self.pace = np.unique(paces, return_inverse=True)
        if not len(self.paces):
            self.paces = _ints([1000])

    def _read_jobs(self) -> None:
        jobs, weights = self.jobs, self.policy.weights
        self.groups, self.group = np.unique([job.group for job in jobs], return_inverse=True)
        self.ready_s = _ints([job.ready_s for job in jobs])
        self.due_s = _ints([job.due_s for job in jobs])
        self.size = _ints([job.size for job in jobs])
        importance = _ints([job.weight for job in jobs])
        age_s = -_ints([job.placed_s for job in jobs])
        self.waiting = importance * weights.waiting
        self.lateness = importance * weights.lateness
        self.left_out_cost = importance * (weights.unassigned + weights.unassigned_age * age_s)

    def _read_places(self) -> None:
        shop_nodes = np.zeros(len(self.groups), dtype=np.int64)
        shop_nodes[self.group] = [job.pickup for job in self.jobs]
        assert all(
            shop_nodes[group] == job.pickup
            for group, job in zip(self.group, self.jobs, strict=True)
        ), "the jobs of one group have one pickup node"
        starts = _ints([vehicle.node for vehicle in self.vehicles])
        doors = _ints([job.delivery for job in self.jobs])
        nodes = np.unique(np.concatenate([starts, shop_nodes, doors]))
        self.start = np.searchsorted(nodes, starts)
        self.shop_place = np.searchsorted(nodes, shop_nodes)
        self.door = np.searchsorted(nodes, doors)
        self.roads = Roads(self.problem.travel, nodes, shop_nodes, self.paces)
        self.ride_s = self.roads.between_s(self.shop_place[self.group], self.door)
        service = self.service
        self.earliest_s = (
            self.ready_s + service.pickup_after_s + self.ride_s + service.delivery_before_s
        )

    def _read_candidates(self, candidates: Mapping[str, Sequence[str]]) -> None:
        """may[j, v]; the extra last row, all true, stands for no job."""
        self.may: Bools = np.zeros((len(self.jobs) + 1, len(self.vehicles)), dtype=np.bool_)
        self.may[-1] = True
        # Many jobs share one tuple of candidates; kept beside its numbers, its identity is unique.
        seen: dict[int, tuple[Sequence[str], Ints]] = {}
        for j, job in enumerate(self.jobs):
            allowed = candidates.get(job.id, ())
            if id(allowed) not in seen:
                known = [self.vehicle_at[id_] for id_ in allowed if id_ in self.vehicle_at]
                seen[id(allowed)] = allowed, _ints(known)
            self.may[j, seen[id(allowed)][1]] = True
        for v, vehicle in enumerate(self.vehicles):
            for id_ in vehicle.locked:
                j = self.job_at[id_]
                self.may[j] = False
                self.may[j, v] = True
        self.anybody = bool(self.may.all())

    def _read_incumbent(self) -> Ints:
        """The vehicle that each job has in the incumbent, -1 = none, or gone."""
        kept = np.full(len(self.jobs) + 1, -1, dtype=np.int64)
        for job, vehicle in carriers(self.problem).items():
            if job in self.job_at:
                kept[self.job_at[job]] = self.vehicle_at[vehicle]
        return kept


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
