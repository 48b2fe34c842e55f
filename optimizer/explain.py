"""Why a job has its vehicle and not another one, and why a job has none."""

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.compiled import compiled, compiled_entry
from optimizer.problem import RANKED, Rankings, Reason
from optimizer.tables import Tables
from optimizer.town import Chains, Town
from optimizer.walking import entry_of

Codes = NDArray[np.int8]


def reasons(town: Town, chains: Chains, more: Ints) -> Codes:
    """What speaks against every candidate of every job, as indices of `RANKED`.

    more: what the plan costs more with each candidate, as `insertion.price_moves` tells.
    """
    codes = np.zeros(len(town.candidate), dtype=np.int8)
    _tell(town, chains, more, codes)
    return codes


def rankings(tables: Tables, chains: Chains, more: Ints, codes: Codes) -> Rankings:
    """What speaks against every candidate of every job that does not have the job."""
    town = tables.town
    counts = np.diff(town.candidates_at)
    j = np.repeat(np.arange(len(counts)), counts)
    other = np.flatnonzero(town.candidate != chains.carrier[j])
    j, w, extra = j[other], town.candidate[other], more[other]
    left_out = np.where(chains.carrier < 0, town.jobs["left_out"], 0)
    free_s: Ints = town.vehicles["free_s"][w]
    return Rankings(
        jobs=tables.jobs.ids,
        vehicles=tables.vehicles.ids,
        begins=np.searchsorted(j, np.arange(len(counts) + 1)),
        vehicle=w,
        extra_cost=np.where(extra < INFEASIBLE, extra - left_out[j], Rankings.IMPOSSIBLE),
        arrival_s=free_s + town.approach_s[other],
        reason=codes[other],
    )


def reason_left_out(town: Town, codes: Codes, j: int) -> Reason:
    """Why job j has no vehicle: the reason of whoever comes nearest to having it."""
    begin, end = town.candidates_at[j], town.candidates_at[j + 1]
    if begin == end:
        return Reason.NO_CANDIDATE
    against = {RANKED[code] for code in codes[begin:end].tolist()}
    return next(reason for reason in _NEARNESS if reason in against)


_NEARNESS = (
    Reason.OUT_OF_TIME,
    Reason.TOO_LATE,
    Reason.BETTER_ELSEWHERE,
    Reason.SHIFT_ENDS,
    Reason.FULL,
)
_FULL, _SHIFT_ENDS, _BETTER_ELSEWHERE, _TOO_LATE, _OUT_OF_TIME, _BUSY, _KEPT, _SHORTER, _FARTHER = (
    RANKED.index(one)
    for one in (
        Reason.FULL,
        Reason.SHIFT_ENDS,
        Reason.BETTER_ELSEWHERE,
        Reason.TOO_LATE,
        Reason.OUT_OF_TIME,
        Reason.BUSY,
        Reason.KEPT,
        Reason.SHORTER_IDLE,
        Reason.FARTHER,
    )
)


@compiled_entry
def _tell(town: Town, chains: Chains, more: Ints, codes: Codes) -> None:
    for j in range(len(town.jobs)):
        v = chains.carrier[j]
        way_s = town.approach_s[entry_of(town, v, j)] if v >= 0 else 0
        for entry in range(town.candidates_at[j], town.candidates_at[j + 1]):
            if v < 0:
                codes[entry] = _against_left_out(town, j, entry, more)
            else:
                codes[entry] = _against_another(town, chains, j, entry, more, way_s)


@compiled
def _against_left_out(town: Town, j: int, entry: int, more: Ints) -> int:
    """What speaks against a candidate of a job that nobody has."""
    job, vehicle = town.jobs[j], town.vehicles[town.candidate[entry]]
    if vehicle.capacity < job.load or vehicle.capacity_g < job.weight_g:
        return _FULL
    if not _in_time(town, j, entry):
        return _SHIFT_ENDS
    if more[entry] >= INFEASIBLE:
        return _BETTER_ELSEWHERE
    return _TOO_LATE if more[entry] >= job.left_out else _OUT_OF_TIME


@compiled
def _against_another(town: Town, chains: Chains, j: int, entry: int, more: Ints, way_s: int) -> int:
    """What speaks against a candidate of a job that another vehicle has, way_s from its place."""
    job, w, v = town.jobs[j], town.candidate[entry], chains.carrier[j]
    if more[entry] >= INFEASIBLE:
        if not _in_time(town, j, entry):
            return _SHIFT_ENDS
        return _BETTER_ELSEWHERE if chains.length[w] > 0 else _BUSY
    moved = 0 if job.kept < 0 or job.kept == w else town.rules[0].stability
    moved -= 0 if job.kept < 0 or job.kept == v else town.rules[0].stability
    if moved > 0 and moved >= more[entry]:
        return _KEPT
    idle = town.vehicles[w].use_cost if chains.length[w] == 0 else 0
    idle -= town.vehicles[v].use_cost if chains.length[v] == 1 else 0
    if idle > 0 and idle >= more[entry]:
        return _SHORTER
    if town.approach_s[entry] > way_s:
        return _FARTHER
    return _BETTER_ELSEWHERE if chains.length[w] > 0 else _BUSY


@compiled
def _in_time(town: Town, j: int, entry: int) -> bool:
    """Whether a candidate could pick the job up in its shift if it did nothing else first."""
    vehicle, job = town.vehicles[town.candidate[entry]], town.jobs[j]
    approach_s = town.approach_s[entry] * vehicle.pace // 1000
    met_s = max(0, vehicle.free_s) + approach_s + town.rules[0].pickup_before_s
    return bool(max(met_s, job.ready_s) <= vehicle.latest_s)
