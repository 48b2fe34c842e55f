"""Better plans by taking related jobs out and putting them in again.

Large-neighbourhood search after Shaw (1998) and Ropke & Pisinger (2006), with insertion by regret
and acceptance as in simulated annealing, compiled.
"""

import numpy as np

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.compiled import compiled, compiled_entry
from optimizer.desk import Desk
from optimizer.insertion import forget, is_other, keep, known_place, note, put, restore, take
from optimizer.ruin import draw
from optimizer.town import Chains, Town
from optimizer.walking import chain_cost, keeps_promise


@compiled_entry
def fill(town: Town, chains: Chains, desk: Desk, count: int) -> None:
    """Put the first `count` of `desk.jobs` in, those with the most to lose first."""
    _, noted = _put_in(town, chains, desk, count, 0.0, 0)
    keep(chains, desk, noted)
    forget(desk, noted)


@compiled_entry
def improve(
    town: Town,
    chains: Chains,
    best: Chains,
    desk: Desk,
    so_far: Ints,
    rounds: tuple[int, int, int],
    warmth: float,
) -> None:
    """Rounds `begin` to `end` of `of`, the search cooling down from `warmth` (cost units).

    so_far: what the plan costs more than at the beginning, and the same of the best plan, which is
    kept in `best`.
    """
    begin, end, of = rounds
    desk.left[0] = 0
    for j in range(len(chains.carrier)):
        desk.left[0] += 1 if chains.carrier[j] < 0 else 0
    for step in range(begin, end):
        count = draw(town, chains, desk)
        left = _left(chains, desk, count)
        change, noted = _try_again(town, chains, desk, count)
        heat = warmth * (1 - step / of)
        if change < 0 or (
            change < INFEASIBLE and heat > 0 and np.random.random() < np.exp(-change / heat)
        ):
            so_far[0] += change
            desk.left[0] += _left(chains, desk, count) - left
            keep(chains, desk, noted)
            _mark(chains, desk, noted)
            if so_far[0] < so_far[1]:
                so_far[1] = so_far[0]
                _catch_up(chains, best, desk)
        else:
            _undo(chains, desk, noted, count)
        forget(desk, noted)


@compiled_entry
def seed_chance(seed: int) -> None:
    """Begin the compiled code's own sequence of random numbers anew."""
    np.random.seed(seed)


@compiled
def _left(chains: Chains, desk: Desk, count: int) -> int:
    """How many of the first `count` of `desk.jobs` nobody carries."""
    left = 0
    for k in range(count):
        left += 1 if chains.carrier[desk.jobs[k]] < 0 else 0
    return left


@compiled
def _undo(chains: Chains, desk: Desk, noted: int, count: int) -> None:
    for k in range(count):
        chains.carrier[desk.jobs[k]] = -1
    restore(chains, desk, noted)


@compiled
def _mark(chains: Chains, desk: Desk, noted: int) -> None:
    """The noted vehicles that changed are not what they are in the best plan, or may not be."""
    for k in range(noted):
        v = desk.noted[k]
        if desk.differs[v] == 0 and is_other(chains, desk, k):
            desk.differs[v] = 1
            desk.other[desk.others[0]] = v
            desk.others[0] += 1


@compiled
def _catch_up(chains: Chains, best: Chains, desk: Desk) -> None:
    """Make the best plan what the present one is, where they may differ."""
    for k in range(desk.others[0]):
        v = desk.other[k]
        for index in range(best.length[v]):
            best.carrier[best.job[v, index]] = -1
    for k in range(desk.others[0]):
        v = desk.other[k]
        best.length[v], best.cost[v] = chains.length[v], chains.cost[v]
        for index in range(chains.length[v]):
            j = chains.job[v, index]
            best.job[v, index], best.begins[v, index] = j, chains.begins[v, index]
            best.carrier[j] = v
        desk.differs[v] = 0
    desk.others[0] = 0


