"""What must hold of the search for who could be at a place soonest."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optimizer.nearby import Asks, Cells, Nearest, People
from optimizer.nearest import nearest

_CELLS, _PEOPLE, _ASKS = 6, 40, 5


def _found(seed: int, wanted: int, below_s: int) -> tuple[Nearest, np.ndarray]:
    """What is found in a crowd of that seed, and everybody's bounds, infinite where he may not."""
    chance = np.random.default_rng(seed)
    where, cell = chance.random((_PEOPLE, 3)), np.sort(chance.integers(0, _CELLS, _PEOPLE))
    cell = np.unique(cell, return_inverse=True)[1]
    people = People(
        where=where,
        free_s=chance.integers(-60, 60, _PEOPLE).astype(np.float64),
        pace_s=chance.choice([50.0, 100.0], _PEOPLE),
        able=chance.integers(1, 4, (_PEOPLE, 5)),
        number=np.arange(_PEOPLE),
    )
    cells = range(int(cell.max()) + 1)
    middle = np.array([where[cell == one].mean(axis=0) for one in cells])
    apart = np.linalg.norm(where - middle[cell], axis=1)
    asks = Asks(
        where=chance.random((_ASKS, 3)),
        below_s=np.full(_ASKS, below_s),
        needs=chance.integers(0, 3, (_ASKS, 5)),
        barred_at=np.arange(_ASKS + 1),
        barred=chance.integers(0, _PEOPLE, _ASKS),
        cash_max=4,
    )
    asks.needs[:, 2] |= 1
    found = nearest(
        Cells(
            begins=np.searchsorted(cell, np.arange(len(cells) + 1)),
            middle=middle,
            radius=np.array([apart[cell == one].max() for one in cells]) + 1e-9,
            free_s=np.array([people.free_s[cell == one].min() for one in cells]),
            least_s=50.0,
        ),
        people,
        asks,
        wanted,
    )
    return found, np.array([[_bound(people, p, asks, a) for p in range(_PEOPLE)] for a in range(5)])


def _bound(people: People, p: int, asks: Asks, a: int) -> float:
    (units, grams, kind, skills, cash), needs = people.able[p].tolist(), asks.needs[a].tolist()
    way_s = float(np.linalg.norm(people.where[p] - asks.where[a]) * people.pace_s[p])
    may = (
        units >= needs[0]
        and grams >= needs[1]
        and bool(kind & needs[2])
        and needs[3] & ~skills == 0
        and (needs[4] == 0 or cash + needs[4] <= asks.cash_max)
        and p != asks.barred[a]
        and way_s < asks.below_s[a]
    )
    return float(people.free_s[p]) + way_s if may else np.inf


@given(st.integers(0, 2**32), st.integers(1, 50), st.sampled_from([20, 60, 1000]))
def test_nobody_left_out_could_be_there_sooner_than_it_says(
    seed: int, wanted: int, below_s: int
) -> None:
    found, bounds_s = _found(seed, wanted, below_s)
    for a, row in enumerate(bounds_s):
        named = found.people[a, : found.named[a]]
        assert len(named) == min(wanted, int(np.isfinite(row).sum())) == len(set(named.tolist()))
        assert np.allclose(np.sort(row[named]), np.sort(row)[: len(named)])
        others = np.delete(row, named)
        assert others.min(initial=np.inf) >= found.until_s[a] - 1e-6
        assert np.isinf(found.until_s[a]) == (len(named) < wanted)
