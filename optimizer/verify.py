"""Checks a plan against its problem by recomputing everything, apart from the solver."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimizer.problem import Plan, Problem, Route, Trip, Vehicle, promises
from optimizer.timing import Limits, Timed, Timetable, limits


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
    timetable = Timetable(problem, plan.routes)
    promised = promises(problem)
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    for route in plan.routes:
        vehicle = vehicles[route.vehicle]
        broken += _route(problem, timetable, vehicle, route, promised.get(vehicle.id, ()))
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


def _route(
    problem: Problem,
    timetable: Timetable,
    vehicle: Vehicle,
    route: Route,
    promised: Sequence[str],
) -> Iterator[Violation]:
    if len(route.trips) > problem.policy.trips_max:
        yield Violation(code="too_many_trips", subject=vehicle.id, detail=str(len(route.trips)))
    chain = timetable.chain(vehicle, [trip.jobs for trip in route.trips])
    plain = limits(problem, timetable, vehicle)
    first = limits(problem, timetable, vehicle, promised)
    for index, (trip, timed) in enumerate(zip(route.trips, chain, strict=True)):
        limit = plain if index else first
        yield from _candidates(problem, vehicle, trip, promised)
        yield from _load(timetable, vehicle, trip, limit)
        yield from _times(timetable, vehicle, trip, timed, limit)


def _candidates(
    problem: Problem, vehicle: Vehicle, trip: Trip, promised: Sequence[str]
) -> Iterator[Violation]:
    for job in trip.jobs:
        if vehicle.id not in problem.candidates.get(job, ()) and job not in promised:
            yield Violation(code="not_candidate", subject=job, detail=vehicle.id)


def _load(timetable: Timetable, vehicle: Vehicle, trip: Trip, limit: Limits) -> Iterator[Violation]:
    jobs = [timetable.jobs[job] for job in trip.jobs]
    if {job.group for job in jobs} != {trip.group}:
        yield Violation(code="mixed_groups", subject=vehicle.id, detail=trip.group)
    if sum(job.size for job in jobs) > limit.size:
        yield Violation(code="over_capacity", subject=vehicle.id, detail=trip.group)
    if limit.weight_g is not None and sum(job.weight_g for job in jobs) > limit.weight_g:
        yield Violation(code="too_heavy", subject=vehicle.id, detail=trip.group)
    if len(jobs) > limit.count:
        yield Violation(code="bundle_too_big", subject=vehicle.id, detail=trip.group)


def _times(
    timetable: Timetable, vehicle: Vehicle, trip: Trip, timed: Timed, limit: Limits
) -> Iterator[Violation]:
    if trip != timed.trip:
        yield Violation(
            code="wrong_times", subject=vehicle.id, detail=f"{trip}, but it is {timed.trip}"
        )
    if limit.latest_s is not None and timed.trip.pickup_s > limit.latest_s:
        yield Violation(code="shift_ends", subject=vehicle.id, detail=str(timed.trip.pickup_s))
    if max(timetable.extras_s(vehicle, timed)) > limit.extra_s:
        yield Violation(code="bundle_too_slow", subject=vehicle.id, detail=trip.group)
