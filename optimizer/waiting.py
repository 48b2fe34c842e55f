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
_ROUNDING = 1e-9


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

    Taking a vehicle away from where it is nearest can only lower a gain, so that the gain without
    that loss is a bound; and it grows no faster with the way than the bound of a node says.
    """

    def __init__(self, standing: Standing, arrive_s: Seconds, reach_s: Seconds) -> None:
        self._standing = standing
        self._arrive_s, self._reach_s = arrive_s, reach_s
        self._movable = np.flatnonzero((reach_s > 0) & (arrive_s.min(axis=1, initial=0) >= 0))
        columns = np.arange(arrive_s.shape[1])
        self._nearest = arrive_s.argmin(axis=0)
        self._first_s = arrive_s[self._nearest, columns]
        others = arrive_s.copy()
        others[self._nearest, columns] = len(standing.lateness_s)
        self._second_s = np.minimum(others.min(axis=0), len(standing.lateness_s))
        self._now_s = self._late(self._first_s)

    def best(self, gain_min_s: float) -> Move | None:
        """The move worth most, if it is worth more than `gain_min_s`."""
        if not len(self._movable):
            return None
        best: Move | None = None
        least_s = gain_min_s
        longest_s = self._standing.horizon_s + int(self._reach_s.max())
        bounds = self._bounds()
        for node in np.argsort(-bounds, kind="stable").tolist():
            if bounds[node] * longest_s <= least_s - _ROUNDING:
                break
            for vehicle, bound_s in self._worth_a_look(node, bounds[node], least_s):
                if bound_s <= least_s - _ROUNDING:
                    break
                gain_s = self._gain(vehicle, node)
                if gain_s > least_s:
                    best, least_s = Move(vehicle, node, gain_s), gain_s
        return best

    def _bounds(self) -> Floats:
        """For each node: what a vehicle standing there would save in a second, at most."""
        fastest = self._standing.pace[self._movable].min()
        between_s = _paced(self._standing.between_s, fastest)
        then_s = self._late(np.minimum(between_s, self._first_s))
        bounds: Floats = (self._now_s - then_s) @ self._standing.rates
        return bounds

    def _worth_a_look(self, node: int, bound: float, least_s: float) -> list[tuple[int, float]]:
        """Vehicles that could move there for more than `least_s`, with bounds, highest first."""
        way_s = self._arrive_s[self._movable, node]
        bounds_s = bound * (self._standing.horizon_s + way_s)
        good = (way_s > 0) & (way_s <= self._reach_s[self._movable])
        good &= bounds_s > least_s - _ROUNDING
        vehicles, way_s = self._movable[good], way_s[good]
        if not len(vehicles):
            return []
        standing = self._standing
        fastest = standing.pace[vehicles].min()
        helped = np.flatnonzero(_paced(standing.between_s[node], fastest) < self._first_s)
        between_s = _paced(standing.between_s[node, helped][None, :], standing.pace[vehicles, None])
        first_s, now_s, rates = self._first_s[helped], self._now_s[helped], standing.rates[helped]
        after = (now_s - self._late(np.minimum(between_s, first_s))) @ rates
        meanwhile = (now_s - self._late(np.minimum(between_s + way_s[:, None], first_s))) @ rates
        bounds_s = after * standing.horizon_s + meanwhile * way_s
        order = np.argsort(-bounds_s, kind="stable")
        return list(zip(vehicles[order].tolist(), bounds_s[order].tolist(), strict=True))

    def _gain(self, vehicle: int, node: int) -> float:
        """What the move saves, less what is lost where the vehicle is the nearest now."""
        standing = self._standing
        way_s = self._arrive_s[vehicle, node]
        between_s = _paced(standing.between_s[node], standing.pace[vehicle])
        without_s = np.where(self._nearest == vehicle, self._second_s, self._first_s)
        after = self._now_s - self._late(np.minimum(between_s, without_s))
        meanwhile = self._now_s - self._late(np.minimum(between_s + way_s, without_s))
        return float((after * standing.horizon_s + meanwhile * way_s) @ standing.rates)

    def _late(self, arrive_s: Seconds) -> Floats:
        late: Floats = self._standing.lateness_s[
            np.minimum(arrive_s, len(self._standing.lateness_s) - 1)
        ]
        return late


def _paced(between_s: Seconds, pace: Floats | float) -> Seconds:
    paced: Seconds = np.rint(between_s * pace).astype(np.int64)
    return paced
