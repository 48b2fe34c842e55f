"""Where idle vehicles should wait, learnt from futures that are drawn at random.

In each future the jobs of the next half hour, say, come up as they are expected to, and are shared
out among all vehicles as if they were known, so that no vehicle counts twice: what an idle one is
given in many futures says where it is needed (the sample average approximation of a stochastic
program: Kleywegt, Shapiro and Homem-de-Mello, SIAM Journal on Optimization 12, 2002). It should
wait where these jobs, of which it hears only when they are placed, would be least late.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints

Floats = NDArray[np.float64]
FUTURES_MAX: Final = 40
# What is shared out in one future at most; where more is expected, it looks less far ahead.
JOBS_MAX: Final = 250
# Pairs of vehicle and job in all futures together: a tenth of a second of a tick at most.
PAIRS_MAX: Final = 4_000_000
# Of vehicles that would all be in time the nearest goes: a second of its way is worth this.
_WAY: Final = 0.001
_MINUTE_S: Final = 60


class Move(NamedTuple):
    """Vehicle and node by their rows, and the seconds expected to be saved."""

    vehicle: int
    node: int
    gain_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """V vehicles and N nodes where jobs come up.

    `arrive_s` (V, N): when each vehicle could be at each node, after the work it has. `reach_s`
    (V,): the longest way that it may be sent, 0 for one that stays. `pace` (V,): its seconds for a
    second of `between_s` (N, N). `rates` (N,): jobs a second. `preparation` (M,): the chance that a
    job is ready so many whole minutes after it was placed. `handover_s`: from arrival to pick-up
    at least. `horizon_s`: how far ahead to look.
    """

    arrive_s: Ints
    reach_s: Ints
    pace: Floats
    between_s: Ints
    rates: Floats
    preparation: Floats
    handover_s: int
    horizon_s: int


class Outlook:
    """What was seen in the futures that were drawn so far; one seed gives the same ones."""

    def __init__(self, standing: Standing, *, seed: int) -> None:
        self._standing = standing
        self._chance = np.random.default_rng(seed)
        arrive_s, reach_s = standing.arrive_s, standing.reach_s
        self._may_go = (arrive_s > 0) & (arrive_s <= reach_s[:, None])
        self._movers = np.flatnonzero(self._may_go.any(axis=1))
        self._row = np.full(len(reach_s), -1)
        self._row[self._movers] = np.arange(len(self._movers))
        self._saved_s = np.zeros((len(self._movers), len(standing.rates)))
        self._seen = 0
        a_second = float(standing.rates.sum())
        self._ahead_s = min(standing.horizon_s, JOBS_MAX / a_second) if a_second > 0 else 0.0
        self._expected = a_second * self._ahead_s

    @property
    def futures(self) -> int:
        """How many are worth drawing, and may be."""
        if not len(self._movers) or self._expected == 0:
            return 0
        pairs = len(self._row) * max(1.0, self._expected)
        return max(1, min(FUTURES_MAX, int(PAIRS_MAX / pairs)))

    def foresee(self) -> None:
        """Draw one more future, and see what everybody would save who had waited elsewhere."""
        # A cell that begins anew does not wait for scipy: few zones send anybody to wait.
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

        self._seen += 1
        standing = self._standing
        node, placed_s, ready_s = self._drawn()
        arrive_s = standing.arrive_s[:, node]
        late_s = np.maximum(0, arrive_s + standing.handover_s - ready_s) + _WAY * arrive_s
        vehicle, job = linear_sum_assignment(late_s)
        given = self._row[vehicle] >= 0
        vehicle, job = vehicle[given], job[given]
        self._saved_s[self._row[vehicle]] += self._saved(
            vehicle, node[job], placed_s[job], ready_s[job] - placed_s[job]
        )

    def moves(self, *, moves_max: int, gain_min_s: float) -> list[Move]:
        """The moves of most gain, each of another vehicle and worth more than `gain_min_s`."""
        if not self._seen:
            return []
        may_go = self._may_go[self._movers]
        gain_s = np.where(may_go, self._saved_s / self._seen, -np.inf)
        nodes = gain_s.argmax(axis=1)
        best_s = gain_s[np.arange(len(nodes)), nodes]
        first = np.argsort(-best_s, kind="stable")[:moves_max].tolist()
        return [
            Move(int(self._movers[row]), int(nodes[row]), float(best_s[row]))
            for row in first
            if best_s[row] > gain_min_s
        ]

    def _drawn(self) -> tuple[Ints, Floats, Floats]:
        """For each job of a future: its node, when it is placed and when it is ready."""
        standing, chance = self._standing, self._chance
        counts = chance.poisson(standing.rates * self._ahead_s)
        node = np.repeat(np.arange(len(counts)), counts)
        placed_s = chance.uniform(0, self._ahead_s, len(node))
        minutes = chance.choice(len(standing.preparation), len(node), p=standing.preparation)
        return node, placed_s, placed_s + minutes * float(_MINUTE_S)

    def _saved(self, vehicle: Ints, node: Ints, placed_s: Floats, preparation_s: Floats) -> Floats:
        """What each saves at the job that it is given, by the node where it waits for it.

        Who stays leaves when the job is placed; who is still under way then goes on from there.
        """
        standing = self._standing
        spare_s = preparation_s - standing.handover_s
        stays_s = np.maximum(0, standing.arrive_s[vehicle, node] - spare_s)
        left_s = np.maximum(0, standing.arrive_s[vehicle] - placed_s[:, None])
        on_s = standing.between_s[:, node].T * standing.pace[vehicle][:, None]
        saved: Floats = stays_s[:, None] - np.maximum(0, left_s + on_s - spare_s[:, None])
        return saved
