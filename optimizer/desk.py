"""Room for the compiled search to write on: it makes no array of its own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints, Numbers
from optimizer.town import Chains, Records, Town

JOBS_MAX = 48
_NEIGHBOURS_MAX = 192

# What is asked of a vehicle, or of an entry, at once lies in one line of memory.
STANDING = np.dtype([(name, np.int64) for name in ("free_s", "cost")])
MARKS = np.dtype([(name, np.int32) for name in ("age", "noted_at", "read_at", "trips")])
BEST = np.dtype([("more", np.int64), ("age", np.int32), ("place", np.int16), ("how", np.int16)])


class Desk(NamedTuple):
    """Scratch paper.

    trip: one row, the jobs of one trip. standing: by vehicle, how its chain stands before each of
    its jobs that begins a trip, and at its end. jobs: what is reconsidered, left[0] of all that
    nobody carries. Of the k-th job to put in, row[k] of more, place and how tells the best place at
    each of its candidates, and least[k], second[k] and least_at[k] the best two costs and where the
    best one is.
    neighbour, apart: who could be, and how unlike it is.
    marks: by vehicle, age: how often its chain was changed for good; noted_at: where it is noted,
    -1 = nowhere, and the noted fields say how its chain was; read_at: the age at which its standing
    and its trips, how many there are, were read, -1 = they hold no longer.
    best: by entry of `town.candidate`, the best place of that job in that vehicle's chain and what
    the chain then costs more, as they were at that age, -1 = never looked up.
    differs: by vehicle, whether its chain may be another one than in the best plan; those of whom
    it is so are the first others[0] of `other`.
    """

    trip: Numbers
    standing: Records
    marks: Records
    more: Ints
    place: Numbers
    how: Numbers
    jobs: Numbers
    left: Numbers
    row: Numbers
    least: Ints
    second: Ints
    least_at: Numbers
    neighbour: Numbers
    apart: NDArray[np.float64]
    noted: Numbers
    noted_job: Numbers
    noted_begins: Numbers
    noted_length: Numbers
    noted_cost: Ints
    best: Records
    differs: Numbers
    other: Numbers
    others: Numbers


def new_desk(town: Town, chains: Chains) -> Desk:
    """Room enough for the longest chain and one job more."""
    vehicles, width = chains.job.shape
    widest = int(np.diff(town.candidates_at).max(initial=1))
    most, entries = 3 * JOBS_MAX, len(town.candidate)
    return Desk(
        trip=np.empty((1, width + 1), dtype=np.int32),
        standing=np.recarray((vehicles, width + 2), dtype=STANDING),
        marks=_filled(MARKS, vehicles, age=0, noted_at=-1, read_at=-1),
        more=np.empty((JOBS_MAX, widest), dtype=np.int64),
        place=np.empty((JOBS_MAX, widest), dtype=np.int32),
        how=np.empty((JOBS_MAX, widest), dtype=np.int32),
        jobs=np.empty(JOBS_MAX, dtype=np.int32),
        left=np.zeros(1, dtype=np.int32),
        row=np.arange(JOBS_MAX, dtype=np.int32),
        least=np.empty(JOBS_MAX, dtype=np.int64),
        second=np.empty(JOBS_MAX, dtype=np.int64),
        least_at=np.empty(JOBS_MAX, dtype=np.int32),
        neighbour=np.empty(_NEIGHBOURS_MAX, dtype=np.int32),
        apart=np.empty(_NEIGHBOURS_MAX),
        noted=np.empty(most, dtype=np.int32),
        noted_job=np.empty((most, width), dtype=np.int32),
        noted_begins=np.empty((most, width), dtype=np.int32),
        noted_length=np.empty(most, dtype=np.int32),
        noted_cost=np.empty(most, dtype=np.int64),
        best=_filled(BEST, entries, age=-1),
        differs=np.zeros(vehicles, dtype=np.int32),
        other=np.empty(vehicles, dtype=np.int32),
        others=np.zeros(1, dtype=np.int32),
    )


def _filled(kind: np.dtype[np.void], count: int, **values: int) -> Records:
    records = np.recarray(count, dtype=kind)
    for name, value in values.items():
        records[name] = value
    return records
