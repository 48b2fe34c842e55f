"""A problem as arrays in the order of ids, so that the order of input does not matter."""

import numpy as np

from optimizer.arrays import NEVER, Ints, ints
from optimizer.candidates import Candidates
from optimizer.problem import Problem, carriers, free_s
from optimizer.roads import Roads


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
        self.candidates = Candidates(problem, self.jobs, self.vehicle_at)
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
        self.free_s = ints([free_s(vehicle) for vehicle in vehicles])
        self.latest_s = ints(
            [NEVER if (end := vehicle.latest_pickup_s) is None else end for vehicle in vehicles]
        )
        self.capacity = ints([vehicle.capacity for vehicle in vehicles])
        idle_since_s = ints([vehicle.idle_since_s for vehicle in vehicles])
        longest_s = -idle_since_s.min() if len(vehicles) else 0
        self.start_cost = weights.idle * (longest_s + idle_since_s) // 60
        paces = ints([vehicle.pace_permille for vehicle in vehicles])
        self.paces, self.pace = np.unique(paces, return_inverse=True)
        if not len(self.paces):
            self.paces = ints([1000])

    def _read_jobs(self) -> None:
        jobs, weights = self.jobs, self.policy.weights
        self.groups, self.group = np.unique([job.group for job in jobs], return_inverse=True)
        # What was ready long ago can be picked up now, and no sooner.
        self.ready_s = ints([max(0, job.ready_s) for job in jobs])
        self.due_s = ints([job.due_s for job in jobs])
        self.size = ints([job.size for job in jobs])
        importance = ints([job.weight for job in jobs])
        age_s = -ints([job.placed_s for job in jobs])
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
        starts = ints([vehicle.node for vehicle in self.vehicles])
        doors = ints([job.delivery for job in self.jobs])
        nodes = np.unique(np.concatenate([starts, shop_nodes, doors]))
        self.start = np.searchsorted(nodes, starts)
        self.shop_place = np.searchsorted(nodes, shop_nodes)
        self.door = np.searchsorted(nodes, doors)
        self.roads = Roads(self.problem.travel, nodes, shop_nodes, self.paces)
        self.ride_s = self.roads.between_s(self.shop_place[self.group], self.door)
        service = self.service
        self.earliest_s = (
            ints([job.ready_s for job in self.jobs])
            + service.pickup_after_s
            + self.ride_s
            + service.delivery_before_s
        )

    def _read_incumbent(self) -> Ints:
        """The vehicle that each job has in the incumbent, -1 = none, or gone."""
        kept = np.full(len(self.jobs) + 1, -1, dtype=np.int64)
        for job, vehicle in carriers(self.problem).items():
            if job in self.job_at:
                kept[self.job_at[job]] = self.vehicle_at[vehicle]
        return kept
