"""Problem in, plan out."""

from collections.abc import Callable

import numpy as np

from optimizer.arrays import INFEASIBLE
from optimizer.desk import JOBS_MAX, Desk, new_desk
from optimizer.explain import rankings, reason_left_out
from optimizer.incumbent import restore
from optimizer.insertion import price_moves
from optimizer.problem import Plan, Problem, Route, Trip
from optimizer.schedule import Schedule
from optimizer.search import fill, improve, relocate, seed_chance
from optimizer.tables import Tables
from optimizer.town import Chains, Town, copy_of, empty_chains

# Rounds between two looks at the watch.
_STRIDE = 64
_WARMTH_S = 30


def solve(problem: Problem, *, elapsed_s: Callable[[], float] = lambda: 0.0) -> Plan:
    """Plan as well as rounds and time budget allow; never worse than the incumbent.

    elapsed_s tells the seconds since the caller began; without it only the rounds bound the work.
    """

    def out_of_time() -> bool:
        return elapsed_s() >= problem.policy.time_budget_s

    tables = Tables(problem)
    chains = empty_chains(tables.town)
    restore(tables, chains)
    desk = new_desk(tables.town, chains)
    _fill(tables.town, chains, desk, out_of_time)
    chains = _improved(problem, tables.town, chains, desk, out_of_time)
    if not out_of_time():
        relocate(tables.town, chains, desk)
    return _plan(tables, chains, desk)


def _fill(town: Town, chains: Chains, desk: Desk, out_of_time: Callable[[], bool]) -> None:
    """Put in what nobody carries yet, what is ready first in the first batch."""
    left = np.nonzero(chains.carrier < 0)[0].astype(np.int32)
    soonest = left[np.argsort(town.jobs[left]["ready_s"], kind="stable")]
    for begin in range(0, len(soonest), JOBS_MAX):
        if out_of_time():
            return
        batch = soonest[begin : begin + JOBS_MAX]
        desk.jobs[: len(batch)] = batch
        fill(town, chains, desk, len(batch))


def _improved(
    problem: Problem,
    town: Town,
    chains: Chains,
    desk: Desk,
    out_of_time: Callable[[], bool],
) -> Chains:
    """The best chains that the search finds."""
    policy, jobs = problem.policy, len(problem.jobs)
    rounds = min(policy.rounds_max, policy.rounds_per_job * jobs) if len(town.candidate) else 0
    best = copy_of(chains)
    so_far = np.zeros(2, dtype=np.int64)
    warmth = float(_WARMTH_S * policy.weights.waiting)
    seed_chance(problem.seed)
    for begin in range(0, rounds, _STRIDE):
        if out_of_time():
            break
        end = min(rounds, begin + _STRIDE)
        improve(town, chains, best, desk, so_far, (begin, end, rounds), warmth)
    desk.age[:] += 1
    return best


def _plan(tables: Tables, chains: Chains, desk: Desk) -> Plan:
    more = np.full(len(tables.town.candidate), INFEASIBLE, dtype=np.int64)
    price_moves(tables.town, chains, desk, more)
    left = np.nonzero(chains.carrier < 0)[0].tolist()
    unassigned_cost = int(tables.town.jobs[left]["left_out"].sum())
    return Plan(
        routes=_routes(tables, chains),
        unassigned={tables.jobs.ids[j]: reason_left_out(tables, more, j) for j in left},
        cost=int(chains.cost.sum()) + unassigned_cost,
        rankings=rankings(tables, chains, more),
    )


def _routes(tables: Tables, chains: Chains) -> tuple[Route, ...]:
    """Who carries what in which order, and when."""
    planned = {
        tables.vehicles.ids[v]: trips_of(tables, chains, v)
        for v in np.nonzero(chains.length)[0].tolist()
    }
    schedule = Schedule(tables.problem, planned)
    times = (one.tolist() for one in (schedule.leave_s, schedule.pickup_s, schedule.ends))
    leave_s, pickup_s, ends = times
    delivery_s, group_of = (
        schedule.delivery_s.tolist(),
        dict(zip(tables.jobs.ids, tables.jobs.text("group"), strict=True)),
    )
    routes, at, begin = [], 0, 0
    for vehicle, chain in planned.items():
        trips = []
        for jobs in chain:
            trips.append(
                Trip(
                    group=group_of[jobs[0]],
                    jobs=tuple(jobs),
                    leave_s=leave_s[at],
                    pickup_s=pickup_s[at],
                    deliveries_s=tuple(delivery_s[begin : ends[at]]),
                )
            )
            begin, at = ends[at], at + 1
        routes.append(Route(vehicle=vehicle, trips=tuple(trips)))
    return tuple(routes)


def trips_of(tables: Tables, chains: Chains, v: int) -> list[list[str]]:
    """The ids of the jobs of each of a vehicle's trips."""
    trips: list[list[str]] = []
    for index in range(chains.length[v]):
        if chains.begins[v, index]:
            trips.append([])
        trips[-1].append(tables.jobs.ids[chains.job[v, index]])
    return trips
