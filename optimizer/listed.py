"""Which pairs stand in rows of candidates: compiled, for the verifier alone."""

from typing import NamedTuple

import numpy as np

from optimizer.arrays import Ints, Numbers
from optimizer.compiled import compiled_entry


class Listed(NamedTuple):
    """The row of each job, -1 = none; its vehicles are vehicle[begins[row] : begins[row + 1]].

    met: scratch paper, one for each vehicle. A vehicle -1 is unknown.
    """

    row: Ints
    begins: Ints
    vehicle: Ints
    met: Numbers


def are_listed(listed: Listed, job: Ints, vehicle: Ints) -> Numbers:
    """1 where vehicle[i] stands in the row of job[i], else 0; quickest job by job."""
    found = np.zeros(len(job), dtype=np.int32)
    listed.met[:] = 0
    _mark(listed, job, vehicle, found)
    return found


@compiled_entry
def _mark(listed: Listed, job: Ints, vehicle: Ints, found: Numbers) -> None:
    mark, last = 0, -1
    for k in range(len(job)):
        j = job[k]
        if j < 0 or vehicle[k] < 0 or listed.row[j] < 0:
            continue
        if j != last:
            mark, last = mark + 1, j
            for at in range(listed.begins[listed.row[j]], listed.begins[listed.row[j] + 1]):
                if listed.vehicle[at] >= 0:
                    listed.met[listed.vehicle[at]] = mark
        if listed.met[vehicle[k]] == mark:
            found[k] = 1
