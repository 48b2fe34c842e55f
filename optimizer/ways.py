"""The ways to shops that a problem asks for, each once, in compiled code."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints, Numbers
from optimizer.compiled import compiled, compiled_entry


class Ways(NamedTuple):
    """The way of an entry of candidates, and the vehicle and the group of each way.

    may_follow[g, h]: 1 where somebody may carry jobs of both groups, and h is not after g.
    last, before: scratch paper, the last way of each vehicle, and the one before each of its ways,
    -1 = none.
    """

    of: Numbers
    vehicle: Numbers
    group: Numbers
    may_follow: NDArray[np.uint8]
    last: Numbers
    before: Numbers


def no_ways(vehicles: int, groups: int, entries: int) -> Ways:
    """Room for as many as there are entries."""
    return Ways(
        of=np.empty(entries, dtype=np.int32),
        vehicle=np.empty(entries, dtype=np.int32),
        group=np.empty(entries, dtype=np.int32),
        may_follow=np.zeros((groups, groups), dtype=np.uint8),
        last=np.full(vehicles, -1, dtype=np.int32),
        before=np.empty(entries, dtype=np.int32),
    )


@compiled_entry
def number_ways(
    by_group: Ints, group: Numbers, candidates_at: Ints, candidate: Numbers, ways: Ways
) -> int:
    """Give the ways of vehicles to the groups of their jobs numbers; how many there are.

    by_group: the jobs, those of one group together.
    """
    count = 0
    for k in range(len(by_group)):
        j = by_group[k]
        for entry in range(candidates_at[j], candidates_at[j + 1]):
            v = candidate[entry]
            if ways.last[v] < 0 or ways.group[ways.last[v]] != group[j]:
                ways.vehicle[count], ways.group[count] = v, group[j]
                ways.before[count], ways.last[v] = ways.last[v], count
                _mark(ways, count)
                count += 1
            ways.of[entry] = ways.last[v]
    return count


@compiled
def _mark(ways: Ways, way: int) -> None:
    """Who goes to the group of this way may go to those of his earlier ways, too."""
    group, earlier = ways.group[way], way
    while earlier >= 0:
        ways.may_follow[group, ways.group[earlier]] = 1
        earlier = ways.before[earlier]
