"""What of the last plan still holds: its trips without the vehicles and jobs that are gone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import INFEASIBLE, Ints, Numbers
from optimizer.compiled import compiled, compiled_entry
from optimizer.routes import RouteTable
from optimizer.tables import Tables
from optimizer.town import Chains, Town, trips_of
from optimizer.walking import chain_cost, entry_of, may_share, walk_all


def restore(tables: Tables, chains: Chains) -> None:
    """Fill empty chains from the incumbent; trips that break a bound are left out."""
    planned = np.zeros(len(tables.jobs), dtype=np.uint8)
    for v, jobs in tables.promised.items():
        _write(chains, v, [jobs])
        planned[jobs] = 1
    routes = RouteTable.of(tables.problem.incumbent)
    vehicle = tables.vehicles.places(routes.vehicles)
    route = np.full(len(tables.vehicles), -1)
    # Of several routes of one vehicle the first; what is written last remains.
    known = np.flatnonzero(vehicle >= 0)[::-1]
    route[vehicle[known]] = known
    job = tables.jobs.places(routes.jobs)
    longest = int(np.diff(routes.jobs_begin).max(initial=1))
    trip = np.empty((1, longest), dtype=np.int32)
    last = _Last(route, routes.trips_begin, routes.jobs_begin, job, planned, trip)
    _lay(tables.town, chains, last)
    walk_all(tables.town, chains)
    for v in np.flatnonzero(chains.cost >= INFEASIBLE).tolist():
        _put(tables, chains, v, trips_of(chains, v))


class _Last(NamedTuple):
    """The last plan, its vehicles and jobs by number, -1 = none, or gone.

    route: of each vehicle. planned: by job, whether somebody has it already. trip: scratch paper.
    """

    route: Ints
    trips_begin: Ints
    jobs_begin: Ints
    job: Ints
    planned: NDArray[np.uint8]
    trip: Numbers


@compiled_entry
def _lay(town: Town, chains: Chains, last: _Last) -> None:
    """Lay the trips of each vehicle's route at the end of its chain."""
    for v in range(len(last.route)):
        r = last.route[v]
        trips = 1 if chains.length[v] > 0 else 0
        for t in range(last.trips_begin[r], last.trips_begin[r + 1] if r >= 0 else 0):
            trips += _lay_trip(town, chains, last, v, t, trips)


@compiled
def _lay_trip(town: Town, chains: Chains, last: _Last, v: int, t: int, trips: int) -> int:
    """Lay a trip of jobs that the vehicle may carry together, each job once; how many trips.

    Of one trip too many the jobs are planned all the same, so that nobody else takes them.
    """
    laid, is_wanted = 0, trips < town.rules[0].trips_max
    for k in range(last.jobs_begin[t], last.jobs_begin[t + 1]):
        j = last.job[k]
        if j < 0 or last.planned[j] > 0 or entry_of(town, v, j) < 0:
            continue
        if laid > 0 and not may_share(town, last.trip, 0, 0, laid, j):
            continue
        last.planned[j], count = 1, chains.length[v]
        if is_wanted and count < chains.job.shape[1]:
            chains.job[v, count], chains.begins[v, count] = j, 1 if laid == 0 else 0
            chains.carrier[j] = v
            chains.length[v] += 1
        last.trip[0, laid] = j
        laid += 1
    return 0 if laid == 0 else 1


def _put(tables: Tables, chains: Chains, v: int, trips: Sequence[Sequence[int]]) -> None:
    """Give a vehicle those of the trips that it can do one after the other."""
    able: list[Sequence[int]] = []
    for jobs in trips:
        _write(chains, v, [*able, jobs])
        if chain_cost(tables.town, chains, v) < INFEASIBLE:
            able.append(jobs)
        else:
            chains.carrier[list(jobs)] = -1
    _write(chains, v, able)
    chains.cost[v] = chain_cost(tables.town, chains, v)


def _write(chains: Chains, v: int, trips: Sequence[Sequence[int]]) -> None:
    count = 0
    for jobs in trips:
        for position, j in enumerate(jobs):
            chains.job[v, count], chains.begins[v, count] = j, position == 0
            chains.carrier[j] = v
            count += 1
    chains.length[v] = count
