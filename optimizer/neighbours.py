"""Shops near enough to each other that one trip may fetch from all of them.

The shops of a trip are neighbours of one another, and it visits them in the order in which what it
fetches there is ready; whoever is bound for a shop goes there first.
"""

from collections.abc import Collection, Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints
from optimizer.problem import Job, Problem


def are_neighbours(problem: Problem) -> frozenset[tuple[str, str]]:
    """The pairs of groups whose shops are, in both orders."""
    pairs = problem.neighbours
    return frozenset(chain.from_iterable(((a, b), (b, a)) for a, b in pairs if a != b))


def may_join(group: str, there: Collection[str], pairs: frozenset[tuple[str, str]]) -> bool:
    """Whether a trip may fetch from this shop and from all of those."""
    return group in there or all((group, one) in pairs for one in there)


def numbered(problem: Problem, groups: tuple[str, ...]) -> Ints:
    """The same pairs by the places of the groups, one column for each, sorted."""
    if not problem.neighbours:
        return np.zeros((2, 0), dtype=np.int64)
    number = {group: g for g, group in enumerate(groups)}
    found = sorted(
        (number[a], number[b]) for a, b in are_neighbours(problem) if a in number and b in number
    )
    return np.array(found, dtype=np.int64).reshape(-1, 2).T


def visited(jobs: Iterable[Job], bound_for: str | None) -> tuple[str, ...]:
    """The groups of a trip's jobs in the order in which their shops are visited."""
    ready_s: dict[str, int] = {}
    for job in jobs:
        ready_s[job.group] = max(job.ready_s, ready_s.get(job.group, job.ready_s))
    return tuple(sorted(ready_s, key=lambda one: (one != bound_for, ready_s[one], one)))


class Visits(NamedTuple):
    """The shops of trips: trip by trip, in the order in which they are visited.

    Those of trip t are at begins[t] : begins[t + 1] of group and of ready_s, when all that is
    fetched there is ready.
    """

    begins: Ints
    group: Ints
    ready_s: Ints


def visits_of(trip_of: Ints, group: Ints, ready_s: Ints, bound: Ints) -> Visits:
    """All columns are of jobs, those of one trip together.

    bound: the group for which the vehicle of a job's trip is bound with it, -1 = none.
    """
    in_order = np.lexsort((group, trip_of))
    trip, shop = trip_of[in_order], group[in_order]
    is_first = (np.diff(trip, prepend=-1) != 0) | (np.diff(shop, prepend=-1) != 0)
    begins = np.flatnonzero(is_first)
    all_s = np.maximum.reduceat(ready_s[in_order], begins) if len(begins) else ready_s[:0]
    trip, shop, bound = trip[begins], shop[begins], bound[in_order][begins]
    by_visit = np.lexsort((shop, all_s, shop != bound, trip))
    counts = np.bincount(trip)
    return Visits(np.append(0, np.cumsum(counts)), shop[by_visit], all_s[by_visit])


def are_strangers(visits: Visits, pairs: Ints, groups: int) -> NDArray[np.bool_]:
    """Which trips fetch from two shops that are no neighbours; `pairs` as `numbered` tells."""
    counts, known = np.diff(visits.begins), pairs[0] * groups + pairs[1]
    strange = np.zeros(len(counts), dtype=np.bool_)
    trip = np.repeat(np.arange(len(counts)), counts)
    for gap in range(1, int(counts.max(initial=1))):
        (one,) = np.nonzero(np.arange(len(trip)) + gap < visits.begins[trip + 1])
        pair = visits.group[one] * groups + visits.group[one + gap]
        strange[trip[one][~np.isin(pair, known)]] = True
    return strange
