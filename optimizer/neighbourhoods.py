"""Which trips to reconsider together: those near each other in place and time."""

import numpy as np

from optimizer.arrays import Ints
from optimizer.chains import Chains

_TRIPS_MAX = 8
_CHAINS_MAX = 3
_SHARE_OF_CHAINS = 0.4


def movable(chains: Chains) -> tuple[Ints, Ints]:
    """Vehicle and slot of the trips that may be taken apart: all but those promised as they are."""
    v, slot = np.nonzero(chains.now.rows >= 0)
    free = chains.now.rows[v, slot] != chains.promised[v]
    return v[free], slot[free]


def draw(chains: Chains, v: Ints, slot: Ints, rng: np.random.Generator) -> Ints:
    """Positions of some trips around one drawn by lot: the nearest ones, or whole chains."""
    seed = int(rng.integers(len(v)))
    if rng.random() < _SHARE_OF_CHAINS:
        return _near_chains(chains, v, slot, seed, rng)
    return _related_trips(chains, v, slot, seed, rng)


def _related_trips(
    chains: Chains, v: Ints, slot: Ints, seed: int, rng: np.random.Generator
) -> Ints:
    shop, pickup_s = chains.book.group[chains.now.rows[v, slot]], chains.now.pickup_s[v, slot]
    apart_s = chains.tables.shops_apart_s(int(shop[seed]), shop)
    apart_s += np.abs(pickup_s - pickup_s[seed]) + 60
    order = np.argsort(apart_s * (0.5 + rng.random(len(v))), kind="stable")
    return order[: int(rng.integers(2, _TRIPS_MAX + 1))]


def _near_chains(chains: Chains, v: Ints, slot: Ints, seed: int, rng: np.random.Generator) -> Ints:
    """All trips of a few vehicles that are soon free near the shop of the seed."""
    tables, used = chains.tables, np.unique(v)
    shop = chains.book.group[chains.now.rows[v[seed], slot[seed]]]
    near_s = tables.free_s[used] + tables.roads.to_shop_s(
        tables.pace[used], tables.start[used], np.full(len(used), shop)
    )
    order = np.argsort((near_s + 60) * (0.5 + rng.random(len(used))), kind="stable")
    chosen = np.zeros(len(tables.vehicles), dtype=np.bool_)
    chosen[used[order[: _CHAINS_MAX - 1]]] = True
    chosen[v[seed]] = True
    return np.nonzero(chosen[v])[0]
