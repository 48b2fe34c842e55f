"""What of the last plan still holds: its trips without the vehicles and jobs that are gone."""

from collections.abc import Iterator, Sequence

import numpy as np

from optimizer.arrays import INFEASIBLE
from optimizer.problem import Route
from optimizer.tables import Tables
from optimizer.town import Chains
from optimizer.walking import chain_cost, walk_all


def restore(tables: Tables, chains: Chains) -> None:
    """Fill empty chains from the incumbent; trips that break a bound are left out."""
    planned = {j for jobs in tables.promised.values() for j in jobs}
    routes = {route.vehicle: route for route in reversed(tables.problem.incumbent)}
    kept = {}
    for v, vehicle in enumerate(tables.vehicles.ids):
        trips = [tables.promised[v]] if v in tables.promised else []
        if vehicle in routes:
            trips += _trips(tables, routes[vehicle], v, planned)
        if trips:
            kept[v] = trips[: tables.problem.policy.trips_max]
            _write(chains, v, kept[v])
    if not kept:
        return
    walk_all(tables.town, chains)
    for v in np.flatnonzero(chains.cost >= INFEASIBLE).tolist():
        _put(tables, chains, v, kept[v])


def _trips(tables: Tables, route: Route, v: int, planned: set[int]) -> Iterator[list[int]]:
    """The route's trips, each of jobs of one group that the vehicle may carry, each job once."""
    for trip in route.trips:
        jobs: list[int] = []
        for id_ in dict.fromkeys(trip.jobs):
            j = tables.job_at.get(id_)
            if j is None or j in planned:
                continue
            is_at_the_shop = not jobs or tables.group_of[jobs[0]] == tables.group_of[j]
            if is_at_the_shop and tables.may_carry(v, j):
                jobs.append(j)
        if jobs:
            planned.update(jobs)
            yield jobs


def _put(tables: Tables, chains: Chains, v: int, trips: Sequence[Sequence[int]]) -> None:
    """Give a vehicle those of the trips that it can do one after the other."""
    able: list[Sequence[int]] = []
    room = chains.job.shape[1]
    for jobs in trips:
        if sum(len(each) for each in able) + len(jobs) > room:
            continue
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
