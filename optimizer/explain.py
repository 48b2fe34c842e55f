"""Why a job has its vehicle and not the next best one, and why a job has none."""

import numpy as np

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.chains import Chains
from optimizer.places import between_trips
from optimizer.problem import Alternative, Reason
from optimizer.relocation import Moves, Trips


def rankings(chains: Chains, trips: Trips, found: Moves) -> dict[str, tuple[Alternative, ...]]:
    """For each job of a trip that may move the next best vehicles, those that cannot last."""
    tables = chains.tables
    top = _top(chains, trips, found)
    listed: list[list[Alternative]] = [[] for _ in trips.row]
    for at, reason in zip(top.tolist(), _why_not(chains, trips, found, top), strict=True):
        extra = int(found.extra[at])
        runner_up = Alternative(
            vehicle=tables.vehicles[int(found.places.v[at])].id,
            extra_cost=extra if extra < INFEASIBLE else None,
            reason=reason,
        )
        listed[int(found.places.i[at])].append(runner_up)
    return {
        tables.jobs[j].id: tuple(runners_up)
        for row, runners_up in zip(trips.row.tolist(), listed, strict=True)
        for j in chains.book.jobs[row]
    }


def reason_left_out(chains: Chains, j: int) -> Reason:
    """Why job j has no vehicle."""
    tables = chains.tables
    allowed = np.nonzero(tables.candidates.may[j])[0]
    if not allowed.size:
        return Reason.NO_CANDIDATE
    roomy = allowed[tables.capacity[allowed] >= tables.size[j]]
    if not roomy.size:
        return Reason.FULL
    if not chains.in_time(roomy, np.full(len(roomy), j)).any():
        return Reason.SHIFT_ENDS
    cheapest = between_trips(chains, np.array([j]), roomy).price(chains).min()
    if cheapest >= INFEASIBLE // 2:
        return Reason.BETTER_ELSEWHERE
    return Reason.TOO_LATE if cheapest >= tables.left_out_cost[j] else Reason.OUT_OF_TIME


def _top(chains: Chains, trips: Trips, found: Moves) -> Ints:
    """The positions of the runners-up that are named, trip by trip."""
    shop = chains.book.group[trips.row[found.places.i]]
    arrival_s = chains.tables.free_s[found.places.v] + _approach_s(chains, found.places.v, shop)
    order = np.lexsort((found.places.v, arrival_s, found.extra, found.places.i))
    i = found.places.i[order]
    rank = np.arange(len(i)) - np.searchsorted(i, i)
    return order[rank < chains.tables.policy.alternatives_max]


def _why_not(chains: Chains, trips: Trips, found: Moves, at: Ints) -> list[Reason]:
    tables, book, count = chains.tables, chains.book, chains.now.count
    w, i, extra = found.places.v[at], found.places.i[at], found.extra[at]
    v, row = trips.v[i], trips.row[i]
    shop = book.group[row]
    nearer = _approach_s(chains, w, shop) <= _approach_s(chains, v, shop)
    kept = book.moved_cost(row, w) - book.moved_cost(row, v)
    idle = tables.start_cost[w] * (count[w] == 0) - tables.start_cost[v] * (count[v] == 1)
    cannot = extra >= INFEASIBLE
    cases = (
        (cannot & ~chains.in_time(w, row), Reason.SHIFT_ENDS),
        (cannot, Reason.BUSY),
        ((kept > 0) & (kept >= extra), Reason.KEPT),
        ((idle > 0) & (idle >= extra), Reason.SHORTER_IDLE),
        (nearer, Reason.BUSY),
        (np.ones(len(at), dtype=np.bool_), Reason.FARTHER),
    )
    case = np.argmax(np.stack([holds for holds, _ in cases]), axis=0)
    return [cases[n][1] for n in case.tolist()]


def _approach_s(chains: Chains, v: Ints, shop: Ints) -> Ints:
    """Seconds on the road from where the vehicle is first free."""
    tables = chains.tables
    return tables.roads.to_shop_s(tables.pace[v], tables.start[v], shop)
