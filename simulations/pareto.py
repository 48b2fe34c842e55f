"""What is not worse in both of two costs than something else."""

from collections.abc import Sequence

Costs = tuple[float, float]


def front(costs: Sequence[Costs]) -> list[int]:
    """The indices of what nothing dominates, by the first cost; of equals the first.

    One dominates another if it is nowhere worse and somewhere better.
    """
    order = sorted(range(len(costs)), key=lambda index: (*costs[index], index))
    found: list[int] = []
    for index in order:
        if not found or costs[index][1] < costs[found[-1]][1]:
            found.append(index)
    return found


def ranked(costs: Sequence[Costs]) -> list[int]:
    """All indices, front by front: the front, then the front of what is left, and so on.

    Within a front the ends come first and then what has most room around it, so that whoever keeps
    the first half keeps the whole breadth (Deb et al. 2002, IEEE TEC 6).
    """
    left = list(range(len(costs)))
    found: list[int] = []
    while left:
        now = [left[index] for index in front([costs[one] for one in left])]
        found += sorted(now, key=lambda one: (-_room(now, one, costs), one))
        left = [one for one in left if one not in set(now)]
    return found


def _room(of: Sequence[int], one: int, costs: Sequence[Costs]) -> float:
    place = of.index(one)
    if place in {0, len(of) - 1}:
        return float("inf")
    before, after, first, last = (costs[of[at]] for at in (place - 1, place + 1, 0, -1))
    widths = [abs(last[axis] - first[axis]) or 1.0 for axis in range(2)]
    return sum(abs(after[axis] - before[axis]) / widths[axis] for axis in range(2))
