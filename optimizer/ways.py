"""The ways to shops that a problem asks for, each once, in compiled code."""

from typing import NamedTuple

from optimizer.arrays import Ints, Numbers
from optimizer.compiled import compiled


class Ways(NamedTuple):
    """The way of an entry of candidates, and the vehicle and the group of each way.

    last: scratch paper, of each vehicle the last group that it met and its way there.
    """

    of: Numbers
    vehicle: Numbers
    group: Numbers
    last: Numbers


@compiled
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
            if ways.last[v, 0] != group[j]:
                ways.last[v, 0], ways.last[v, 1] = group[j], count
                ways.vehicle[count], ways.group[count] = v, group[j]
                count += 1
            ways.of[entry] = ways.last[v, 1]
    return count
