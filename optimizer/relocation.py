"""What it costs to give each planned trip to each other vehicle."""

from dataclasses import dataclass

import numpy as np

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.chains import Chains
from optimizer.places import Places, between_trips


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    """The trips that may move: the row, where it is, and what the plan saves without it."""

    row: Ints
    v: Ints
    slot: Ints
    saving: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """The best place of trip i on each other vehicle; extra: what it costs more, or INFEASIBLE."""

    places: Places
    extra: Ints


def movable(chains: Chains) -> Trips:
    """Every trip that is not locked and whose followers can do without it, by vehicle and slot."""
    now = chains.now
    v, slot = np.nonzero(now.rows >= 0)
    free = slot >= chains.first[v]
    v, slot = v[free], slot[free]
    saving = now.rest[v, slot] + chains.tables.start_cost[v] * (now.count[v] == 1)
    on = np.nonzero(slot + 1 < now.count[v])[0]
    w, k = v[on], slot[on]
    saving[on] -= chains.follow(w, now.free_s[w, k], now.place[w, k], k + 1)
    free = saving > -INFEASIBLE // 2
    return Trips(row=now.rows[v, slot][free], v=v[free], slot=slot[free], saving=saving[free])


def moves(chains: Chains, trips: Trips) -> Moves:
    """For each trip and each other vehicle that may carry it the best place."""
    places = between_trips(chains, trips.row)
    places = places.take(np.nonzero(places.v != trips.v[places.i])[0])
    cost = places.price(chains)
    best = places.cheapest(cost)
    places, cost = places.take(best), cost[best]
    possible = cost < INFEASIBLE // 2
    return Moves(places=places, extra=np.where(possible, cost - trips.saving[places.i], INFEASIBLE))


def relocate(chains: Chains, trips: Trips, found: Moves) -> bool:
    """Carry out the moves that pay most, each vehicle taking part once; False = none pays."""
    paying = np.nonzero(found.extra < 0)[0]
    paying = paying[np.argsort(found.extra[paying], kind="stable")]
    changed: dict[int, list[int]] = {}
    for at in paying.tolist():
        i, w = int(found.places.i[at]), int(found.places.v[at])
        v = int(trips.v[i])
        if v not in changed and w not in changed:
            changed[v], changed[w] = chains.chain(v), chains.chain(w)
            row = changed[v].pop(int(trips.slot[i]))
            changed[w].insert(int(found.places.slot[at]), row)
    chains.put(changed)
    return bool(changed)
