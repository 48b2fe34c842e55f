"""Problem in, plan out."""

from collections.abc import Callable, Mapping

import numpy as np

from optimizer.chains import Chains
from optimizer.construction import construct
from optimizer.explain import rankings, reason_left_out
from optimizer.improvement import Improvement
from optimizer.incumbent import restore
from optimizer.insertion import Insertion
from optimizer.problem import Alternative, Plan, Problem, Route, Trip
from optimizer.relocation import movable, moves, relocate
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
    restore(chains, problem.incumbent)
    left = np.nonzero(chains.carriers() < 0)[0]
    if len(left) > _FEW:
        construct(chains, left, out_of_time)
    else:
        Insertion(chains, left).run()
    Improvement(chains, np.random.default_rng(problem.seed)).run(out_of_time)
    trips = movable(chains)
    found = moves(chains, trips)
    while not out_of_time() and relocate(chains, trips, found):
        trips = movable(chains)
        found = moves(chains, trips)
    return _plan(chains, rankings(chains, trips, found))


def _plan(chains: Chains, ranked: Mapping[str, tuple[Alternative, ...]]) -> Plan:
    tables = chains.tables
    left = np.nonzero(chains.carriers() < 0)[0].tolist()
    return Plan(
        routes=tuple(_route(chains, v) for v in np.nonzero(chains.now.count)[0].tolist()),
        unassigned={tables.jobs[j].id: reason_left_out(chains, j) for j in left},
        cost=chains.cost(),
        rankings=ranked,
    )


def _route(chains: Chains, v: int) -> Route:
    tables, book, now = chains.tables, chains.book, chains.now
    trips = []
    for slot, row in enumerate(chains.chain(v)):
        pickup_s = int(now.pickup_s[v, slot])
        approach_s = tables.approach_s(
            int(tables.pace[v]), int(now.place[v, slot]), int(book.group[row])
        )
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
