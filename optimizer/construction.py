"""A plan from nothing, by rounds of matching: in each a vehicle gets at most one job more."""

from collections.abc import Callable

import numpy as np

from optimizer.arrays import Ints
from optimizer.chains import Chains
from optimizer.matching import match
from optimizer.places import anywhere

# Rather than be matched at a price this much above the best place, a job waits for the next round,
# when its best vehicle can have it as one more trip.
_PATIENCE_S = 600


def construct(chains: Chains, waiting: Ints, stop: Callable[[], bool]) -> None:
    """Put in all that is worth it."""
    while waiting.size and not stop():
        places = anywhere(chains, waiting)
        cost = places.price(chains)
        best = places.cheapest(cost)
        places, cost = places.take(best), cost[best]
        partner = match(places.i, places.v, cost, alone=_alone(chains, waiting, places.i, cost))
        places.take(np.nonzero(partner[places.i] == places.v)[0]).put(chains)
        if (partner < 0).all():
            break
        waiting = waiting[partner < 0]


def _alone(chains: Chains, jobs: Ints, i: Ints, cost: Ints) -> Ints:
    tables = chains.tables
    alone = tables.left_out_cost[jobs].copy()
    cheapest = np.full(len(jobs), alone.max(), dtype=np.int64)
    np.minimum.at(cheapest, i, cost)
    patient: Ints = np.minimum(alone, cheapest + _PATIENCE_S * tables.waiting[jobs])
    return patient
