"""Checks a plan against its problem by recomputing everything, apart from the solver."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimizer.problem import Plan, Problem, Route, Trip, Vehicle
from optimizer.timing import Timed, Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule the plan breaks: stable code, the vehicle or job it is about, and what was found."""

    code: str
    subject: str
    detail: str = ""


def verify(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Every violation found; none = the plan may be acted upon."""
    broken = [*_membership(problem, plan), *_explanations(problem, plan)]
    if broken:
        return tuple(broken)
    timetable = Timetable(problem, plan.routes)
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    for route in plan.routes:
        broken += _route(problem, timetable, vehicles[route.vehicle], route)
    if not broken and (cost := timetable.cost(plan.routes)) != plan.cost:
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
    yield from _locked(problem, plan)


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


def _locked(problem: Problem, plan: Plan) -> Iterator[Violation]:
    first = {route.vehicle: set(route.trips[0].jobs) for route in plan.routes if route.trips}
    for vehicle in problem.vehicles:
        if not first.get(vehicle.id, set()).issuperset(vehicle.locked):
            yield Violation(
                code="locked_moved", subject=vehicle.id, detail=" ".join(vehicle.locked)
            )


def _explanations(problem: Problem, plan: Plan) -> Iterator[Violation]:
    for job, ranking in sorted(plan.rankings.items()):
        allowed = problem.candidates.get(job, ())
        if len(ranking) > problem.policy.alternatives_max:
            yield Violation(code="ranking_too_long", subject=job)
        if any(alternative.vehicle not in allowed for alternative in ranking):
            yield Violation(code="ranks_no_candidate", subject=job)


def _route(
    problem: Problem, timetable: Timetable, vehicle: Vehicle, route: Route
) -> Iterator[Violation]:
    if len(route.trips) > problem.policy.trips_max:
        yield Violation(code="too_many_trips", subject=vehicle.id, detail=str(len(route.trips)))
    for trip in route.trips:
        yield from _load(problem, timetable, vehicle, trip)
    chain = timetable.chain(vehicle, [trip.jobs for trip in route.trips])
    for trip, timed in zip(route.trips, chain, strict=True):
        yield from _times(problem, timetable, vehicle, trip, timed)


def _load(
    problem: Problem, timetable: Timetable, vehicle: Vehicle, trip: Trip
) -> Iterator[Violation]:
    jobs = [timetable.jobs[job] for job in trip.jobs]
    for job in jobs:
        if vehicle.id not in problem.candidates.get(job.id, ()) and job.id not in vehicle.locked:
            yield Violation(code="not_candidate", subject=job.id, detail=vehicle.id)
    if {job.group for job in jobs} != {trip.group}:
        yield Violation(code="mixed_groups", subject=vehicle.id, detail=trip.group)
    if sum(job.size for job in jobs) > vehicle.capacity and not _only_locked(vehicle, trip.jobs):
        yield Violation(code="over_capacity", subject=vehicle.id, detail=trip.group)
    if len(jobs) > problem.policy.bundle_size_max and not _only_locked(vehicle, trip.jobs):
        yield Violation(code="bundle_too_big", subject=vehicle.id, detail=trip.group)


def _times(
    problem: Problem, timetable: Timetable, vehicle: Vehicle, trip: Trip, timed: Timed
) -> Iterator[Violation]:
    if trip != timed.trip:
        yield Violation(
            code="wrong_times", subject=vehicle.id, detail=f"{trip}, but it is {timed.trip}"
        )
    if _only_locked(vehicle, trip.jobs):
        return
    if vehicle.latest_pickup_s is not None and timed.trip.pickup_s > vehicle.latest_pickup_s:
        yield Violation(code="shift_ends", subject=vehicle.id, detail=str(timed.trip.pickup_s))
    if max(timetable.extras_s(vehicle, timed)) > problem.policy.bundle_extra_s_max:
        yield Violation(code="bundle_too_slow", subject=vehicle.id, detail=trip.group)


def _only_locked(vehicle: Vehicle, jobs: Sequence[str]) -> bool:
    """What was promised before is beyond the solver's power, so no bound applies to it."""
    return set(jobs) == set(vehicle.locked)
