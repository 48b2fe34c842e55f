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
            rows = [*_first(chains, route, v, planned), *_rows(chains, route, v, planned)]
            wanted[v] = rows[: tables.policy.trips_max]
    while wanted:
        able = chains.put(wanted)
        wanted = {
            v: rows[: able[v]] or chains.chain_promised(v)
            for v, rows in wanted.items()
            if able[v] < len(rows)
        }


def _first(chains: Chains, route: Route, v: int, planned: set[int]) -> list[int]:
    """The locked trip, if there is one, with those who joined it."""
    promised = chains.chain_promised(v)
    locked = {j for row in promised for j in chains.book.jobs[row]}
    for trip in route.trips[:1] if locked else ():
        known = [chains.tables.job_at[id_] for id_ in trip.jobs if id_ in chains.tables.job_at]
        row = _row(chains, known, v, planned - locked)
        if row is not None and locked < set(chains.book.jobs[row]):
            planned.update(chains.book.jobs[row])
            return [row]
    return promised


def _rows(chains: Chains, route: Route, v: int, planned: set[int]) -> Iterator[int]:
    """The route's trips as rows, each job once."""
    for trip in route.trips:
        known = [chains.tables.job_at[id_] for id_ in trip.jobs if id_ in chains.tables.job_at]
        row = _row(chains, known, v, planned)
        if row is not None:
            planned.update(chains.book.jobs[row])
            yield row


def _row(chains: Chains, jobs: Sequence[int], v: int, planned: set[int]) -> int | None:
    """The trip of those jobs that the vehicle may carry and that are free."""
    tables = chains.tables
    free = tuple(j for j in jobs if tables.candidates.may[j, v] and j not in planned)
    row = chains.book.ordered_row(free) if free else None
    return row if row is not None and chains.book.size[row] <= tables.capacity[v] else None
