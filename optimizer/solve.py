"""Problem in, plan out."""

from collections.abc import Callable

from optimizer.problem import Job, Plan, Problem, Reason, Route, Vehicle
from optimizer.timing import Timetable


def solve(problem: Problem, *, elapsed_s: Callable[[], float] = lambda: 0.0) -> Plan:
    """Plan as well as the policy's rounds and the time budget allow; elapsed_s tells seconds since the caller began."""
    timetable = Timetable(problem)
    chains: dict[str, list[tuple[str, ...]]] = {
        vehicle.id: [vehicle.locked] if vehicle.locked else [] for vehicle in problem.vehicles
    }
    unassigned = {}
    locked = {job for vehicle in problem.vehicles for job in vehicle.locked}
    for job in sorted(problem.jobs, key=lambda job: (job.ready_s, job.id)):
        if job.id in locked:
            continue
        best = min(_options(problem, timetable, chains, job), default=None)
        if best is None or elapsed_s() > problem.policy.time_budget_s:
            allowed = problem.candidates.get(job.id, ())
            unassigned[job.id] = Reason.SHIFT_ENDS if allowed else Reason.NO_CANDIDATE
        else:
            chains[best[1]].append((job.id,))
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    routes = tuple(
        Route(
            vehicle=id_, trips=tuple(timed.trip for timed in timetable.chain(vehicles[id_], chain))
        )
        for id_, chain in sorted(chains.items())
        if chain
    )
    return Plan(routes=routes, unassigned=unassigned, cost=timetable.cost(routes))


def _options(
    problem: Problem, timetable: Timetable, chains: dict[str, list[tuple[str, ...]]], job: Job
) -> list[tuple[int, str]]:
    allowed = set(problem.candidates.get(job.id, ()))
    options = []
    for vehicle in problem.vehicles:
        if vehicle.id in allowed and len(chains[vehicle.id]) < problem.policy.trips_max:
            last = timetable.chain(vehicle, [*chains[vehicle.id], (job.id,)])[-1].trip
            if _fits(vehicle, job, last.pickup_s):
                options.append((last.deliveries_s[0], vehicle.id))
    return options


def _fits(vehicle: Vehicle, job: Job, pickup_s: int) -> bool:
    ends_s = vehicle.latest_pickup_s
    return job.size <= vehicle.capacity and (ends_s is None or pickup_s <= ends_s)
