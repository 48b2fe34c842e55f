"""Routes that the search came upon, for the exact choice among them; compiled code."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.routing.arrays import KIND, Instance, Ints
from optimizer.routing.state import COST, LENGTH, STOP, State

POOL_MAX = 20_000
_STOPS_MAX = 80
_SLOTS = 1 << 16


class Pool(NamedTuple):
    """For each set of requests and kind of vehicle the cheapest line of stops that was seen.

    slots: numbers of the lines by hash. used: how many lines there are.
    """

    lines: NDArray[np.int32]
    lengths: Ints
    costs: Ints
    kinds: Ints
    keys: NDArray[np.uint64]
    slots: Ints
    used: Ints


def empty_pool(requests: int) -> Pool:
    """No route yet."""
    return Pool(
        lines=np.zeros((POOL_MAX, min(2 * requests, _STOPS_MAX)), dtype=np.int32),
        lengths=np.zeros(POOL_MAX, dtype=np.int64),
        costs=np.zeros(POOL_MAX, dtype=np.int64),
        kinds=np.zeros(POOL_MAX, dtype=np.int64),
        keys=np.zeros(_SLOTS, dtype=np.uint64),
        slots=np.full(_SLOTS, -1, dtype=np.int64),
        used=np.zeros(1, dtype=np.int64),
    )


def clear(pool: Pool) -> None:
    """Forget all routes."""
    pool.slots[:] = -1
    pool.used[0] = 0


@compiled
def _mixed(x: int) -> np.uint64:
    """Scatter a number over 64 bits (splitmix64, Steele et al. 2014)."""
    z = np.uint64(x) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def note(inst: Instance, pool: Pool, state: State, v: int) -> None:
    """Keep a route of the present solution, unless the pool is full or knows a cheaper one."""
    length, cost = state.routes[v, LENGTH], state.routes[v, COST]
    if length == 0 or length > pool.lines.shape[1]:
        return
    key = _mixed(-1 - inst.vehicles[v, KIND])
    for k in range(length):
        key += _mixed(state.legs[v, k, STOP])
    slot = np.int64(key >> np.uint64(48))
    while pool.slots[slot] >= 0 and pool.keys[slot] != key:
        slot = (slot + 1) % len(pool.slots)
    at = pool.slots[slot]
    if at < 0:
        if pool.used[0] == len(pool.costs):
            return
        at = pool.used[0]
        pool.used[0] += 1
        pool.slots[slot], pool.keys[slot] = at, key
    elif pool.costs[at] <= cost:
        return
    pool.lengths[at], pool.costs[at], pool.kinds[at] = length, cost, inst.vehicles[v, KIND]
    for k in range(length):
        pool.lines[at, k] = state.legs[v, k, STOP]
