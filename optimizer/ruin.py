"""Which jobs to reconsider together: those of vehicles near each other, or of whole chains."""

import numpy as np
from numba import njit

from optimizer.arrays import Numbers
from optimizer.town import Chains, Town

JOBS_MAX = 48
_RELATED_MAX = 9
_LEFT_MAX = 8
_SHARE_OF_CHAINS = 0.35
_VEHICLES_MAX = 24


@njit(cache=True)
def draw(town: Town, chains: Chains, chosen: Numbers) -> int:
    """Write some jobs to `chosen`, each once; their number.

    Shaw (1998): what is near in place and time can be exchanged; some of what is left out comes
    along.
    """
    seed = np.random.randint(len(town.jobs))
    carrier = chains.carrier[seed]
    if carrier >= 0 and np.random.random() < _SHARE_OF_CHAINS:
        count = _chains(town, chains, seed, chosen)
    else:
        count = _related(town, chains, seed, chosen)
    return _with_some_left(chains, chosen, count)


@njit(cache=True)
def _chains(town: Town, chains: Chains, seed: int, chosen: Numbers) -> int:
    """The jobs of the seed's vehicle and of another that could carry it."""
    count, first = 0, chains.carrier[seed]
    begin, end = town.jobs[seed].candidates_begin, town.jobs[seed].candidates_end
    other = first
    if end > begin:
        other = town.candidate[begin + int((end - begin) * np.random.random() ** 2)]
    for v in (first, other):
        if v == other and v == first and count:
            break
        for index in range(chains.length[v]):
            if count < JOBS_MAX:
                chosen[count] = chains.job[v, index]
                count += 1
    return count


@njit(cache=True)
def _related(town: Town, chains: Chains, seed: int, chosen: Numbers) -> int:
    """Jobs of the vehicles that could carry the seed, those most like it first."""
    wanted = np.random.randint(2, _RELATED_MAX)
    begin, end = town.jobs[seed].candidates_begin, town.jobs[seed].candidates_end
    found = np.empty(4 * JOBS_MAX, dtype=np.int32)
    apart = np.empty(4 * JOBS_MAX)
    count, near = 0, town.jobs[seed].group
    skipped = 1.0 if end - begin <= _VEHICLES_MAX else _VEHICLES_MAX / (end - begin)
    for entry in range(begin, end):
        v = town.candidate[entry]
        if chains.length[v] == 0 or np.random.random() > skipped:
            continue
        for index in range(chains.length[v]):
            j = chains.job[v, index]
            if j == seed or count == len(found):
                continue
            far_s = 0 if town.jobs[j].group == near else town.onward_s[j, near]
            apart_s = far_s + abs(town.jobs[j].ready_s - town.jobs[seed].ready_s) / 2 + 60
            found[count] = j
            apart[count] = apart_s * (0.5 + np.random.random())
            count += 1
    order = np.argsort(apart[:count])
    chosen[0] = seed
    kept = min(count, wanted - 1)
    for k in range(kept):
        chosen[k + 1] = found[order[k]]
    return kept + 1


@njit(cache=True)
def _with_some_left(chains: Chains, chosen: Numbers, count: int) -> int:
    """Some of the jobs that nobody carries, from a random one on."""
    jobs, added = len(chains.carrier), 0
    start = np.random.randint(jobs)
    for step in range(jobs):
        j = (start + step) % jobs
        if added == _LEFT_MAX or count == JOBS_MAX:
            break
        if chains.carrier[j] < 0 and not (count and chosen[0] == j):
            chosen[count] = j
            count, added = count + 1, added + 1
    return count
