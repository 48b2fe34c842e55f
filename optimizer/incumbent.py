"""What of the last plan still holds: its trips without the vehicles and jobs that are gone."""

from collections.abc import Iterator, Sequence

import numpy as np

from optimizer.chains import Chains
from optimizer.problem import Route


def restore(chains: Chains, incumbent: Sequence[Route]) -> None:
    """Fill the chains from the incumbent."""
    tables = chains.tables
    planned = set(np.nonzero(chains.carriers() >= 0)[0].tolist())
    wanted: dict[int, list[int]] = {}
    for route in sorted(incumbent, key=lambda route: route.vehicle):
        v = tables.vehicle_at.get(route.vehicle)
        if v is not None and v not in wanted:
            rows = [*chains.chain(v), *_rows(chains, route, v, planned)]
            wanted[v] = rows[: tables.policy.trips_max]
    while wanted:
        able = chains.put(list(wanted), list(wanted.values())).tolist()
        cut = zip(wanted.items(), able, strict=True)
        wanted = {v: rows[:count] for (v, rows), count in cut if count < len(rows)}


def _rows(chains: Chains, route: Route, v: int, planned: set[int]) -> Iterator[int]:
    """The route's trips as rows, each job once."""
    tables = chains.tables
    for trip in route.trips:
        known = [tables.job_at[id_] for id_ in trip.jobs if id_ in tables.job_at]
        jobs = tuple(j for j in known if tables.may[j, v] and j not in planned)
        row = chains.book.ordered_row(jobs) if jobs else None
        if row is not None and tables.capacity[v] >= chains.book.size[row]:
            planned.update(jobs)
            yield row
