"""Problem in, plan out."""

from collections.abc import Callable

import numpy as np

from optimizer.arrays import INFEASIBLE
from optimizer.desk import JOBS_MAX, Desk, new_desk
from optimizer.explain import rankings, reason_left_out, reasons
from optimizer.incumbent import restore
from optimizer.insertion import price_moves
from optimizer.pricing import price_all
from optimizer.problem import Plan, Problem
from optimizer.routes import RouteTable
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
    price_all(tables.town, chains, desk, tables.by_group)
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
    # Of the others the best plan's chains are the present ones, and what is known of them holds.
    desk.marks["age"][desk.differs > 0] += 1
    return best


def _plan(tables: Tables, chains: Chains, desk: Desk) -> Plan:
    more = np.full(len(tables.town.candidate), INFEASIBLE, dtype=np.int64)
    price_moves(tables.town, chains, desk, more)
    codes = reasons(tables.town, chains, more)
    left = np.nonzero(chains.carrier < 0)[0].tolist()
    unassigned_cost = int(tables.town.jobs[left]["left_out"].sum())
    return Plan(
        routes=_routes(tables, chains),
        unassigned={tables.jobs.ids[j]: reason_left_out(tables.town, codes, j) for j in left},
        cost=int(chains.cost.sum()) + unassigned_cost,
        rankings=rankings(tables, chains, more, codes),
    )


def _routes(tables: Tables, chains: Chains) -> RouteTable:
    """Who carries what in which order, and when."""
    used = np.flatnonzero(chains.length)
    length = chains.length[used]
    is_planned = np.arange(chains.job.shape[1]) < length[:, None]
    job, begins = chains.job[used][is_planned], chains.begins[used][is_planned]
    first = np.flatnonzero(begins)
    trips = np.bincount(np.repeat(np.arange(len(used)), length)[first], minlength=len(used))
    vehicles, ids, groups = tables.vehicles.ids, tables.jobs.ids, tables.jobs.groups
    nothing = np.zeros(0, dtype=np.int64)
    routes = RouteTable(
        vehicles=tuple(map(vehicles.__getitem__, used.tolist())),
        trips_begin=np.concatenate([[0], np.cumsum(trips)]),
        groups=("",) * len(first),
        leave_s=nothing,
        pickup_s=nothing,
        jobs_begin=np.concatenate([first, [len(job)]]),
        jobs=tuple(map(ids.__getitem__, job.tolist())),
        delivery_s=nothing,
    )
    times = Schedule(tables.problem, routes)
    shops = times.visits.group[times.visits.begins[:-1]]
    return routes.timed(
        groups=tuple(map(groups.__getitem__, shops.tolist())),
        leave_s=times.leave_s,
        pickup_s=times.pickup_s,
        delivery_s=times.delivery_s,
    )
