"""Which vehicles may have which jobs."""

from collections.abc import Mapping, Sequence

import numpy as np

from optimizer.arrays import Bools, Ints, ints
from optimizer.problem import Job, Problem


class Candidates:
    """may[j, v]: vehicle v may have job j; the extra last row, all true, stands for no job.

    The candidates of j, ascending, are listed[start[j] : start[j] + count[j]].
    anybody: everybody may have everything.
    """

    def __init__(
        self,
        problem: Problem,
        jobs: Sequence[Job],
        vehicle_at: Mapping[str, int],
    ) -> None:
        lists = _lists(problem, jobs, vehicle_at)
        self.count = ints([len(each) for each in lists])
        self.start = np.cumsum(self.count) - self.count
        self.listed = np.concatenate([ints([]), *lists])
        self.anybody = len(self.listed) == len(jobs) * len(vehicle_at)
        self.may: Bools = np.zeros((len(jobs) + 1, len(vehicle_at)), dtype=np.bool_)
        self.may[-1] = True
        self.may[np.repeat(np.arange(len(jobs)), self.count), self.listed] = True

    def of(self, jobs: Ints) -> tuple[Ints, Ints]:
        """Pairs i, v: v may have jobs[i]."""
        counts = self.count[jobs]
        i = np.repeat(np.arange(len(jobs)), counts)
        begin = self.start[jobs] - (np.cumsum(counts) - counts)
        return i, self.listed[np.arange(len(i)) + np.repeat(begin, counts)]

    def among(self, jobs: Ints, vehicles: Ints) -> tuple[Ints, Ints]:
        """As `of`, only of these vehicles."""
        i, at = np.nonzero(self.may[jobs[:, None], vehicles])
        return i, vehicles[at]


def _lists(problem: Problem, jobs: Sequence[Job], vehicle_at: Mapping[str, int]) -> list[Ints]:
    locked = {id_: vehicle.id for vehicle in problem.vehicles for id_ in vehicle.locked}
    # Many jobs share one tuple of candidates; kept beside its numbers, its identity is unique.
    seen: dict[int, tuple[Sequence[str], Ints]] = {}
    lists = []
    for job in jobs:
        allowed = problem.candidates.get(job.id, ())
        if job.id in locked:
            lists.append(ints([vehicle_at[locked[job.id]]]))
            continue
        if id(allowed) not in seen:
            known = {vehicle_at[id_] for id_ in allowed if id_ in vehicle_at}
            seen[id(allowed)] = allowed, ints(sorted(known))
        lists.append(seen[id(allowed)][1])
    return lists
