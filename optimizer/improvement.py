"""Better plans by taking related jobs out and putting them in again (large-neighbourhood search).

After Shaw (1998) and Ropke & Pisinger (2006), with regret insertion and acceptance as in simulated
annealing. Several neighbourhoods are tried at once; what changed is then judged piece by piece, a
piece being the vehicles that exchanged jobs with each other.
"""

from collections.abc import Callable

import numpy as np

from optimizer.arrays import Bools, Ints
from optimizer.chains import Chains
from optimizer.insertion import Insertion
from optimizer.neighbourhoods import draw, movable

_WARMTH_S = 30
_TRIPS_PER_NEIGHBOURHOOD = 12
_NEIGHBOURHOODS_MAX = 8
_LEFT_MAX = 8
_ROUNDS_PER_JOB = 6


class Improvement:
    """A search from the chains as they are; carrier[j] is the vehicle of a job, -1 = left out."""

    def __init__(self, chains: Chains, rng: np.random.Generator) -> None:
        self._chains, self._rng = chains, rng
        self._carrier = chains.carriers()

    def run(self, stop: Callable[[], bool]) -> None:
        """Leave the best chains found behind."""
        chains, policy = self._chains, self._chains.tables.policy
        rounds = min(policy.rounds_max, _ROUNDS_PER_JOB * len(chains.tables.jobs))
        best, best_cost, cost = chains.now.copy(), 0, 0
        for step in range(rounds):
            if stop():
                break
            warmth = _WARMTH_S * policy.weights.waiting * (1 - step / rounds)
            gain = self._try_another(warmth)
            if gain is None:
                break
            cost -= gain
            if cost < best_cost:
                best, best_cost = chains.now.copy(), cost
        chains.back_to(best)

    def _try_another(self, warmth: float) -> int | None:
        """One round; what the plan costs less after it, None = there is nothing to move."""
        chains, before, was = self._chains, self._chains.now.copy(), self._carrier
        jobs = np.concatenate([self._take_out(), self._some_left()])
        if not jobs.size:
            return None
        Insertion(chains, jobs).run()
        self._carrier = chains.carriers()
        worse, piece = self._judge(chains.vehicle_costs(before), jobs, was)
        refused = ~self._accepted(worse, warmth)
        undone = np.nonzero(refused[piece[: len(chains.first)]])[0]
        chains.back_to(before, undone)
        if undone.size:
            self._carrier = chains.carriers()
        return -int(worse[~refused].sum())

    def _judge(self, cost: Ints, jobs: Ints, was: Ints) -> tuple[Ints, Ints]:
        """For each piece what it costs more now; for each vehicle, and nobody, its piece."""
        chains, vehicles = self._chains, len(self._chains.first)
        change = np.append(chains.vehicle_costs(chains.now) - cost, 0)
        left_out = chains.tables.left_out_cost[jobs]
        now = self._carrier[jobs]
        np.add.at(change, was[jobs], np.where(now < 0, left_out, 0))
        np.add.at(change, now, np.where(was[jobs] < 0, -left_out, 0))
        piece = np.arange(vehicles + 1)
        both = (now >= 0) & (was[jobs] >= 0)
        _join(piece, was[jobs][both].tolist(), now[both].tolist())
        worse = np.zeros(vehicles + 1, dtype=np.int64)
        np.add.at(worse, piece, change)
        return worse, piece

    def _accepted(self, worse: Ints, warmth: float) -> Bools:
        luck = self._rng.random(len(worse))
        accepted: Bools = worse <= -warmth * np.log(np.maximum(luck, 1e-300))
        return accepted

    def _take_out(self) -> Ints:
        """Take some trips out, but from a vehicle whose other trips cannot do without them."""
        chains = self._chains
        v, slot = movable(chains)
        if not v.size:
            return np.zeros(0, dtype=np.int64)
        count = min(_NEIGHBOURHOODS_MAX, 1 + len(v) // _TRIPS_PER_NEIGHBOURHOOD)
        drawn = [draw(chains, v, slot, self._rng) for _ in range(count)]
        at = np.unique(np.concatenate(drawn))
        return chains.take_out(v[at], slot[at])

    def _some_left(self) -> Ints:
        left = np.nonzero(self._carrier < 0)[0]
        return self._rng.permutation(left)[:_LEFT_MAX]


def _join(piece: Ints, ones: list[int], others: list[int]) -> None:
    """Give the members of each pair, and all that hang together through pairs, one number."""
    for one, other in zip(ones, others, strict=True):
        low, high = sorted((int(piece[one]), int(piece[other])))
        if low != high:
            piece[piece == high] = low
