"""Which jobs to reconsider together: those of vehicles near each other, or of whole chains."""

import numpy as np

from optimizer.compiled import compiled
from optimizer.desk import JOBS_MAX, Desk
from optimizer.town import Chains, Town

_RELATED_MAX = 9
_LEFT_MAX = 8
_SHARE_OF_CHAINS = 0.35
_VEHICLES_MAX = 24


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
                desk.jobs[count] = chains.job[v, index]
                count += 1
    return count


@compiled
def _related(town: Town, chains: Chains, seed: int, desk: Desk) -> int:
    """Jobs of the vehicles that could carry the seed, those most like it first."""
    wanted = np.random.randint(2, _RELATED_MAX)
    begin, end = town.jobs[seed].candidates_begin, town.jobs[seed].candidates_end
    count, near = 0, town.jobs[seed].group
    skipped = 1.0 if end - begin <= _VEHICLES_MAX else _VEHICLES_MAX / (end - begin)
    for entry in range(begin, end):
        v = town.candidate[entry]
        if chains.length[v] == 0 or np.random.random() > skipped:
            continue
        for index in range(chains.length[v]):
            j = chains.job[v, index]
            if j == seed or count == len(desk.apart):
                continue
            far_s = 0 if town.jobs[j].group == near else town.onward_s[j, near]
            apart_s = far_s + abs(town.jobs[j].ready_s - town.jobs[seed].ready_s) / 2 + 60
            desk.neighbour[count] = j
            desk.apart[count] = apart_s * (0.5 + np.random.random())
            count += 1
    desk.jobs[0] = seed
    kept = min(count, wanted - 1)
    for k in range(kept):
        nearest = np.argmin(desk.apart[:count])
        desk.jobs[k + 1] = desk.neighbour[nearest]
        desk.apart[nearest] = np.inf
    return kept + 1


@compiled
def _with_some_left(chains: Chains, desk: Desk, count: int) -> int:
    """Some of the jobs that nobody carries, from a random one on."""
    jobs, added = len(chains.carrier), 0
    # A remainder for every job would take a third of a round.
    j = np.random.randint(jobs) - 1
    for _ in range(jobs):
        j = j + 1 if j + 1 < jobs else 0
        if added == _LEFT_MAX or count == JOBS_MAX:
            break
        if chains.carrier[j] < 0 and not (count and desk.jobs[0] == j):
            desk.jobs[count] = j
            count, added = count + 1, added + 1
    return count
