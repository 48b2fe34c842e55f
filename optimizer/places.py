"""Every place in the chains where a job or trip could go."""

from dataclasses import dataclass

import numpy as np

from optimizer.arrays import Ints
from optimizer.chains import Chains


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """As arrays: for item i, v drives `row` after `slot` trips, then its old ones from `then`."""

    i: Ints
    v: Ints
    slot: Ints
    row: Ints
    then: Ints

    def price(self, chains: Chains) -> Ints:
        """What each costs more than the present plan."""
        return chains.change(self.v, self.slot, self.row, self.then)

    def take(self, at: Ints) -> "Places":
        """Only these."""
        return Places(
            i=self.i[at], v=self.v[at], slot=self.slot[at], row=self.row[at], then=self.then[at]
        )

    def cheapest(self, cost: Ints) -> Ints:
        """The positions of the cheapest place of each item and vehicle, of equals the first."""
        pair = self.i * (self.v.max(initial=0) + 1) + self.v
        order = np.argsort(pair, kind="stable")
        pair, cost = pair[order], cost[order]
        fresh = np.ones(len(pair), dtype=np.bool_)
        fresh[1:] = pair[1:] != pair[:-1]
        starts = np.nonzero(fresh)[0]
        if not starts.size:
            return order
        number = np.cumsum(fresh) - 1
        best = np.nonzero(cost == np.minimum.reduceat(cost, starts)[number])[0]
        return order[best[np.unique(number[best], return_index=True)[1]]]

    def put(self, chains: Chains) -> None:
        """Carry out the changes; no two of one vehicle."""
        changed = {}
        for v, slot, row, then in zip(
            self.v.tolist(), self.slot.tolist(), self.row.tolist(), self.then.tolist(), strict=True
        ):
            chain = chains.chain(v)
            changed[v] = [*chain[:slot], row, *chain[then:]]
        chains.put(changed)


def between_trips(chains: Chains, rows: Ints, vehicles: Ints | None = None) -> Places:
    """Item i is rows[i]; before, between and after the trips of vehicles that may have it."""
    i, v = chains.book.candidates(rows, vehicles)
    first = chains.first[v]
    spots = chains.now.count[v] + 1 - first
    begin = np.cumsum(spots) - spots - first
    i, v = np.repeat(i, spots), np.repeat(v, spots)
    slot = np.arange(len(v)) - np.repeat(begin, spots)
    return Places(i=i, v=v, slot=slot, row=rows[i], then=slot)


def anywhere(chains: Chains, jobs: Ints, vehicles: Ints | None = None) -> Places:
    """Item i is jobs[i], alone or in a trip of its group that has room."""
    alone, joined = between_trips(chains, jobs, vehicles), _in_trips(chains, jobs, vehicles)
    if not len(joined):
        return alone
    i, v, slot, row = joined.T
    return Places(
        i=np.concatenate([alone.i, i]),
        v=np.concatenate([alone.v, v]),
        slot=np.concatenate([alone.slot, slot]),
        row=np.concatenate([alone.row, row]),
        then=np.concatenate([alone.then, slot + 1]),
    )


def _in_trips(chains: Chains, jobs: Ints, vehicles: Ints | None) -> Ints:
    book, rows = chains.book, chains.now.rows if vehicles is None else chains.now.rows[vehicles]
    v, slot = np.nonzero(rows >= 0)
    row = rows[v, slot]
    v = v if vehicles is None else vehicles[v]
    at, trip = np.nonzero(chains.tables.group[jobs][:, None] == book.group[row])
    found = []
    for i, k in zip(at.tolist(), trip.tolist(), strict=True):
        merged = book.row((*book.jobs[int(row[k])], int(jobs[i])))
        if merged is not None:
            found.append((i, int(v[k]), int(slot[k]), merged))
    return np.array(found, dtype=np.int64)
