"""Which jobs to reconsider together: those that are like each other, or whole chains of them."""

import numpy as np

from optimizer.compiled import compiled
from optimizer.desk import JOBS_MAX, Desk
from optimizer.town import Chains, Town

_RELATED_MAX = 9
_LEFT_MAX = 8
_SHARE_OF_CHAINS = 0.35
SAMPLED_MAX = 60
_TOGETHER_S = 180


@compiled
def draw(town: Town, chains: Chains, desk: Desk) -> int:
    """Write some jobs to `desk.jobs`, each once; their number.

    Shaw (1998): what is near in place and time can be exchanged; some of what is left out comes
    along.
    """
    seed = np.random.randint(len(town.jobs))
    carrier = chains.carrier[seed]
    if carrier >= 0 and np.random.random() < _SHARE_OF_CHAINS:
        count = _chains(town, chains, seed, desk)
    else:
        count = _related(town, chains, seed, desk)
    return _with_some_left(chains, desk, count)


@compiled
def _chains(town: Town, chains: Chains, seed: int, desk: Desk) -> int:
    """The jobs of the seed's vehicle and of that of a job like it."""
    first = chains.carrier[seed]
    other, least = first, np.inf
    for k in range(_neighbours(town, chains, seed, desk)):
        v = chains.carrier[desk.neighbour[k]]
        if v != first and desk.apart[k] < least:
            other, least = v, desk.apart[k]
    count = _whole_chain(chains, first, desk, 0)
    return count if other == first else _whole_chain(chains, other, desk, count)


@compiled
def _whole_chain(chains: Chains, v: int, desk: Desk, count: int) -> int:
    for index in range(chains.length[v]):
        if count < JOBS_MAX:
            desk.jobs[count] = chains.job[v, index]
            count += 1
    return count


@compiled
def _neighbours(town: Town, chains: Chains, seed: int, desk: Desk) -> int:
    """Note some of the jobs that somebody carries, and how unlike the seed they are."""
    near, ready_s, carrier = town.jobs[seed].group, town.jobs[seed].ready_s, chains.carrier[seed]
    jobs, count = len(town.jobs), 0
    for k in range(min(jobs, SAMPLED_MAX)):
        j = k if jobs <= SAMPLED_MAX else _one_around(town, chains, seed)
        if j < 0 or j == seed or chains.carrier[j] < 0:
            continue
        apart_s = town.apart_s[near, town.jobs[j].group] + abs(town.jobs[j].ready_s - ready_s) / 2
        if chains.carrier[j] == carrier:
            apart_s -= _TOGETHER_S
        desk.neighbour[count] = j
        desk.apart[count] = (apart_s + 60) * (0.5 + np.random.random())
        count += 1
    return count


@compiled
def _one_around(town: Town, chains: Chains, seed: int) -> int:
    """A job of one of those who could carry the seed; -1 = who was drawn has none."""
    begin, end = town.candidates_at[seed], town.candidates_at[seed + 1]
    if end == begin:
        return -1
    v = town.candidate[begin + np.random.randint(end - begin)]
    length = chains.length[v]
    return chains.job[v, np.random.randint(length)] if length > 0 else -1


@compiled
def _related(town: Town, chains: Chains, seed: int, desk: Desk) -> int:
    """The seed, and the jobs most like it."""
    wanted = np.random.randint(2, _RELATED_MAX)
    count = _neighbours(town, chains, seed, desk)
    desk.jobs[0] = seed
    kept = 1
    for _ in range(count):
        if kept == wanted:
            break
        nearest = np.argmin(desk.apart[:count])
        desk.apart[nearest] = np.inf
        if not _is_among(desk.neighbour[nearest], desk, kept):
            desk.jobs[kept] = desk.neighbour[nearest]
            kept += 1
    return kept


@compiled
def _is_among(j: int, desk: Desk, count: int) -> bool:
    for k in range(count):  # noqa: SIM110 - numba compiles no generator
        if desk.jobs[k] == j:
            return True
    return False


@compiled
def _with_some_left(chains: Chains, desk: Desk, count: int) -> int:
    """Some of the jobs that nobody carries, from a random one on."""
    jobs, added = len(chains.carrier), 0
    # A remainder for every job would take a third of a round.
    j = np.random.randint(jobs) - 1
    for _ in range(jobs if desk.left[0] > 0 else 0):
        j = j + 1 if j + 1 < jobs else 0
        if added == _LEFT_MAX or count == JOBS_MAX:
            break
        if chains.carrier[j] < 0 and not (count and desk.jobs[0] == j):
            desk.jobs[count] = j
            count, added = count + 1, added + 1
    return count
