"""Better plans by taking related jobs out and putting them in again.

Large-neighbourhood search after Shaw (1998) and Ropke & Pisinger (2006), with insertion by regret
and acceptance as in simulated annealing, compiled.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from optimizer.arrays import INFEASIBLE, Ints, Numbers
from optimizer.insertion import Desk, best_place, new_desk, put, take
from optimizer.ruin import JOBS_MAX, draw
from optimizer.town import Chains, Town
from optimizer.walking import chain_cost, keeps_promise


class Offers(NamedTuple):
    """The best place of each job to put in at each of its candidates, by position in both."""

    more: Ints
    place: Numbers
    how: Numbers


class Journal(NamedTuple):
    """The chains as they were before a round, of the vehicles that it has changed."""

    at: Numbers
    vehicle: Numbers
    job: Numbers
    begins: Numbers
    length: Numbers
    cost: Ints


@njit(cache=True)
def fill(town: Town, chains: Chains, jobs: Numbers) -> None:
    """Put jobs in, at most JOBS_MAX of them, those with the most to lose first."""
    _put_in(town, chains, jobs.copy(), len(jobs), new_desk(chains), _new_journal(chains), 0.0)


@njit(cache=True)
def improve(
    town: Town,
    chains: Chains,
    best: Chains,
    so_far: Ints,
    rounds: tuple[int, int, int],
    warmth: float,
) -> None:
    """Rounds `begin` to `end` of `of`, the search cooling down from `warmth` (cost units).

    so_far: what the plan costs more than at the beginning, and the same of the best plan, which is
    kept in `best`.
    """
    desk, journal = new_desk(chains), _new_journal(chains)
    jobs = np.empty(JOBS_MAX, dtype=np.int32)
    begin, end, of = rounds
    for step in range(begin, end):
        count = draw(town, chains, jobs)
        change, changed = _try_again(town, chains, jobs, count, desk, journal)
        heat = warmth * (1 - step / of)
        if change < 0 or (
            change < INFEASIBLE and heat > 0 and np.random.random() < np.exp(-change / heat)
        ):
            so_far[0] += change
            if so_far[0] < so_far[1]:
                so_far[1] = so_far[0]
                _copy(chains, best)
        else:
            _undo(chains, journal, changed, jobs, count)
        _forget(journal, changed)


@njit(cache=True)
def seed_chance(seed: int) -> None:
    """Begin the compiled code's own sequence of random numbers anew."""
    np.random.seed(seed)


@njit(cache=True)
def _new_journal(chains: Chains) -> Journal:
    width, most = chains.job.shape[1], 3 * JOBS_MAX
    return Journal(
        np.full(len(chains.length), -1, dtype=np.int32),
        np.empty(most, dtype=np.int32),
        np.empty((most, width), dtype=np.int32),
        np.empty((most, width), dtype=np.int32),
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.int64),
    )


@njit(cache=True)
def _note(chains: Chains, journal: Journal, v: int, noted: int) -> int:
    """Keep how a vehicle's chain was before its first change; how many are noted now."""
    if journal.at[v] >= 0:
        return noted
    journal.at[v], journal.vehicle[noted] = noted, v
    for k in range(chains.length[v]):
        journal.job[noted, k] = chains.job[v, k]
        journal.begins[noted, k] = chains.begins[v, k]
    journal.length[noted], journal.cost[noted] = chains.length[v], chains.cost[v]
    return noted + 1


@njit(cache=True)
def _forget(journal: Journal, noted: int) -> None:
    for k in range(noted):
        journal.at[journal.vehicle[k]] = -1


@njit(cache=True)
def _undo(chains: Chains, journal: Journal, noted: int, jobs: Numbers, count: int) -> None:
    for k in range(count):
        chains.carrier[jobs[k]] = -1
    for k in range(noted):
        v = journal.vehicle[k]
        chains.length[v], chains.cost[v] = journal.length[k], journal.cost[k]
        for index in range(journal.length[k]):
            chains.job[v, index] = journal.job[k, index]
            chains.begins[v, index] = journal.begins[k, index]
            chains.carrier[journal.job[k, index]] = v


@njit(cache=True)
def _copy(chains: Chains, to: Chains) -> None:
    to.job[:], to.begins[:], to.length[:] = chains.job, chains.begins, chains.length
    to.cost[:], to.carrier[:] = chains.cost, chains.carrier


@njit(cache=True)
def _try_again(
    town: Town, chains: Chains, jobs: Numbers, count: int, desk: Desk, journal: Journal
) -> tuple[int, int]:
    """Take the jobs out and put them in again; what that costs more, and the vehicles noted."""
    change, noted = 0, 0
    for k in range(count):
        v = chains.carrier[jobs[k]]
        if v < 0:
            change -= town.jobs[jobs[k]].left_out
        else:
            noted = _note(chains, journal, v, noted)
            take(chains, jobs[k])
    for k in range(noted):
        v = journal.vehicle[k]
        chains.cost[v] = chain_cost(town, chains, v)
        if chains.cost[v] >= INFEASIBLE:
            return INFEASIBLE, noted
        change += chains.cost[v] - journal.cost[k]
    more, noted = _put_in(town, chains, jobs, count, desk, journal, 0.2, noted)
    change += more
    for k in range(noted):
        if not keeps_promise(town, chains, journal.vehicle[k]):
            return INFEASIBLE, noted
    return change, noted


