"""Who could be at a place soonest: a bound for everybody near, so that few must be measured."""

import numpy as np

from optimizer.compiled import compiled, compiled_entry
from optimizer.nearby import Asks, Cells, Nearest, People, Reals


def nearest(cells: Cells, people: People, asks: Asks, wanted: int) -> Nearest:
    """At most so many for each ask, the soonest by their bounds."""
    count = len(asks.where)
    found = Nearest(
        people=np.empty((count, wanted), dtype=np.int32),
        bound_s=np.empty((count, wanted)),
        named=np.zeros(count, dtype=np.int64),
        until_s=np.full(count, np.inf),
        cell=np.empty(len(cells.radius), dtype=np.int32),
        cell_s=np.empty(len(cells.radius)),
    )
    _find(cells, people, asks, found)
    return found


@compiled_entry
def _find(cells: Cells, people: People, asks: Asks, found: Nearest) -> None:
    for a in range(len(asks.where)):
        left = _cells_within(cells, asks, a, found)
        while left > 0:
            if found.named[a] == found.people.shape[1] and found.cell_s[0] >= found.bound_s[a, 0]:
                break
            c = found.cell[0]
            left -= 1
            found.cell[0], found.cell_s[0] = found.cell[left], found.cell_s[left]
            _sink_cell(found, 0, left)
            _look_at(cells, people, asks, a, c, found)
        if found.named[a] == found.people.shape[1]:
            found.until_s[a] = found.bound_s[a, 0]


@compiled
def _cells_within(cells: Cells, asks: Asks, a: int, found: Nearest) -> int:
    """Heap the cells from which somebody could be near enough, the soonest on top; how many."""
    left = 0
    for c in range(len(cells.radius)):
        way_s = (_apart(cells.middle, c, asks.where, a) - cells.radius[c]) * cells.least_s
        way_s = max(0.0, way_s)
        if way_s < asks.below_s[a]:
            found.cell[left], found.cell_s[left] = c, cells.free_s[c] + way_s
            left += 1
    for k in range(left // 2 - 1, -1, -1):
        _sink_cell(found, k, left)
    return left


@compiled
def _look_at(cells: Cells, people: People, asks: Asks, a: int, c: int, found: Nearest) -> None:
    """Keep those of the cell who may be asked and are sooner than the last of those kept."""
    wanted = found.people.shape[1]
    for p in range(cells.begins[c], cells.begins[c + 1]):
        way_s = _apart(people.where, p, asks.where, a) * people.pace_s[p]
        bound_s = people.free_s[p] + way_s
        is_full = found.named[a] == wanted
        if way_s >= asks.below_s[a] or (is_full and bound_s >= found.bound_s[a, 0]):
            continue
        if not _may(people, p, asks, a):
            continue
        if is_full:
            found.people[a, 0], found.bound_s[a, 0] = p, bound_s
            _sink(found, a)
        else:
            _rise(found, a, p, bound_s)


@compiled
def _may(people: People, p: int, asks: Asks, a: int) -> bool:
    if people.able[p, 0] < asks.needs[a, 0] or people.able[p, 1] < asks.needs[a, 1]:
        return False
    if people.able[p, 2] & asks.needs[a, 2] == 0 or asks.needs[a, 3] & ~people.able[p, 3] != 0:
        return False
    cash = asks.needs[a, 4]
    if cash > 0 and people.able[p, 4] + cash > asks.cash_max:
        return False
    for k in range(asks.barred_at[a], asks.barred_at[a + 1]):
        if asks.barred[k] == people.number[p]:
            return False
    return True


@compiled
def _apart(one: Reals, i: int, other: Reals, j: int) -> float:
    north, east, up = one[i, 0] - other[j, 0], one[i, 1] - other[j, 1], one[i, 2] - other[j, 2]
    return float(np.sqrt(north * north + east * east + up * up))


@compiled
def _rise(found: Nearest, a: int, p: int, bound_s: float) -> None:
    """Add somebody to the heap, the last on top."""
    k = found.named[a]
    found.named[a] += 1
    while k > 0 and found.bound_s[a, (k - 1) // 2] < bound_s:
        above = (k - 1) // 2
        found.people[a, k], found.bound_s[a, k] = found.people[a, above], found.bound_s[a, above]
        k = above
    found.people[a, k], found.bound_s[a, k] = p, bound_s


@compiled
def _sink(found: Nearest, a: int) -> None:
    """Let who came to the top of the full heap sink to his place."""
    k, count = 0, found.named[a]
    p, bound_s = found.people[a, 0], found.bound_s[a, 0]
    while 2 * k + 1 < count:
        below = 2 * k + 1
        if below + 1 < count and found.bound_s[a, below + 1] > found.bound_s[a, below]:
            below += 1
        if found.bound_s[a, below] <= bound_s:
            break
        found.people[a, k], found.bound_s[a, k] = found.people[a, below], found.bound_s[a, below]
        k = below
    found.people[a, k], found.bound_s[a, k] = p, bound_s


@compiled
def _sink_cell(found: Nearest, k: int, left: int) -> None:
    """Let the cell at k sink, the soonest on top."""
    c, at_s = found.cell[k], found.cell_s[k]
    while 2 * k + 1 < left:
        below = 2 * k + 1
        if below + 1 < left and found.cell_s[below + 1] < found.cell_s[below]:
            below += 1
        if found.cell_s[below] >= at_s:
            break
        found.cell[k], found.cell_s[k] = found.cell[below], found.cell_s[below]
        k = below
    found.cell[k], found.cell_s[k] = c, at_s
