"""Why a job has its vehicle and not the next best one, and why a job has none."""

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.problem import Alternative, Reason
from optimizer.tables import Tables
from optimizer.town import Chains, Town


def rankings(tables: Tables, chains: Chains, more: Ints) -> dict[str, tuple[Alternative, ...]]:
    """For each planned job the next best vehicles, those that cannot last.

    more: what the plan costs more with each candidate, as `insertion.price_moves` tells.
    """
    town, count = tables.town, tables.problem.policy.alternatives_max
    found = {}
    for j in np.nonzero(chains.carrier >= 0)[0].tolist():
        begin, end = town.jobs[j].candidates_begin, town.jobs[j].candidates_end
        v, extra = town.candidate[begin:end], more[begin:end]
        others = np.nonzero(v != chains.carrier[j])[0]
        arrival_s = town.vehicles[v]["free_s"] + town.approach_s[v, town.jobs[j].group]
        best = others[np.lexsort((v[others], arrival_s[others], extra[others]))][:count]
        found[tables.jobs[j].id] = tuple(
            Alternative(
                vehicle=tables.vehicles[w].id,
                extra_cost=cost if cost < INFEASIBLE else None,
                reason=_why_not(town, chains, j, w, cost),
            )
            for w, cost in zip(v[best].tolist(), extra[best].tolist(), strict=True)
        )
    return found


def reason_left_out(tables: Tables, more: Ints, j: int) -> Reason:
    """Why job j has no vehicle."""
    town = tables.town
    begin, end = town.jobs[j].candidates_begin, town.jobs[j].candidates_end
    allowed = town.candidate[begin:end]
    if not allowed.size:
        return Reason.NO_CANDIDATE
    fleet, job = town.vehicles[allowed], town.jobs[j]
    roomy = (fleet["capacity"] >= job.load) & (fleet["capacity_g"] >= job.weight_g)
    if not roomy.any():
        return Reason.FULL
    if not _in_time(town, allowed[roomy], j).any():
        return Reason.SHIFT_ENDS
    cheapest = more[begin:end].min()
    if cheapest >= INFEASIBLE:
        return Reason.BETTER_ELSEWHERE
    return Reason.TOO_LATE if cheapest >= town.jobs[j].left_out else Reason.OUT_OF_TIME


def _why_not(town: Town, chains: Chains, j: int, w: int, extra: int) -> Reason:
    v = int(chains.carrier[j])
    if extra >= INFEASIBLE:
        in_time = _in_time(town, np.array([w]), j).any()
        return Reason.BUSY if in_time else Reason.SHIFT_ENDS
    kept = int(town.jobs[j].kept not in (-1, w)) - int(town.jobs[j].kept not in (-1, v))
    kept *= town.rules[0].stability
    if 0 < kept >= extra:
        return Reason.KEPT
    idle = town.vehicles[w].use_cost if chains.length[w] == 0 else 0
    idle -= town.vehicles[v].use_cost if chains.length[v] == 1 else 0
    if 0 < idle >= extra:
        return Reason.SHORTER_IDLE
    group = town.jobs[j].group
    return Reason.BUSY if town.approach_s[w, group] <= town.approach_s[v, group] else Reason.FARTHER


def _in_time(town: Town, vehicles: NDArray[np.integer], j: int) -> NDArray[np.bool_]:
    """Which vehicles could pick job j up in their shifts if they did nothing else first."""
    job, fleet = town.jobs[j], town.vehicles[vehicles]
    approach_s = town.approach_s[vehicles, job.group] * fleet["pace"] // 1000
    met_s = np.maximum(0, fleet["free_s"]) + approach_s + town.rules[0].pickup_before_s
    in_time: NDArray[np.bool_] = np.maximum(met_s, job.ready_s) <= fleet["latest_s"]
    return in_time
