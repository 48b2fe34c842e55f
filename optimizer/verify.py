"""Checks a plan against its problem by recomputing everything, apart from the solver."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import ints
from optimizer.problem import Plan, Problem, Route, Trip, promises
from optimizer.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule the plan breaks: stable code, the vehicle, job or request, and what was found."""

    code: str
    subject: str
    detail: str = ""


def verify(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Every violation found; none = the plan may be acted upon."""
    broken = [*_membership(problem, plan), *_explanations(problem, plan)]
    if broken:
        return tuple(broken)
    chains = {route.vehicle: [trip.jobs for trip in route.trips] for route in plan.routes}
    schedule = Schedule(problem, chains)
    broken += _routes(problem, plan, schedule)
    if not broken and (cost := schedule.cost()) != plan.cost:
        broken.append(
            Violation(code="wrong_cost", subject="", detail=f"{plan.cost}, but it is {cost}")
        )
    return tuple(broken)


def _membership(problem: Problem, plan: Plan) -> Iterator[Violation]:
    vehicles = {vehicle.id for vehicle in problem.vehicles}
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
    known = {job.id for job in problem.jobs}
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
    for vehicle in problem.vehicles:
        if vehicle.id in promised and first.get(vehicle.id) != vehicle.bound_for:
            yield Violation(code="redirected", subject=vehicle.id, detail=str(vehicle.bound_for))


def _explanations(problem: Problem, plan: Plan) -> Iterator[Violation]:
    promised_to = {job: vehicle for vehicle, jobs in promises(problem).items() for job in jobs}
    for job in sorted(plan.rankings):
        allowed = {*problem.candidates.get(job, ()), promised_to.get(job)}
        if not allowed.issuperset(plan.rankings.named(job)):
            yield Violation(code="ranks_no_candidate", subject=job)


def _routes(problem: Problem, plan: Plan, schedule: Schedule) -> Iterator[Violation]:
    promised = promises(problem)
    for route in plan.routes:
        if len(route.trips) > problem.policy.trips_max:
            yield Violation(code="too_many_trips", subject=route.vehicle)
        yield from _candidates(problem, route, promised.get(route.vehicle, ()))
    trips = [trip for route in plan.routes for trip in route.trips]
    vehicle = [problem.vehicles[v].id for v in schedule.vehicle.tolist()]
    for code, is_broken in _broken(problem, schedule, trips):
        for at in np.flatnonzero(is_broken).tolist():
            yield Violation(code=code, subject=vehicle[at], detail=str(trips[at]))


def _candidates(problem: Problem, route: Route, promised: Sequence[str]) -> Iterator[Violation]:
    for trip in route.trips:
        for job in trip.jobs:
            if route.vehicle not in problem.candidates.get(job, ()) and job not in promised:
                yield Violation(code="not_candidate", subject=job, detail=route.vehicle)


def _broken(
    problem: Problem, schedule: Schedule, trips: Sequence[Trip]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """By code, which trips break the rule."""
    limits = _Limits(problem, schedule)
    group = {job.id: job.group for job in problem.jobs}
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
        vehicle_of = [problem.vehicles[v].id for v in schedule.vehicle[first].tolist()]
        bound = [at for at, one in zip(first.tolist(), vehicle_of, strict=True) if one in promised]
        if not bound:
            return
        whom = [problem.vehicles[v].id for v in schedule.vehicle[bound].tolist()]
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
