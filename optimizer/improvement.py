"""Better plans by taking related jobs out and putting them in again (large-neighbourhood search).

After Shaw (1998) and Ropke & Pisinger (2006): regret insertion, acceptance as in simulated
annealing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.chains import Chains, Schedule
from optimizer.insertion import Insertion
from optimizer.tables import Ints

_WARMTH_S = 30
_TRIPS_MAX = 8
_CHAINS_MAX = 3
_SHARE_OF_CHAINS = 0.4
_LEFT_MAX = 8
_ROUNDS_PER_JOB = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    schedule: Schedule
    left: list[int]
    cost: int


class Improvement:
    """A search that starts from the chains as they are, with the jobs that are left out."""

    def __init__(self, chains: Chains, left: list[int], rng: np.random.Generator) -> None:
        self._chains, self._left, self._rng = chains, left, rng

    def run(self, stop: Callable[[], bool]) -> list[int]:
        """Leave the best chains found behind; the jobs they leave out are returned."""
        policy = self._chains.tables.policy
        rounds = min(policy.rounds_max, _ROUNDS_PER_JOB * len(self._chains.tables.jobs))
        best = current = self._state()
        for step in range(rounds):
            if stop() or not self._try_another():
                break
            found = self._state()
            warmth = _WARMTH_S * policy.weights.waiting * (1 - step / rounds)
            if self._accepts(found.cost - current.cost, warmth):
                current = found
                best = min(best, found, key=lambda state: state.cost)
            else:
                self._back_to(current)
        self._back_to(best)
        return self._left

    def _state(self) -> _State:
        left_out_cost = int(self._chains.tables.left_out_cost[self._left].sum())
        return _State(
            schedule=self._chains.now.copy(),
            left=list(self._left),
            cost=self._chains.cost() + left_out_cost,
        )

    def _back_to(self, state: _State) -> None:
        self._chains.back_to(state.schedule)
        self._left = list(state.left)

    def _accepts(self, worse: int, warmth: float) -> bool:
        return worse <= 0 or (warmth > 0 and self._rng.random() < math.exp(-worse / warmth))

    def _try_another(self) -> bool:
        """Take some jobs out and put them in again; False = there is nothing to move."""
        v, slot = self._movable()
        if len(v):
            chains = self._rng.random() < _SHARE_OF_CHAINS
            at = self._near_chains(v, slot) if chains else self._related_trips(v, slot)
            taken = self._take_out(v[at], slot[at])
        else:
            taken = []
        again = self._rng.permutation(self._left)[:_LEFT_MAX].tolist()
        rest = [j for j in self._left if j not in again]
        self._left = rest + Insertion(self._chains, [*taken, *again]).run()
        return bool(taken or again)

    def _movable(self) -> tuple[Ints, Ints]:
        """The trips that may be taken apart: all but those that are promised as they are."""
        v, slot = np.nonzero(self._chains.now.rows >= 0)
        free = self._chains.now.rows[v, slot] != self._chains.promised[v]
        return v[free], slot[free]

    def _related_trips(self, v: Ints, slot: Ints) -> Ints:
        """Trips near one another in place and time, with some luck."""
        chains, rng = self._chains, self._rng
        shop, pickup_s = chains.book.group[chains.now.rows[v, slot]], chains.now.pickup_s[v, slot]
        seed = int(rng.integers(len(v)))
        apart_s = chains.tables.shops_apart_s(int(shop[seed]), shop) + np.abs(
            pickup_s - pickup_s[seed]
        )
        order = np.argsort((apart_s + 60) * (0.5 + rng.random(len(v))), kind="stable")
        return order[: int(rng.integers(2, _TRIPS_MAX + 1))]

    def _near_chains(self, v: Ints, slot: Ints) -> Ints:
        """All trips of a few vehicles that are soon free near one shop."""
        chains, tables, rng = self._chains, self._chains.tables, self._rng
        seed = int(rng.integers(len(v)))
        shop = chains.book.group[chains.now.rows[v[seed], slot[seed]]]
        used = np.unique(v)
        near_s = tables.free_s[used] + tables.roads.to_shop_s(
            tables.pace[used], tables.start[used], np.full(len(used), shop)
        )
        order = np.argsort((near_s + 60) * (0.5 + rng.random(len(used))), kind="stable")
        chosen = np.append(used[order[: _CHAINS_MAX - 1]], v[seed])
        return np.nonzero(np.isin(v, chosen))[0]

    def _take_out(self, v: Ints, slot: Ints) -> list[int]:
        """Take the trips out, but from a vehicle whose other trips cannot do without them."""
        chains = self._chains
        gone: dict[int, list[int]] = {}
        for vehicle, k in sorted(zip(v.tolist(), slot.tolist(), strict=True)):
            gone.setdefault(vehicle, []).append(k)
        before = {vehicle: chains.chain(vehicle) for vehicle in gone}
        after = {vehicle: chains.without(vehicle, slots) for vehicle, slots in gone.items()}
        able = chains.put(list(after), list(after.values())).tolist()
        taken: list[int] = []
        for (vehicle, rows), count in zip(after.items(), able, strict=True):
            if count < len(rows):
                chains.put([vehicle], [before[vehicle]])
            else:
                kept = {j for row in rows for j in chains.book.jobs[row]}
                taken += [
                    j for row in before[vehicle] for j in chains.book.jobs[row] if j not in kept
                ]
        return taken
