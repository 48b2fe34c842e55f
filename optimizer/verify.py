"""Checks a plan against its problem by recomputing everything, apart from the solver."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints, ints
from optimizer.candidates import CandidateTable
from optimizer.columns import numbers_of
from optimizer.problem import JobTable, Plan, Problem, Rankings, Trip, VehicleTable, promises
from optimizer.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule the plan breaks: stable code, the vehicle, job or request, and what was found."""

    code: str
    subject: str
    detail: str = ""


def verify(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Every violation found; none = the plan may be acted upon."""
    allowed = _Allowed(problem)
    broken = [*_membership(problem, plan), *_explanations(plan, allowed)]
    if broken:
        return tuple(broken)
    chains = {route.vehicle: [trip.jobs for trip in route.trips] for route in plan.routes}
    schedule = Schedule(problem, chains)
    broken += _routes(problem, plan, schedule, allowed)
    if not broken and (cost := schedule.cost()) != plan.cost:
        broken.append(
            Violation(code="wrong_cost", subject="", detail=f"{plan.cost}, but it is {cost}")
        )
    return tuple(broken)


def _membership(problem: Problem, plan: Plan) -> Iterator[Violation]:
    vehicles = frozenset(VehicleTable.of(problem.vehicles).ids)
    for vehicle, times in sorted(Counter(route.vehicle for route in plan.routes).items()):
        if vehicle not in vehicles:
            yield Violation(code="unknown_vehicle", subject=vehicle)
        if times > 1:
            yield Violation(code="vehicle_twice", subject=vehicle)
    for route in plan.routes:
        if not route.trips or not all(trip.jobs for trip in route.trips):
            yield Violation(code="empty_trip", subject=route.vehicle)
    yield from _jobs(problem, plan)
    yield from _promises(problem, plan)


def _jobs(problem: Problem, plan: Plan) -> Iterator[Violation]:
    known = frozenset(JobTable.of(problem.jobs).ids)
    planned = Counter(job for route in plan.routes for trip in route.trips for job in trip.jobs)
    for job in sorted(known | planned.keys() | plan.unassigned.keys()):
        if job not in known:
            yield Violation(code="unknown_job", subject=job)
        elif planned[job] > 1:
            yield Violation(code="job_twice", subject=job)
        elif planned[job] and job in plan.unassigned:
            yield Violation(code="planned_and_unassigned", subject=job)
        elif not planned[job] and job not in plan.unassigned:
            yield Violation(code="job_missing", subject=job)


def _promises(problem: Problem, plan: Plan) -> Iterator[Violation]:
    first = {route.vehicle: route.trips[0].group for route in plan.routes if route.trips}
    promised = promises(problem)
    vehicles = VehicleTable.of(problem.vehicles)
    for vehicle, shop in zip(vehicles.ids, vehicles.text("bound_for"), strict=True):
        if vehicle in promised and first.get(vehicle) != shop:
            yield Violation(code="redirected", subject=vehicle, detail=str(shop))


class _Allowed:
    """Who may carry what: the candidates, and those to whom it was promised."""

    def __init__(self, problem: Problem) -> None:
        self._jobs = JobTable.of(problem.jobs).ids
        self._vehicles = VehicleTable.of(problem.vehicles).ids
        self._job_at = {job: j for j, job in enumerate(self._jobs)}
        self._vehicle_at = {vehicle: v for v, vehicle in enumerate(self._vehicles)}
        job, vehicle = self.rows(CandidateTable.from_names(problem.candidates))
        promised = [
            (self._job_at[job], self._vehicle_at[who])
            for who, jobs in promises(problem).items()
            for job in jobs
        ]
        more = np.array(promised, dtype=np.int64).reshape(-1, 2)
        known = (job >= 0) & (vehicle >= 0)
        pairs = self._pairs(job[known], vehicle[known]), self._pairs(*more.T)
        self._sorted = np.sort(np.concatenate([[-1], *pairs]))

    def rows(self, columns: CandidateTable | Rankings) -> tuple[Ints, Ints]:
        """The job and the vehicle of each row, -1 = unknown."""
        job = numbers_of(columns.jobs, self._jobs, self._job_at)
        vehicle = numbers_of(columns.vehicles, self._vehicles, self._vehicle_at)
        return np.repeat(job, np.diff(columns.begins)), vehicle[columns.vehicle]

    def holds(self, job: Ints, vehicle: Ints) -> NDArray[np.bool_]:
        """Whether vehicle[i] may carry job[i]."""
        pairs = self._pairs(job, vehicle)
        nearest = self._sorted[np.searchsorted(self._sorted, pairs, side="right") - 1]
        found: NDArray[np.bool_] = (job >= 0) & (vehicle >= 0) & (nearest == pairs)
        return found

    def _pairs(self, job: Ints, vehicle: Ints) -> Ints:
        return np.maximum(job, 0) * len(self._vehicle_at) + np.maximum(vehicle, 0)


def _explanations(plan: Plan, allowed: _Allowed) -> Iterator[Violation]:
    told = plan.rankings
    wrong = np.flatnonzero(~allowed.holds(*allowed.rows(told)))
    for at in np.unique(np.searchsorted(told.begins, wrong, side="right")).tolist():
        yield Violation(code="ranks_no_candidate", subject=told.jobs[at - 1])


def _routes(
    problem: Problem, plan: Plan, schedule: Schedule, allowed: _Allowed
) -> Iterator[Violation]:
    for route in plan.routes:
        if len(route.trips) > problem.policy.trips_max:
            yield Violation(code="too_many_trips", subject=route.vehicle)
    ids = VehicleTable.of(problem.vehicles).ids
    vehicle = [ids[v] for v in schedule.vehicle.tolist()]
    is_allowed = allowed.holds(schedule.job, schedule.vehicle[schedule.trip_of])
    for at in np.flatnonzero(~is_allowed).tolist():
        job, trip = problem.jobs[int(schedule.job[at])].id, int(schedule.trip_of[at])
        yield Violation(code="not_candidate", subject=job, detail=vehicle[trip])
    trips = [trip for route in plan.routes for trip in route.trips]
    for code, is_broken in _broken(problem, schedule, trips):
        for at in np.flatnonzero(is_broken).tolist():
            yield Violation(code=code, subject=vehicle[at], detail=str(trips[at]))


def _broken(
    problem: Problem, schedule: Schedule, trips: Sequence[Trip]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """By code, which trips break the rule."""
    limits = _Limits(problem, schedule)
    jobs = JobTable.of(problem.jobs)
    group = dict(zip(jobs.ids, jobs.text("group"), strict=True))
    yield "mixed_groups", np.array([{group[j] for j in one.jobs} != {one.group} for one in trips])
    yield "over_capacity", schedule.sums("size") > limits.size
    yield "too_heavy", schedule.sums("weight_g") > limits.weight_g
    yield "bundle_too_big", schedule.ends - schedule.begins > limits.count
    yield "wrong_times", _is_mistimed(schedule, trips)
    yield "shift_ends", schedule.pickup_s > limits.latest_s
    is_slow = schedule.extra_s > limits.extra_s[schedule.trip_of]
    yield "bundle_too_slow", np.bincount(schedule.trip_of[is_slow], minlength=len(trips)) > 0


def _is_mistimed(schedule: Schedule, trips: Sequence[Trip]) -> NDArray[np.bool_]:
    counts = ints([len(one.deliveries_s) for one in trips])
    is_wrong: NDArray[np.bool_] = (
        (counts != schedule.ends - schedule.begins)
        | (ints([one.leave_s for one in trips]) != schedule.leave_s)
        | (ints([one.pickup_s for one in trips]) != schedule.pickup_s)
    )
    if not (counts != schedule.ends - schedule.begins).any():
        told_s = ints([one for trip in trips for one in trip.deliveries_s])
        is_wrong[schedule.trip_of[told_s != schedule.delivery_s]] = True
    return is_wrong


class _Limits:
    """What each trip may do; those for which somebody is under way at least what was promised."""

    def __init__(self, problem: Problem, schedule: Schedule) -> None:
        policy, trips = problem.policy, len(schedule.vehicle)
        self.size, self.weight_g = schedule.fleet("capacity"), schedule.fleet("capacity_g")
        self.latest_s = schedule.fleet("latest_pickup_s")
        self.extra_s = np.full(trips, policy.bundle_extra_s_max)
        self.count = np.full(trips, policy.bundle_size_max)
        promised = promises(problem)
        first = np.flatnonzero(schedule.place == 0)
        ids = VehicleTable.of(problem.vehicles).ids
        vehicle_of = [ids[v] for v in schedule.vehicle[first].tolist()]
        bound = [at for at, one in zip(first.tolist(), vehicle_of, strict=True) if one in promised]
        if not bound:
            return
        whom = [ids[v] for v in schedule.vehicle[bound].tolist()]
        before = Schedule(problem, {one: [promised[one]] for one in whom})
        extra_s = np.maximum.reduceat(before.extra_s, before.begins)
        for mine, was in (
            (self.size, before.sums("size")),
            (self.weight_g, before.sums("weight_g")),
            (self.latest_s, before.pickup_s),
            (self.extra_s, extra_s),
            (self.count, before.ends - before.begins),
        ):
            mine[bound] = np.maximum(mine[bound], was)
