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
        routes=_routes(chains),
        unassigned={tables.jobs[j].id: reason_left_out(chains, j) for j in left},
        cost=chains.cost(),
        rankings=ranked,
    )


def _routes(chains: Chains) -> tuple[Route, ...]:
    tables, book, now = chains.tables, chains.book, chains.now
    v, slot = np.nonzero(now.rows >= 0)
    row, pickup_s, pace = now.rows[v, slot], now.pickup_s[v, slot], tables.pace[v]
    approach_s = tables.roads.to_shop_s(pace, now.place[v, slot], book.group[row])
    leave_s = pickup_s - tables.service.pickup_before_s - approach_s
    deliveries_s = book.deliveries_s(row, pace, pickup_s)
    trips: dict[int, list[Trip]] = {}
    for i, vehicle in enumerate(v.tolist()):
        jobs = book.jobs[int(row[i])]
        trip = Trip(
            group=tables.jobs[jobs[0]].group,
            jobs=tuple(tables.jobs[j].id for j in jobs),
            leave_s=int(leave_s[i]),
            pickup_s=int(pickup_s[i]),
            deliveries_s=tuple(deliveries_s[i, : len(jobs)].tolist()),
        )
        trips.setdefault(vehicle, []).append(trip)
    return tuple(
        Route(vehicle=tables.vehicles[vehicle].id, trips=tuple(chain))
        for vehicle, chain in trips.items()
    )
