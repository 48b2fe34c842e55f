"""Minimum-cost matching over sparse pairs, where everybody may also stay alone."""

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

Ints = NDArray[np.int64]


def match(left: Ints, right: Ints, cost: Ints, *, alone: Ints) -> Ints:
    """For each left item the right one, -1 = none, so that the total cost is least.

    left[i], right[i], cost[i]: a possible pair and its price; each pair at most once. alone[l]: the
    price of leaving l without a partner; len(alone) left items. Right items stay alone for nothing.
    """
    worth = cost < alone[left]
    left, right, cost = left[worth], right[worth], cost[worth]
    partner = np.full(len(alone), -1, dtype=np.int64)
    if len(left) == 0:
        return partner
    lefts, left_at = np.unique(left, return_inverse=True)
    rights, right_at = np.unique(right, return_inverse=True)
    chosen = _perfect(left_at, right_at, cost - alone[left], len(lefts), len(rights))
    partner[lefts] = np.where(chosen >= 0, rights[chosen], -1)
    return partner


def _perfect(left: Ints, right: Ints, gain: Ints, lefts: int, rights: int) -> Ints:
    """Solve as a perfect matching: each item has a double, and alone = matched with it for nothing.

    Doubles of a pair may be matched with each other for nothing, so every choice of pairs can be
    completed.
    """
    solver = SimpleLinearSumAssignment()
    everyone, all_right = np.arange(lefts), np.arange(rights)
    nothing = np.zeros(len(left), dtype=np.int64)
    solver.add_arcs_with_cost(left, right, gain)
    solver.add_arcs_with_cost(right + lefts, left + rights, nothing)
    solver.add_arcs_with_cost(everyone, everyone + rights, np.zeros(lefts, dtype=np.int64))
    solver.add_arcs_with_cost(all_right + lefts, all_right, np.zeros(rights, dtype=np.int64))
    status = solver.solve()
    assert status == solver.OPTIMAL, status
    mates = np.array([solver.right_mate(item) for item in range(lefts)], dtype=np.int64)
    return np.where(mates < rights, mates, -1)
