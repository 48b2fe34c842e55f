"""Why a job has its vehicle and not another one, and why a job has none."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import INFEASIBLE, Ints, Numbers
from optimizer.problem import RANKED, Rankings, Reason
from optimizer.tables import Tables
from optimizer.town import Chains, Town

Flags: TypeAlias = NDArray[np.bool_]


def rankings(tables: Tables, chains: Chains, more: Ints) -> Rankings:
    """What speaks against every candidate of every job that does not have the job.

    more: what the plan costs more with each candidate, as `insertion.price_moves` tells.
    """
    town = tables.town
    counts = town.jobs["candidates_end"] - town.jobs["candidates_begin"]
    j = np.repeat(np.arange(len(counts)), counts)
    other = np.flatnonzero(town.candidate != chains.carrier[j])
    j, w, extra = j[other], town.candidate[other], more[other]
    is_left = chains.carrier[j] < 0
    reason = np.where(
        is_left, _against_left_out(town, j, w, extra), _against_another(town, chains, j, w, extra)
    )
    extra = np.where(is_left & (extra < INFEASIBLE), extra - town.jobs["left_out"][j], extra)
    return Rankings(
        jobs=tables.jobs.ids,
        vehicles=tables.vehicles.ids,
        begins=np.searchsorted(j, np.arange(len(counts) + 1)),
        vehicle=w,
        extra_cost=np.where(extra < INFEASIBLE, extra, Rankings.IMPOSSIBLE),
        arrival_s=town.vehicles["free_s"][w] + town.approach_s[w, town.jobs["group"][j]],
        reason=reason.astype(np.int8),
    )


def reason_left_out(tables: Tables, more: Ints, j: int) -> Reason:
    """Why job j has no vehicle: the reason of whoever comes nearest to having it."""
    town = tables.town
    begin, end = town.jobs[j].candidates_begin, town.jobs[j].candidates_end
    if begin == end:
        return Reason.NO_CANDIDATE
    whom = np.full(end - begin, j)
    found = _against_left_out(town, whom, town.candidate[begin:end], more[begin:end])
    against = {RANKED[code] for code in found.tolist()}
    return next(reason for reason in _NEARNESS if reason in against)


_NEARNESS = (
    Reason.OUT_OF_TIME,
    Reason.TOO_LATE,
    Reason.BETTER_ELSEWHERE,
    Reason.SHIFT_ENDS,
    Reason.FULL,
)


def _against_left_out(town: Town, j: Ints, w: Numbers, more: Ints) -> Ints:
    """What speaks against vehicles w[i] for jobs j[i] that nobody has."""
    jobs, fleet = town.jobs, town.vehicles
    is_full = (fleet["capacity"][w] < jobs["load"][j]) | (
        fleet["capacity_g"][w] < jobs["weight_g"][j]
    )
    return _first_true(
        (is_full, Reason.FULL),
        (~_in_time(town, j, w), Reason.SHIFT_ENDS),
        (more >= INFEASIBLE, Reason.BETTER_ELSEWHERE),
        (more >= jobs["left_out"][j], Reason.TOO_LATE),
        otherwise=Reason.OUT_OF_TIME,
    )


def _against_another(town: Town, chains: Chains, j: Ints, w: Numbers, more: Ints) -> Ints:
    """What speaks against vehicles w[i] for jobs j[i] that others have."""
    fleet, kept, v = town.vehicles, town.jobs["kept"][j], chains.carrier[j]
    is_moved = ((kept >= 0) & (kept != w)).astype(np.int64) - ((kept >= 0) & (kept != v))
    moving = is_moved * town.rules[0].stability
    idle = np.where(chains.length[w] == 0, fleet["use_cost"][w], 0)
    idle = idle - np.where(chains.length[v] == 1, fleet["use_cost"][v], 0)
    group = town.jobs["group"][j]
    is_far = town.approach_s[w, group] > town.approach_s[v, group]
    is_possible, is_in_time, is_used = more < INFEASIBLE, _in_time(town, j, w), chains.length[w] > 0
    return _first_true(
        (~is_possible & ~is_in_time, Reason.SHIFT_ENDS),
        (~is_possible & is_used, Reason.BETTER_ELSEWHERE),
        (~is_possible, Reason.BUSY),
        ((moving > 0) & (moving >= more), Reason.KEPT),
        ((idle > 0) & (idle >= more), Reason.SHORTER_IDLE),
        (is_far, Reason.FARTHER),
        (is_used, Reason.BETTER_ELSEWHERE),
        otherwise=Reason.BUSY,
    )


def _first_true(*cases: tuple[Flags, Reason], otherwise: Reason) -> Ints:
    """The code of the first reason that holds, elementwise."""
    holds, reasons = zip(*cases, strict=True)
    codes: Ints = np.select(
        holds, [RANKED.index(one) for one in reasons], default=RANKED.index(otherwise)
    )
    return codes


def _in_time(town: Town, j: Ints, w: Numbers) -> Flags:
    """Whether vehicle w[i] could pick job j[i] up in its shift if it did nothing else first."""
    fleet = town.vehicles
    approach_s = town.approach_s[w, town.jobs["group"][j]] * fleet["pace"][w] // 1000
    met_s = np.maximum(0, fleet["free_s"][w]) + approach_s + town.rules[0].pickup_before_s
    in_time: Flags = np.maximum(met_s, town.jobs["ready_s"][j]) <= fleet["latest_s"][w]
    return in_time
