"""Problem in, plan out."""

from collections.abc import Callable, Sequence

import numpy as np

from optimizer.chains import Chains
from optimizer.construction import construct
from optimizer.explain import rankings, reason_left_out
from optimizer.improvement import Improvement
from optimizer.incumbent import restore
from optimizer.insertion import Insertion
from optimizer.problem import Plan, Problem, Route, Trip
from optimizer.relocation import relocate
from optimizer.tables import Tables
from optimizer.trips import TripBook

# Up to so many jobs are inserted one by one; more are matched in rounds.
_FEW = 12


def solve(problem: Problem, *, elapsed_s: Callable[[], float] = lambda: 0.0) -> Plan:
    """Plan as well as rounds and time budget allow; never worse than the incumbent.

    elapsed_s tells the seconds since the caller began; without it only the rounds bound the work.
    """

    def out_of_time() -> bool:
        return elapsed_s() >= problem.policy.time_budget_s

    tables = Tables(problem)
    chains = Chains(tables, TripBook(tables))
    left = restore(chains, problem.incumbent)
    if len(left) > _FEW:
        left = construct(chains, left, out_of_time)
    else:
        left = Insertion(chains, left).run()
    left = Improvement(chains, left, np.random.default_rng(problem.seed)).run(out_of_time)
    while not out_of_time() and relocate(chains):
        pass
    return _plan(chains, left)


def _plan(chains: Chains, left: Sequence[int]) -> Plan:
    tables = chains.tables
    return Plan(
        routes=tuple(_route(chains, v) for v in np.nonzero(chains.now.count)[0].tolist()),
        unassigned={tables.jobs[j].id: reason_left_out(chains, j) for j in sorted(left)},
        cost=chains.cost() + int(tables.left_out_cost[list(left)].sum()),
        rankings=rankings(chains) if tables.policy.alternatives_max else {},
    )


def _route(chains: Chains, v: int) -> Route:
    tables, book, now = chains.tables, chains.book, chains.now
    trips = []
    for slot, row in enumerate(chains.chain(v)):
        pickup_s = int(now.pickup_s[v, slot])
        approach_s = tables.approach_s(v, int(now.place[v, slot]), int(book.group[row]))
        trips.append(
            Trip(
                group=str(tables.groups[book.group[row]]),
                jobs=tuple(tables.jobs[j].id for j in book.jobs[row]),
                leave_s=pickup_s - tables.service.pickup_before_s - approach_s,
                pickup_s=pickup_s,
                deliveries_s=book.deliveries_s(row, int(tables.pace[v]), pickup_s),
            )
        )
    return Route(vehicle=tables.vehicles[v].id, trips=tuple(trips))