@compiled
def _try_again(town: Town, chains: Chains, desk: Desk, count: int) -> tuple[int, int]:
    """Take the jobs out and put them in again; what that costs more, and the vehicles noted."""
    change, noted = 0, 0
    for k in range(count):
        j = desk.jobs[k]
        v = chains.carrier[j]
        if v < 0:
            change -= town.jobs[j].left_out
        else:
            noted = note(chains, desk, v, noted)
            take(chains, j)
    for k in range(noted):
        v = desk.noted[k]
        chains.cost[v] = chain_cost(town, chains, v)
        if chains.cost[v] >= INFEASIBLE:
            return INFEASIBLE, noted
        change += chains.cost[v] - desk.noted_cost[k]
    more, noted = _put_in(town, chains, desk, count, 0.2, noted)
    for k in range(noted):
        if not keeps_promise(town, chains, desk.noted[k]):
            return INFEASIBLE, noted
    return change + more, noted


@compiled
def _put_in(
    town: Town, chains: Chains, desk: Desk, count: int, noise: float, noted: int
) -> tuple[int, int]:
    """Insert by regret, reordering `desk.jobs`; the cost, with what stays out, and who is noted."""
    cost, left, changed = 0, count, -1
    while True:
        for k in range(left):
            _price(town, chains, desk, k, changed)
        k = _most_urgent(desk, left, noise)
        if k < 0:
            break
        j, row, candidate = desk.jobs[k], desk.row[k], desk.least_at[k]
        changed = town.candidate[town.candidates_at[j] + candidate]
        noted = note(chains, desk, changed, noted)
        more = desk.more[row, candidate]
        put(chains, changed, j, desk.place[row, candidate], desk.how[row, candidate])
        chains.cost[changed] += more
        cost += more
        left -= 1
        _swap(desk, k, left)
    for k in range(left):
        cost += town.jobs[desk.jobs[k]].left_out
    return cost, noted


@compiled
def _price(town: Town, chains: Chains, desk: Desk, k: int, changed: int) -> None:
    """Find the best place of the k-th job at each of its candidates.

    changed: the vehicle whose chain is another one than when that was done, -1 = it was not.
    """
    j, row, is_priced = desk.jobs[k], desk.row[k], changed < 0
    for entry in range(town.candidates_at[j], town.candidates_at[j + 1]):
        if changed >= 0 and town.candidate[entry] != changed:
            continue
        candidate, is_priced = entry - town.candidates_at[j], True
        more, place, how = known_place(town, chains, j, desk, entry)
        desk.more[row, candidate], desk.place[row, candidate] = more, place
        desk.how[row, candidate] = how
    if is_priced:
        _rank(town, desk, k)


@compiled
def _rank(town: Town, desk: Desk, k: int) -> None:
    """The best two costs of the k-th job, one of which may be to leave it out."""
    j, row, place = desk.jobs[k], desk.row[k], -1
    best = town.jobs[j].left_out
    second = best
    for candidate in range(town.candidates_at[j + 1] - town.candidates_at[j]):
        more = desk.more[row, candidate]
        if more < best:
            best, second, place = more, best, candidate
        elif more < second:
            second = more
    desk.least[k], desk.second[k], desk.least_at[k] = best, second, place


@compiled
def _most_urgent(desk: Desk, left: int, noise: float) -> int:
    """Position of the job that loses most by its second best place, -1 = none has a place."""
    urgent, most = -1, -1.0
    for k in range(left):
        regret = float(desk.second[k] - desk.least[k])
        if noise > 0:
            regret *= 1 - noise + 2 * noise * np.random.random()
        if desk.least_at[k] >= 0 and regret > most:
            urgent, most = k, regret
    return urgent


@compiled
def _swap(desk: Desk, one: int, other: int) -> None:
    desk.jobs[one], desk.jobs[other] = desk.jobs[other], desk.jobs[one]
    desk.row[one], desk.row[other] = desk.row[other], desk.row[one]
    desk.least[one], desk.least[other] = desk.least[other], desk.least[one]
    desk.second[one], desk.second[other] = desk.second[other], desk.second[one]
    desk.least_at[one], desk.least_at[other] = desk.least_at[other], desk.least_at[one]


@compiled_entry
def relocate(town: Town, chains: Chains, desk: Desk) -> None:
    """Move single jobs to better places until no move pays."""
    quiet, at = 0, 0
    for _ in range(20 * len(town.jobs)):
        desk.jobs[0] = at
        change, noted = _try_again(town, chains, desk, 1)
        if change < 0:
            keep(chains, desk, noted)
            quiet = 0
        else:
            _undo(chains, desk, noted, 1)
            quiet += 1
        forget(desk, noted)
        at = (at + 1) % len(town.jobs)
        if quiet == len(town.jobs):
            break
