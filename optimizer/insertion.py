"""Putting jobs into chains, those with the most to lose first (regret insertion)."""

import numpy as np

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.chains import Chains
from optimizer.places import Places, anywhere


class Insertion:
    """The best place of each of some jobs on each vehicle.

    cost[i, v]: what job i costs on vehicle v at its best place there; slot, row and then [i, v]:
    that place.
    """

    def __init__(self, chains: Chains, jobs: Ints) -> None:
        self._chains, self._jobs = chains, jobs
        shape = (len(self._jobs), len(chains.tables.vehicles))
        self._cost = np.full(shape, INFEASIBLE, dtype=np.int64)
        self._slot, self._row, self._then = np.zeros((3, *shape), dtype=np.int64)
        self._left_out = chains.tables.left_out_cost[self._jobs]

    def run(self) -> None:
        """Insert all that is worth it."""
        if not self._cost.size:
            return
        open_ = np.ones(len(self._jobs), dtype=np.bool_)
        waiting = np.arange(len(self._jobs))
        self._price(waiting)
        while waiting.size:
            chosen, changed = self._most_urgent(waiting)
            if not chosen.size:
                break
            at = (chosen, changed)
            Places(
                i=chosen, v=changed, slot=self._slot[at], row=self._row[at], then=self._then[at]
            ).put(self._chains)
            open_[chosen] = False
            waiting = np.nonzero(open_)[0]
            self._cost[:, changed] = INFEASIBLE
            self._price(waiting, changed)

    def _most_urgent(self, waiting: Ints) -> tuple[Ints, Ints]:
        """For each vehicle the job that wants it and loses most by its second best."""
        cost, left_out = self._cost[waiting], self._left_out[waiting]
        best = cost.argmin(axis=1)
        first = cost[np.arange(len(waiting)), best]
        second = left_out
        if cost.shape[1] > 1:
            second = np.minimum(np.partition(cost, 1, axis=1)[:, 1], left_out)
        order = np.lexsort((first, first - second))
        order = order[first[order] < left_out[order]]
        wanted: dict[int, int] = {}
        for job, v in zip(waiting[order].tolist(), best[order].tolist(), strict=True):
            wanted.setdefault(v, job)
        chosen, vehicles = list(wanted.values()), list(wanted)
        return np.array(chosen, dtype=np.int64), np.array(vehicles, dtype=np.int64)

    def _price(self, waiting: Ints, vehicles: Ints | None = None) -> None:
        """Find the best places of the waiting jobs on these vehicles, or on all."""
        places = anywhere(self._chains, self._jobs[waiting], vehicles)
        cost = places.price(self._chains)
        # Of places written to one cell the last stays, so the cheapest goes last.
        order = np.argsort(-cost, kind="stable")
        places = places.take(order)
        at = (waiting[places.i], places.v)
        self._cost[at] = cost[order]
        self._slot[at], self._row[at], self._then[at] = places.slot, places.row, places.then
