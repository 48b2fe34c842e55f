"""What must hold of where vehicles should wait, whatever is drawn."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.prepositioning import (
    FUTURES_MAX,
    JOBS_MAX,
    PAIRS_MAX,
    Move,
    Outlook,
    Standing,
)

HORIZON_S = 1800
AT_ONCE = np.array([1.0])
seeds = st.integers(0, 2**32)


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
    preparation = np.array([chance.random() for _ in range(chance.randint(1, 60))])
    return Standing(
        arrive_s=np.rint(ways_s).astype(np.int64) + later_s[:, None],
        reach_s=np.where(later_s > 0, 0, chance.choice((300, 900, 5000))),
        pace=pace,
        between_s=np.rint(between_s).astype(np.int64),
        rates=np.array([chance.choice((0.0, chance.random() / 300)) for _ in range(nodes)]),
        preparation=preparation / preparation.sum(),
        handover_s=chance.choice((0, 120)),
        horizon_s=HORIZON_S,
    )


def on_a_street(
    vehicles: list[int], nodes: list[int], rates: list[float], *, reach_s: list[int] | None = None
) -> Standing:
    """Places are seconds of way along a street, and everything is ready when it is placed."""
    here, there = np.array(vehicles), np.array(nodes)
    return Standing(
        arrive_s=np.abs(here[:, None] - there[None]),
        reach_s=np.array(reach_s or [3600] * len(vehicles)),
        pace=np.ones(len(vehicles)),
        between_s=np.abs(there[:, None] - there[None]),
        rates=np.array(rates),
        preparation=AT_ONCE,
        handover_s=0,
        horizon_s=HORIZON_S,
    )


def moves(
    standing: Standing, *, moves_max: int = 20, gain_min_s: float = 0.0, seed: int = 1
) -> list[Move]:
    outlook = Outlook(standing, seed=seed)
    for _ in range(outlook.futures):
        outlook.foresee()
    return outlook.moves(moves_max=moves_max, gain_min_s=gain_min_s)


@given(seeds, st.integers(0, 4), st.sampled_from([0.0, 60.0, 600.0]))
def test_who_is_sent_may_go_there_and_is_late_by_less(
    seed: int, moves_max: int, gain_min_s: float
) -> None:
    standing = a_standing(seed)
    found = moves(standing, moves_max=moves_max, gain_min_s=gain_min_s, seed=seed)
    assert len(found) <= moves_max
    assert len({one.vehicle for one in found}) == len(found)
    assert [one.gain_s for one in found] == sorted((one.gain_s for one in found), reverse=True)
    for one in found:
        way_s = standing.arrive_s[one.vehicle, one.node]
        assert 0 < way_s <= standing.reach_s[one.vehicle]
        assert gain_min_s < one.gain_s <= standing.arrive_s[one.vehicle].max()


@given(seeds)
def test_the_standing_itself_is_left_alone_and_gives_the_same_again(seed: int) -> None:
    standing = a_standing(seed)
    before = standing.arrive_s.copy(), standing.reach_s.copy()
    assert moves(standing, seed=seed) == moves(standing, seed=seed)
    assert (standing.arrive_s == before[0]).all()
    assert (standing.reach_s == before[1]).all()


def test_who_is_far_from_the_only_shop_goes_there_and_saves_no_more_than_the_way() -> None:
    (move,) = moves(on_a_street([0], [600, 1200], [1 / 60, 0.0]))
    assert (move.vehicle, move.node) == (0, 0)
    # What comes up while it is on its way is fetched as late as if it had left only then.
    assert 300 < move.gain_s <= 600


def test_of_two_who_stand_at_one_shop_one_goes_to_the_other() -> None:
    standing = on_a_street([0, 30], [0, 900], [1 / 3600, 1 / 3600])
    assert [(one.vehicle, one.node) for one in moves(standing, gain_min_s=60)] == [(1, 1)]


def test_nobody_leaves_a_busy_shop_for_one_where_hardly_anything_comes_up() -> None:
    standing = on_a_street([0, 0, 0], [0, 1800], [1 / 300, 1 / 36_000])
    assert moves(standing, gain_min_s=60) == []


def test_nobody_goes_where_another_will_soon_be_free() -> None:
    rates = [1 / 3600, 1 / 3600]
    comes = on_a_street([0, 30, 900], [0, 900], rates, reach_s=[3600, 3600, 0])
    assert moves(comes, gain_min_s=60) == []


def test_whoever_may_not_go_so_far_stays() -> None:
    rates = [1 / 60]
    assert moves(on_a_street([0], [600], rates, reach_s=[600]))
    assert not moves(on_a_street([0], [600], rates, reach_s=[599]))
    assert not moves(on_a_street([600], [600], rates))


def test_who_is_still_under_way_when_a_job_comes_up_saves_what_he_has_come_nearer() -> None:
    (move,) = moves(on_a_street([0], [6000], [1 / 60], reach_s=[6000]))
    assert 0 < move.gain_s < HORIZON_S


def test_the_slower_saves_what_its_own_way_takes() -> None:
    car = on_a_street([0], [600, 900], [0.0, 1 / 60], reach_s=[600])
    bicycle = replace(car, arrive_s=car.arrive_s * 2, reach_s=car.reach_s * 2, pace=np.array([2.0]))
    ((slow,), (fast,)) = moves(bicycle), moves(car)
    assert fast.gain_s <= 600 < slow.gain_s <= 1200


def test_what_takes_long_to_prepare_is_no_reason_to_go() -> None:
    standing = on_a_street([0], [600], [1 / 60])
    slow_shop = replace(standing, preparation=np.array([0.0] * 20 + [1.0]))
    assert moves(slow_shop) == []


@pytest.mark.parametrize(
    ("vehicles", "rate", "futures"),
    [
        pytest.param(10, 1 / 60, FUTURES_MAX, id="few"),
        pytest.param(10, 0.0, 0, id="nothing-is-expected"),
        pytest.param(2000, 10.0, PAIRS_MAX // (2000 * JOBS_MAX), id="many"),
        pytest.param(20_000, 10.0, 1, id="too-many"),
    ],
)
def test_few_futures_are_drawn_where_each_takes_long(
    vehicles: int, rate: float, futures: int
) -> None:
    outlook = Outlook(on_a_street([0] * vehicles, [600], [rate]), seed=1)
    assert outlook.futures == futures


def test_nothing_is_thought_out_where_nobody_may_go() -> None:
    outlook = Outlook(on_a_street([0], [600], [1 / 60], reach_s=[0]), seed=1)
    assert outlook.futures == 0
    assert outlook.moves(moves_max=3, gain_min_s=0.0) == []
