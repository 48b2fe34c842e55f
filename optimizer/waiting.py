"""Where idle vehicles should wait: the greedy moves that make expected pick-ups least late.

A node's expected lateness depends on how far the nearest unplanned vehicle is; with the rate at
which its jobs come it is the coverage that a move should improve (Brotcorne, Laporte and Semet,
"Ambulance location and relocation models", EJOR 147, 2003, for the family of such models). A move
counts twice: for the time after it, when the vehicle stands at the new node, and for the time that
it takes, when the vehicle is still on its way there.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.int64]
Floats = NDArray[np.float64]
# What differs by less is the same: sums in another order differ in their last bits.
_ROUNDING = 1e-6
# How many moves are worked out at once.
_TOGETHER = 64


class Move(NamedTuple):
    """Vehicle and node by their rows, and the seconds expected to be saved."""

    vehicle: int
    node: int
    gain_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """V vehicles without planned work and N nodes where jobs come up.

    `arrive_s` (V, N): when each vehicle could be at each node. `reach_s` (V,): the longest way that
    it may be sent, 0 for one that stays. `pace` (V,): its seconds for a second of `between_s`
    (N, N). `rates` (N,): jobs a second. `lateness_s[d]`: how late a pick-up is expected to be when
    the nearest vehicle is d seconds away, never falling; its last entry holds for all that is
    further. `horizon_s`: how long a vehicle is reckoned to stand where it was sent.
    """

    arrive_s: Seconds
    reach_s: Seconds
    pace: Floats
    between_s: Seconds
    rates: Floats
    lateness_s: Floats
    horizon_s: int


def moves(standing: Standing, *, moves_max: int, gain_min_s: float) -> list[Move]:
    """The best move, then the best after it, and so on, each worth more than `gain_min_s`.

    Exact for each move. Of moves worth the same the one that is found first is taken, so that the
    same rows in the same order give the same answer.
    """
    arrive_s, reach_s = standing.arrive_s.copy(), standing.reach_s.copy()
    found: list[Move] = []
    while len(found) < moves_max:
        best = _Search(standing, arrive_s, reach_s).best(gain_min_s)
        if best is None:
            break
        found.append(best)
        way_s = arrive_s[best.vehicle, best.node]
        arrive_s[best.vehicle] = way_s + _paced(
            standing.between_s[best.node], standing.pace[best.vehicle]
        )
        reach_s[best.vehicle] = 0
    return found


class _Search:
    """The best single move, by bounds: few of the pairs of vehicle and node are worked out.

    A vehicle on its way covers no more than one that stands there already: with that a bound of
    every pair is cheap, because what is lost where the vehicle is the nearest now concerns each
    node once.
    """

    def __init__(self, standing: Standing, arrive_s: Seconds, reach_s: Seconds) -> None:
        self._standing = standing
        self._arrive_s = arrive_s
        self._may_go = (arrive_s > 0) & (arrive_s <= reach_s[:, None])
        columns = np.arange(arrive_s.shape[1])
        self._nearest = arrive_s.argmin(axis=0)
        self._first_s = arrive_s[self._nearest, columns]
        others = arrive_s.copy()
        others[self._nearest, columns] = len(standing.lateness_s)
        self._second_s = others.min(axis=0)
        self._now_s = self._late(self._first_s)

    def best(self, gain_min_s: float) -> Move | None:
        """The move worth most, if it is worth more than `gain_min_s`."""
        vehicles, nodes = np.nonzero(self._may_go)
        if not len(vehicles):
            return None
        bounds_s = self._bounds(gain_min_s)[vehicles, nodes]
        likely = np.flatnonzero(bounds_s > gain_min_s - _ROUNDING)
        likely = likely[np.argsort(-bounds_s[likely], kind="stable")]
        best: Move | None = None
        least_s = gain_min_s
        for start in range(0, len(likely), _TOGETHER):
            some = likely[start : start + _TOGETHER]
            if bounds_s[some[0]] <= least_s - _ROUNDING:
                break
            gains_s = self._gains(vehicles[some], nodes[some])
            at = int(gains_s.argmax())
            if gains_s[at] > least_s:
                least_s = float(gains_s[at])
                best = Move(int(vehicles[some[at]]), int(nodes[some[at]]), least_s)
        return best

    def _bounds(self, gain_min_s: float) -> Floats:
        """For each vehicle and node: what the move can save at most, (V, N).

        What is lost elsewhere is only worked out for nodes to which a move could be worth it.
        """
        standing, arrive_s = self._standing, self._arrive_s
        movable: NDArray[np.bool_] = np.any(self._may_go, axis=1)
        between_s = _paced(standing.between_s, standing.pace[movable].min())
        then_s = self._late(np.minimum(between_s, self._first_s))
        saved: Floats = (self._now_s - then_s) @ standing.rates
        bounds: Floats = saved * (standing.horizon_s + arrive_s)
        leaving = np.flatnonzero(movable[self._nearest])
        targets = np.flatnonzero((self._may_go & (bounds > gain_min_s)).any(axis=0))
        if len(leaving) and len(targets):
            leaving = leaving[np.argsort(self._nearest[leaving], kind="stable")]
            vehicles, starts = np.unique(self._nearest[leaving], return_index=True)
            lost = np.add.reduceat(self._lost(leaving, targets), starts, axis=1)
            bounds[np.ix_(vehicles, targets)] -= lost.T
        return bounds

    def _lost(self, nodes: NDArray[np.int64], targets: NDArray[np.int64]) -> Floats:
        """What each of `nodes` loses when its nearest goes to a target, (targets, nodes)."""
        standing, nearest = self._standing, self._nearest[nodes]
        first_s, second_s = self._first_s[nodes], self._second_s[nodes]
        on_s = _paced(standing.between_s[np.ix_(targets, nodes)], standing.pace[nearest])
        way_s = self._arrive_s[np.ix_(nearest, targets)].T
        lost = standing.horizon_s * (
            self._late(np.minimum(on_s, second_s)) - self._late(np.minimum(on_s, first_s))
        )
        on_s = on_s + way_s
        lost += way_s * (
            self._late(np.minimum(on_s, second_s)) - self._late(np.minimum(on_s, first_s))
        )
        worth: Floats = lost * standing.rates[nodes]
        return worth

    def _gains(self, vehicles: NDArray[np.int64], nodes: NDArray[np.int64]) -> Floats:
        """What each move saves, less what is lost where its vehicle is the nearest now."""
        standing = self._standing
        way_s = self._arrive_s[vehicles, nodes][:, None]
        on_s = _paced(standing.between_s[nodes], standing.pace[vehicles][:, None])
        is_nearest = self._nearest == vehicles[:, None]
        without_s = np.where(is_nearest, self._second_s, self._first_s)
        after = self._now_s - self._late(np.minimum(on_s, without_s))
        meanwhile = self._now_s - self._late(np.minimum(on_s + way_s, without_s))
        gains: Floats = (after * standing.horizon_s + meanwhile * way_s) @ standing.rates
        return gains

    def _late(self, arrive_s: Seconds) -> Floats:
        late: Floats = self._standing.lateness_s[
            np.minimum(arrive_s, len(self._standing.lateness_s) - 1)
        ]
        return late


def _paced(between_s: Seconds, pace: Floats | float) -> Seconds:
    if np.all(pace == 1.0):
        return between_s
    paced: Seconds = np.rint(between_s * pace).astype(np.int64)
    return paced
