"""What a route takes and costs, step by step: the definition that fast code must match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.arrays import or_never
from optimizer.neighbours import visited
from optimizer.opportunity import second_permille, taken_cost
from optimizer.problem import Job, Problem, Route, Trip, Vehicle
from optimizer.routes import carriers, promises


def paced_s(plain_s: int, pace_permille: int) -> int:
    """Seconds a vehicle of this pace needs for what a plain one does in plain_s, rounded up."""
    return -(-plain_s * pace_permille // 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A trip as it unfolds: the earliest arrival at its first shop, and the seconds on the road."""

    trip: Trip
    arrival_s: int
    free_s: int
    driving_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one trip of a vehicle may do."""

    latest_s: int | None
    extra_s: int
    size: int
    weight_g: int | None
    count: int


class Timetable:
    """Schedules of one problem's vehicles."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.jobs: Mapping[str, Job] = {job.id: job for job in problem.jobs}
        self._vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
        self._idle_longest_since_s = min(
            (vehicle.idle_since_s for vehicle in problem.vehicles), default=0
        )
        self._promised = promises(problem)
        self._seconds: dict[tuple[int, int], int] = {}

    def travel_s(self, vehicle: Vehicle, origin: int, destination: int) -> int:
        """Seconds that this vehicle drives from one node to another."""
        return paced_s(self._plain_s(origin, destination), vehicle.pace_permille)

    def chain(self, vehicle: Vehicle, trips: Sequence[Sequence[str]]) -> tuple[Timed, ...]:
        """Each trip as early as it can be; a trip is its jobs in the order of delivery."""
        node, now_s = vehicle.node, vehicle.free_at_s
        chain: list[Timed] = []
        for jobs in trips:
            bound_for = None if chain or vehicle.id not in self._promised else vehicle.bound_for
            told = [self.jobs[job] for job in jobs]
            chain.append(self._trip(vehicle, node, now_s, told, visited(told, bound_for)))
            node, now_s = self.jobs[jobs[-1]].delivery, chain[-1].free_s
        return tuple(chain)

    def earliest_s(self, job: Job) -> int:
        """The delivery nobody of plain pace can beat: straight to the door once it is ready."""
        service = self._problem.service
        ride_s = self._plain_s(job.pickup, job.delivery)
        return job.ready_s + service.pickup_after_s + ride_s + service.delivery_before_s

    def extras_s(self, vehicle: Vehicle, timed: Timed) -> tuple[int, ...]:
        """How much later than alone each job is delivered.

        Alone he is in its shop when he is in the trip's first one.
        """
        service = self._problem.service
        extras = []
        for id_, delivery_s in zip(timed.trip.jobs, timed.trip.deliveries_s, strict=True):
            job = self.jobs[id_]
            pickup_s = max(0, job.ready_s, timed.arrival_s + service.pickup_before_s)
            ride_s = self.travel_s(vehicle, job.pickup, job.delivery)
            alone_s = pickup_s + service.pickup_after_s + ride_s + service.delivery_before_s
            extras.append(delivery_s - alone_s)
        return tuple(extras)

    def cost(self, routes: Sequence[Route]) -> int:
        """The plan's cost: each route's own and what is left out."""
        planned = {job for route in routes for trip in route.trips for job in trip.jobs}
        left_out = sum(
            self._unassigned_cost(job) for job in self.jobs.values() if job.id not in planned
        )
        kept, permille = carriers(self._problem), second_permille(self._problem)
        return left_out + sum(
            self._route_cost(self._vehicles[route.vehicle], route, kept, permille)
            for route in routes
        )

    def _plain_s(self, origin: int, destination: int) -> int:
        leg = (origin, destination)
        if leg not in self._seconds:
            ends = np.array([origin]), np.array([destination])
            self._seconds[leg] = int(self._problem.travel.between(*ends)[0])
        return self._seconds[leg]

    def _trip(
        self, vehicle: Vehicle, node: int, start_s: int, jobs: Sequence[Job], groups: Sequence[str]
    ) -> Timed:
        service = self._problem.service
        fetched = [[job for job in jobs if job.group == group] for group in groups]
        shop = fetched[0][0].pickup
        approach_s = self.travel_s(vehicle, node, shop)
        arrival_s = (start_s if approach_s == 0 else max(0, start_s)) + approach_s
        pickup_s = max(0, arrival_s + service.pickup_before_s, *(job.ready_s for job in fetched[0]))
        node, driving_s, between_s, deliveries = shop, approach_s, 0, []
        for there in fetched[1:]:
            way_s = self.travel_s(vehicle, node, there[0].pickup)
            more_s = service.pickup_after_s + way_s + service.pickup_before_s
            pickup_s = max(pickup_s + more_s, *(job.ready_s for job in there))
            node, driving_s, between_s = there[0].pickup, driving_s + way_s, between_s + more_s
        now_s = pickup_s + service.pickup_after_s
        for job in jobs:
            leg_s = self.travel_s(vehicle, node, job.delivery)
            deliveries.append(now_s + leg_s + service.delivery_before_s)
            node, now_s, driving_s = (
                job.delivery,
                deliveries[-1] + service.delivery_after_s,
                driving_s + leg_s,
            )
        trip = Trip(
            group=groups[0],
            jobs=tuple(job.id for job in jobs),
            leave_s=pickup_s - between_s - service.pickup_before_s - approach_s,
            pickup_s=pickup_s,
            deliveries_s=tuple(deliveries),
        )
        return Timed(trip=trip, arrival_s=arrival_s, free_s=now_s, driving_s=driving_s)

    def _route_cost(
        self, vehicle: Vehicle, route: Route, kept: Mapping[str, str], permille: int
    ) -> int:
        weights = self._problem.policy.weights
        idle_less_s = vehicle.idle_since_s - self._idle_longest_since_s
        is_used_anew = bool(route.trips) and vehicle.id not in self._promised
        cost = weights.idle * idle_less_s // 60 if is_used_anew else 0
        chain = self.chain(vehicle, [trip.jobs for trip in route.trips])
        if chain:
            latest_s = or_never(vehicle.latest_pickup_s)
            cost += int(taken_cost(permille, latest_s, vehicle.free_at_s, chain[-1].free_s))
        for timed in chain:
            cost += weights.travel * timed.driving_s
            for id_, delivery_s in zip(timed.trip.jobs, timed.trip.deliveries_s, strict=True):
                cost += self._job_cost(self.jobs[id_], delivery_s)
                cost += weights.stability * (kept.get(id_, vehicle.id) != vehicle.id)
        return cost

    def _job_cost(self, job: Job, delivery_s: int) -> int:
        weights = self._problem.policy.weights
        waiting = weights.waiting * (delivery_s - self.earliest_s(job))
        lateness = weights.lateness * max(0, delivery_s - job.due_s)
        return job.weight * (waiting + lateness)

    def _unassigned_cost(self, job: Job) -> int:
        weights = self._problem.policy.weights
        return job.weight * (weights.unassigned + weights.unassigned_age * -job.placed_s)


def limits(
    problem: Problem, timetable: Timetable, vehicle: Vehicle, promised: Sequence[str] = ()
) -> Limits:
    """What a trip may do; the one for which he is under way at least what was promised."""
    policy = problem.policy
    plain = Limits(
        latest_s=vehicle.latest_pickup_s,
        extra_s=policy.bundle_extra_s_max,
        size=vehicle.capacity,
        weight_g=vehicle.capacity_g,
        count=policy.bundle_size_max,
    )
    if not promised:
        return plain
    (timed,) = timetable.chain(vehicle, [promised])
    latest_s, weight_g = plain.latest_s, plain.weight_g
    jobs = [timetable.jobs[job] for job in promised]
    return Limits(
        latest_s=None if latest_s is None else max(latest_s, timed.trip.pickup_s),
        extra_s=max(plain.extra_s, *timetable.extras_s(vehicle, timed)),
        size=max(plain.size, sum(job.size for job in jobs)),
        weight_g=None if weight_g is None else max(weight_g, sum(job.weight_g for job in jobs)),
        count=max(plain.count, len(promised)),
    )
