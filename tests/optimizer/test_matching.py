"""Who goes with whom."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.matching import match


def cheapest(pairs: dict[tuple[int, int], int], alone: list[int], rights: int) -> int:
    """The least total cost, by trying everything."""
    best = sum(alone)
    for partners in product(range(-1, rights), repeat=len(alone)):
        taken = [right for right in partners if right >= 0]
        chosen = [(left, right) for left, right in enumerate(partners) if right >= 0]
        if len(set(taken)) == len(taken) and all(pair in pairs for pair in chosen):
            lonely = sum(alone[left] for left, right in enumerate(partners) if right < 0)
            best = min(best, lonely + sum(pairs[pair] for pair in chosen))
    return best


@given(st.data())
def test_no_other_choice_of_pairs_is_cheaper(data: st.DataObject) -> None:
    lefts, rights = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    some = st.tuples(st.integers(0, lefts - 1), st.integers(0, rights - 1))
    pairs = data.draw(st.dictionaries(some, st.integers(-50, 50)))
    alone = data.draw(st.lists(st.integers(-20, 60), min_size=lefts, max_size=lefts))
    left, right = np.array(list(pairs), dtype=np.int64).reshape(-1, 2).T
    cost = np.array(list(pairs.values()), dtype=np.int64)
    partner = match(left, right, cost, alone=np.array(alone)).tolist()
    taken = [each for each in partner if each >= 0]
    assert len(set(taken)) == len(taken)
    total = sum(alone[one] if other < 0 else pairs[one, other] for one, other in enumerate(partner))
    assert total == cheapest(pairs, alone, rights)


def test_without_pairs_everybody_stays_alone() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert match(nothing, nothing, nothing, alone=np.array([5, 5])).tolist() == [-1, -1]


@pytest.mark.parametrize(("price", "partner"), [(4, 7), (5, -1), (6, -1)])
def test_a_pair_must_be_better_than_staying_alone(price: int, partner: int) -> None:
    chosen = match(np.array([0]), np.array([7]), np.array([price]), alone=np.array([5]))
    assert chosen.tolist() == [partner]
