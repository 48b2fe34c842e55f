"""What must hold of moves: each is the best there is, as a plain search through all would find."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.waiting import Standing, moves

HORIZON_S = 1800


def a_standing(seed: int) -> Standing:
    """Vehicles and nodes on a plane, of any number; some vehicles are slow, some come later."""
    chance = random.Random(seed)
    vehicles, nodes = chance.randint(1, 7), chance.randint(1, 8)
    size_s = chance.choice((60, 600, 3000))
    here = np.array([[chance.uniform(0, size_s) for _ in "xy"] for _ in range(vehicles)])
    there = np.array([[chance.uniform(0, size_s) for _ in "xy"] for _ in range(nodes)])
    pace = np.array([chance.choice((1.0, 1.0, 0.9, 2.0)) for _ in range(vehicles)])
    later_s = np.array([chance.choice((0, 0, 300)) for _ in range(vehicles)])
    ways_s = np.abs(here[:, None] - there[None]).sum(axis=2) * pace[:, None]
    between_s = np.abs(there[:, None] - there[None]).sum(axis=2)
    lateness_s = np.cumsum(np.cumsum([chance.random() < 0.01 for _ in range(2500)])) * 1.0
    return Standing(
        arrive_s=np.rint(ways_s).astype(np.int64) + later_s[:, None],
        reach_s=np.where(later_s > 0, 0, chance.choice((300, 900, 5000))),
        pace=pace,
        between_s=np.rint(between_s).astype(np.int64),
        rates=np.array([chance.random() / 300 for _ in range(nodes)]),
        lateness_s=lateness_s,
        horizon_s=HORIZON_S,
    )


def late(standing: Standing, seconds: float) -> float:
    at = min(round(seconds), len(standing.lateness_s) - 1)
    return float(standing.lateness_s[at])


def gains(standing: Standing, arrive_s: np.ndarray, stay: set[int]) -> dict[tuple[int, int], float]:
    """Every move that may be made and what it saves, by the definition."""
    vehicles, nodes = arrive_s.shape
    found = {}
    for v in range(vehicles):
        for s in range(nodes):
            way_s = arrive_s[v, s]
            if v in stay or not 0 < way_s <= standing.reach_s[v]:
                continue
            gain = 0.0
            for q in range(nodes):
                nearest = min(arrive_s[:, q])
                others = [arrive_s[w, q] for w in range(vehicles) if w != v]
                without = min(others, default=10**9)
                if int(np.argmin(arrive_s[:, q])) != v:
                    without = nearest
                on_s = np.rint(standing.between_s[s, q] * standing.pace[v])
                now = late(standing, nearest)
                gain += standing.rates[q] * HORIZON_S * (now - late(standing, min(on_s, without)))
                gain += (
                    standing.rates[q] * way_s * (now - late(standing, min(way_s + on_s, without)))
                )
            found[v, s] = gain
    return found


@given(st.integers(0, 2**32), st.integers(0, 4), st.sampled_from([0.0, 60.0, 600.0]))
def test_every_move_is_worth_as_much_as_the_best_of_all(
    seed: int, moves_max: int, gain_min_s: float
) -> None:
    standing = a_standing(seed)
    arrive_s, stay = standing.arrive_s.copy(), set[int]()
    found = moves(standing, moves_max=moves_max, gain_min_s=gain_min_s)
    assert len(found) <= moves_max
    for move in found:
        worth = gains(standing, arrive_s, stay)
        assert move.gain_s == pytest.approx(max(worth.values()))
        assert move.gain_s == pytest.approx(worth[move.vehicle, move.node])
        assert move.gain_s > gain_min_s
        way_s = arrive_s[move.vehicle, move.node]
        on_s = np.rint(standing.between_s[move.node] * standing.pace[move.vehicle])
        arrive_s[move.vehicle] = way_s + on_s
        stay.add(move.vehicle)
    if len(found) < moves_max:
        left = gains(standing, arrive_s, stay)
        assert max(left.values(), default=0.0) <= gain_min_s + 1e-6


@given(st.integers(0, 2**32))
def test_the_standing_itself_is_left_alone_and_gives_the_same_again(seed: int) -> None:
    standing = a_standing(seed)
    before = standing.arrive_s.copy(), standing.reach_s.copy()
    first = moves(standing, moves_max=3, gain_min_s=0.0)
    assert moves(standing, moves_max=3, gain_min_s=0.0) == first
    assert (standing.arrive_s == before[0]).all()
    assert (standing.reach_s == before[1]).all()