@njit(cache=True)
def _put_in(
    town: Town,
    chains: Chains,
    jobs: Numbers,
    count: int,
    desk: Desk,
    journal: Journal,
    noise: float,
    noted: int = 0,
) -> tuple[int, int]:
    """Insert by regret, reordering `jobs`; what it costs, with what stays out, and who is noted."""
    offers = _price(town, chains, jobs, count, desk)
    cost, left = 0, count
    while left > 0:
        k, place = _most_urgent(town, jobs, left, offers, noise)
        if k < 0:
            break
        j = jobs[k]
        v = town.candidate[town.jobs[j].candidates_begin + place]
        noted = _note(chains, journal, v, noted)
        more = offers.more[k, place]
        put(chains, v, j, offers.place[k, place], offers.how[k, place])
        chains.cost[v] += more
        cost += more
        left -= 1
        jobs[k], jobs[left] = jobs[left], jobs[k]
        _swap(offers, k, left)
        _price_again(town, chains, jobs, left, offers, v, desk)
    for k in range(left):
        cost += town.jobs[jobs[k]].left_out
    return cost, noted


@njit(cache=True)
def _price(town: Town, chains: Chains, jobs: Numbers, count: int, desk: Desk) -> Offers:
    widest = 1
    for k in range(count):
        job = town.jobs[jobs[k]]
        widest = max(widest, job.candidates_end - job.candidates_begin)
    offers = Offers(
        np.empty((count, widest), dtype=np.int64),
        np.empty((count, widest), dtype=np.int32),
        np.empty((count, widest), dtype=np.int32),
    )
    for k in range(count):
        j = jobs[k]
        for place in range(town.jobs[j].candidates_end - town.jobs[j].candidates_begin):
            v = town.candidate[town.jobs[j].candidates_begin + place]
            more, index, how = best_place(town, chains, v, j, desk)
            offers.more[k, place], offers.place[k, place], offers.how[k, place] = more, index, how
    return offers


@njit(cache=True)
def _price_again(
    town: Town, chains: Chains, jobs: Numbers, left: int, offers: Offers, v: int, desk: Desk
) -> None:
    """The chain of v has changed: its places are others."""
    for k in range(left):
        j = jobs[k]
        for place in range(town.jobs[j].candidates_end - town.jobs[j].candidates_begin):
            if town.candidate[town.jobs[j].candidates_begin + place] == v:
                more, index, how = best_place(town, chains, v, j, desk)
                offers.more[k, place], offers.place[k, place] = more, index
                offers.how[k, place] = how
                break


@njit(cache=True)
def _most_urgent(
    town: Town, jobs: Numbers, left: int, offers: Offers, noise: float
) -> tuple[int, int]:
    """Position of the job that loses most by its second best place, and of its best candidate."""
    urgent, at, most = -1, -1, -1.0
    for k in range(left):
        j, place = jobs[k], -1
        best = town.jobs[j].left_out
        second = best
        for candidate in range(town.jobs[j].candidates_end - town.jobs[j].candidates_begin):
            more = offers.more[k, candidate]
            if more < best:
                best, second, place = more, best, candidate
            elif more < second:
                second = more
        regret = float(second - best)
        if noise > 0:
            regret *= 1 - noise + 2 * noise * np.random.random()
        if place >= 0 and regret > most:
            urgent, at, most = k, place, regret
    return urgent, at


@njit(cache=True)
def _swap(offers: Offers, one: int, other: int) -> None:
    if one == other:
        return
    for table in (offers.place, offers.how):
        for place in range(table.shape[1]):
            table[one, place], table[other, place] = table[other, place], table[one, place]
    for place in range(offers.more.shape[1]):
        more = offers.more[one, place]
        offers.more[one, place], offers.more[other, place] = offers.more[other, place], more


@njit(cache=True)
def relocate(town: Town, chains: Chains) -> None:
    """Move single jobs to better places until no move pays."""
    desk, journal = new_desk(chains), _new_journal(chains)
    one, quiet, at = np.empty(1, dtype=np.int32), 0, 0
    for _ in range(20 * len(town.jobs)):
        one[0] = at
        change, changed = _try_again(town, chains, one, 1, desk, journal)
        if change < 0:
            quiet = 0
        else:
            _undo(chains, journal, changed, one, 1)
            quiet += 1
        _forget(journal, changed)
        at = (at + 1) % len(town.jobs)
        if quiet == len(town.jobs):
            break
