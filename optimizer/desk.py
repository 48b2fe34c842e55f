"""Room for the compiled search to write on: it makes no array of its own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints, Numbers
from optimizer.town import Chains, Town

JOBS_MAX = 48
_NEIGHBOURS_MAX = 192


class Desk(NamedTuple):
    """Scratch paper.

    trip: one row, the jobs of one trip. free_s, cost: by vehicle, how its chain stands before each
    of its jobs that begins a trip, and at its end; trips: how many there are; read_at: the age at
    which that was computed, -1 = it holds no longer. jobs: what is reconsidered, left[0] of all
    that nobody carries. Of the k-th job to put in, row[k] of more, place and how tells the best
    place at each of its candidates, and least[k], second[k] and least_at[k] the best two costs and
    where the best one is.
    neighbour, apart: who could be, and how unlike it is.
    noted_at: where a vehicle is noted, -1 = nowhere; the noted fields say how its chain was.
    age: how often a vehicle's chain was changed for good. best_at: by entry of `town.candidate` the
    age at which the best place of that job in that vehicle's chain was looked up last, which the
    other best fields tell. differs: by vehicle, whether its chain may be another one than in the
    best plan; those of whom it is so are the first others[0] of `other`.
    """

    trip: Numbers
    free_s: Ints
    cost: Ints
    trips: Numbers
    read_at: Ints
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
    noted_at: Numbers
    noted: Numbers
    noted_job: Numbers
    noted_begins: Numbers
    noted_length: Numbers
    noted_cost: Ints
    age: Ints
    best_at: Ints
    best_more: Ints
    best_place: Numbers
    best_how: Numbers
    differs: Numbers
    other: Numbers
    others: Numbers


def new_desk(town: Town, chains: Chains) -> Desk:
    """Room enough for the longest chain and one job more."""
    vehicles, width = chains.job.shape
    widest = int((town.jobs["candidates_end"] - town.jobs["candidates_begin"]).max(initial=1))
    most, entries = 3 * JOBS_MAX, len(town.candidate)
    return Desk(
        trip=np.empty((1, width + 1), dtype=np.int32),
        free_s=np.empty((vehicles, width + 2), dtype=np.int64),
        cost=np.empty((vehicles, width + 2), dtype=np.int64),
        trips=np.empty(vehicles, dtype=np.int32),
        read_at=np.full(vehicles, -1, dtype=np.int64),
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
        noted_at=np.full(vehicles, -1, dtype=np.int32),
        noted=np.empty(most, dtype=np.int32),
        noted_job=np.empty((most, width), dtype=np.int32),
        noted_begins=np.empty((most, width), dtype=np.int32),
        noted_length=np.empty(most, dtype=np.int32),
        noted_cost=np.empty(most, dtype=np.int64),
        age=np.zeros(vehicles, dtype=np.int64),
        best_at=np.full(entries, -1, dtype=np.int64),
        best_more=np.empty(entries, dtype=np.int64),
        best_place=np.empty(entries, dtype=np.int32),
        best_how=np.empty(entries, dtype=np.int32),
        differs=np.zeros(vehicles, dtype=np.int32),
        other=np.empty(vehicles, dtype=np.int32),
        others=np.zeros(1, dtype=np.int32),
    )
