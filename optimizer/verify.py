"""Checks a plan against its problem by recomputing everything, apart from the solver."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints, ints
from optimizer.candidates import CandidateTable
from optimizer.listed import Listed, are_listed
from optimizer.neighbours import are_strangers, numbered
from optimizer.problem import JobTable, Plan, Problem, Rankings, Route, Trip, VehicleTable
from optimizer.routes import RouteTable, promises
from optimizer.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule the plan breaks: stable code, the vehicle, job or request, and what was found."""

    code: str
    subject: str
    detail: str = ""


def verify(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Every violation found; none = the plan may be acted upon."""
    allowed, routes = _Allowed(problem), RouteTable.of(plan.routes)
    broken = [*_membership(problem, plan, routes), *_explanations(plan, allowed)]
    if broken:
        return tuple(broken)
    schedule = Schedule(problem, routes)
    broken += _routes(problem, routes, schedule, allowed)
    if not broken and (cost := schedule.cost()) != plan.cost:
        broken.append(
            Violation(code="wrong_cost", subject="", detail=f"{plan.cost}, but it is {cost}")
        )
    return tuple(broken)


def _membership(problem: Problem, plan: Plan, routes: RouteTable) -> Iterator[Violation]:
    place = VehicleTable.of(problem.vehicles).places(routes.vehicles)
    for r in np.flatnonzero(place < 0).tolist():
        yield Violation(code="unknown_vehicle", subject=routes.vehicles[r])
    if len(set(routes.vehicles)) < len(routes.vehicles):
        for vehicle, times in sorted(Counter(routes.vehicles).items()):
            if times > 1:
                yield Violation(code="vehicle_twice", subject=vehicle)
    empty = np.flatnonzero(np.diff(routes.jobs_begin) == 0)
    idle = np.flatnonzero(np.diff(routes.trips_begin) == 0)
    for r in np.unique(np.concatenate([routes.route_of[empty], idle])).tolist():
        yield Violation(code="empty_trip", subject=routes.vehicles[r])
    yield from _jobs(JobTable.of(problem.jobs), plan, routes)
    yield from _promises(problem, plan)


def _jobs(jobs: JobTable, plan: Plan, routes: RouteTable) -> Iterator[Violation]:
    place, left = jobs.places(routes.jobs), jobs.places(tuple(plan.unassigned))
    times = np.bincount(place[place >= 0], minlength=len(jobs))
    is_left = np.zeros(len(jobs), dtype=np.bool_)
    is_left[left[left >= 0]] = True
    if place.min(initial=0) < 0 or left.min(initial=0) < 0:
        for job in sorted({*routes.jobs, *plan.unassigned} - jobs.at.keys()):
            yield Violation(code="unknown_job", subject=job)
    for code, is_wrong in (
        ("job_twice", times > 1),
        ("planned_and_unassigned", (times == 1) & is_left),
        ("job_missing", (times == 0) & ~is_left),
    ):
        for j in np.flatnonzero(is_wrong).tolist():
            yield Violation(code=code, subject=jobs.ids[j])


def _promises(problem: Problem, plan: Plan) -> Iterator[Violation]:
    promised = promises(problem)
    if not promised:
        return
    first = {route.vehicle: route.trips[0].group for route in plan.routes if route.trips}
    for vehicle, shop in VehicleTable.of(problem.vehicles).bound:
        if vehicle in promised and first.get(vehicle) != shop:
            yield Violation(code="redirected", subject=vehicle, detail=shop)


class _Allowed:
    """Who may carry what: the candidates, and those to whom it was promised."""

    def __init__(self, problem: Problem) -> None:
        self._jobs = JobTable.of(problem.jobs)
        self._vehicles = VehicleTable.of(problem.vehicles)
        table = CandidateTable.from_names(problem.candidates)
        row = np.full(len(self._jobs), -1, dtype=np.int64)
        place = self._jobs.places(table.jobs)
        known = np.flatnonzero(place >= 0)
        row[place[known]] = known
        vehicle = self._vehicles.places(table.vehicles)[table.vehicle]
        met = np.zeros(len(self._vehicles), dtype=np.int32)
        self._listed = Listed(row, table.begins, vehicle, met)
        promised = [
            (self._jobs.at[job], self._vehicles.at[who])
            for who, jobs in promises(problem).items()
            for job in jobs
        ]
        self._promised = self._pairs(*np.array(promised, dtype=np.int64).reshape(-1, 2).T)

    def rows(self, columns: CandidateTable | Rankings) -> tuple[Ints, Ints]:
        """The job and the vehicle of each row, -1 = unknown."""
        job = np.repeat(self._jobs.places(columns.jobs), np.diff(columns.begins))
        return job, self._vehicles.places(columns.vehicles)[columns.vehicle]

    def holds(self, job: Ints, vehicle: Ints) -> NDArray[np.bool_]:
        """Whether vehicle[i] may carry job[i]."""
        holds: NDArray[np.bool_] = are_listed(self._listed, job, vehicle) > 0
        if len(self._promised):
            is_known = (job >= 0) & (vehicle >= 0)
            holds |= is_known & np.isin(self._pairs(job, vehicle), self._promised)
        return holds

    def _pairs(self, job: Ints, vehicle: Ints) -> Ints:
        return job * len(self._vehicles) + vehicle


def _explanations(plan: Plan, allowed: _Allowed) -> Iterator[Violation]:
    told = plan.rankings
    wrong = np.flatnonzero(~allowed.holds(*allowed.rows(told)))
    for at in np.unique(np.searchsorted(told.begins, wrong, side="right")).tolist():
        yield Violation(code="ranks_no_candidate", subject=told.jobs[at - 1])


def _routes(
    problem: Problem, routes: RouteTable, schedule: Schedule, allowed: _Allowed
) -> Iterator[Violation]:
    for r in np.flatnonzero(np.diff(routes.trips_begin) > problem.policy.trips_max).tolist():
        yield Violation(code="too_many_trips", subject=routes.vehicles[r])
    is_allowed = allowed.holds(schedule.job, schedule.vehicle[schedule.trip_of])
    for at in np.flatnonzero(~is_allowed).tolist():
        whose = routes.vehicles[routes.route_of[routes.trip_of[at]]]
        yield Violation(code="not_candidate", subject=routes.jobs[at], detail=whose)
    for code, is_broken in _broken(problem, routes, schedule):
        for t in np.flatnonzero(is_broken).tolist():
            whose = routes.vehicles[routes.route_of[t]]
            yield Violation(code=code, subject=whose, detail=str(routes.trip(t)))


def _broken(
    problem: Problem, routes: RouteTable, schedule: Schedule
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """By code, which trips break the rule."""
    limits = _Limits(problem, schedule)
    yield "mixed_groups", _is_mixed(problem, routes, schedule)
    yield "over_capacity", schedule.sums("size") > limits.size
    yield "too_heavy", schedule.sums("weight_g") > limits.weight_g
    yield "bundle_too_big", schedule.ends - schedule.begins > limits.count
    yield "wrong_times", _is_mistimed(routes, schedule)
    yield "shift_ends", schedule.pickup_s > limits.latest_s
    is_slow = schedule.extra_s > limits.extra_s[schedule.trip_of]
    yield "bundle_too_slow", _is_any(is_slow, schedule)


def _is_mixed(problem: Problem, routes: RouteTable, schedule: Schedule) -> NDArray[np.bool_]:
    """Which trips fetch from shops that are no neighbours, or begin in another than they say."""
    groups, visits = JobTable.of(problem.jobs).groups, schedule.visits
    number = {group: g for g, group in enumerate(groups)}
    told = ints([number.get(group, -1) for group in routes.groups])
    is_mixed: NDArray[np.bool_] = visits.group[visits.begins[:-1]] != told
    if len(visits.group) > len(told):
        is_mixed |= are_strangers(visits, numbered(problem, groups), len(groups))
    return is_mixed


def _is_mistimed(routes: RouteTable, schedule: Schedule) -> NDArray[np.bool_]:
    is_wrong: NDArray[np.bool_] = (
        _is_any(routes.delivery_s != schedule.delivery_s, schedule)
        | (routes.leave_s != schedule.leave_s)
        | (routes.pickup_s != schedule.pickup_s)
    )
    return is_wrong


def _is_any(of_jobs: NDArray[np.bool_], schedule: Schedule) -> NDArray[np.bool_]:
    """Of which trips it holds for any job."""
    counts = np.bincount(schedule.trip_of[of_jobs], minlength=len(schedule.vehicle))
    found: NDArray[np.bool_] = counts > 0
    return found


class _Limits:
    """What each trip may do; those for which somebody is under way at least what was promised."""

    def __init__(self, problem: Problem, schedule: Schedule) -> None:
        policy, trips = problem.policy, len(schedule.vehicle)
        self.size, self.weight_g = schedule.fleet("capacity"), schedule.fleet("capacity_g")
        self.latest_s = schedule.fleet("latest_pickup_s")
        self.extra_s = np.full(trips, policy.bundle_extra_s_max)
        self.count = np.full(trips, policy.bundle_size_max)
        promised = promises(problem)
        if not promised:
            return
        at = VehicleTable.of(problem.vehicles).places(tuple(promised))
        # The first trip of every vehicle that is under way, in the order of the promises.
        first = np.flatnonzero(schedule.place == 0)
        trip_of = np.full(len(problem.vehicles), -1)
        trip_of[schedule.vehicle[first]] = first
        bound = trip_of[at]
        before = Schedule(problem, _as_routes(promised))
        extra_s = np.maximum.reduceat(before.extra_s, before.begins)
        for mine, was in (
            (self.size, before.sums("size")),
            (self.weight_g, before.sums("weight_g")),
            (self.latest_s, before.pickup_s),
            (self.extra_s, extra_s),
            (self.count, before.ends - before.begins),
        ):
            mine[bound] = np.maximum(mine[bound], was)


def _as_routes(promised: Mapping[str, tuple[str, ...]]) -> RouteTable:
    """Promises as routes of one trip each."""
    return RouteTable.of(
        [
            Route(
                vehicle=vehicle,
                trips=(Trip(group="", jobs=jobs, leave_s=0, pickup_s=0, deliveries_s=()),),
            )
            for vehicle, jobs in promised.items()
        ]
    )
