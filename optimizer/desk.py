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

    trip: one row, the jobs of one trip. free_s, cost: how a chain stands before each of its jobs
    that begins a trip. more, place, how: of the k-th job to put in, the best place at each of its
    candidates. jobs: what is reconsidered. neighbour, apart: who could be, and how unlike it is.
    known: by entry of `town.candidate`, the mark of the chain for which known_more, known_place and
    known_how are the best place of the entry's job, 0 = none yet.
    noted_at: where a vehicle is noted, -1 = nowhere; the noted fields say how its chain was.
    """

    trip: Numbers
    free_s: Ints
    cost: Ints
    more: Ints
    place: Numbers
    how: Numbers
    known: Ints
    known_more: Ints
    known_place: Numbers
    known_how: Numbers
    jobs: Numbers
    neighbour: Numbers
    apart: NDArray[np.float64]
    noted_at: Numbers
    noted: Numbers
    noted_job: Numbers
    noted_begins: Numbers
    noted_length: Numbers
    noted_cost: Ints


def new_desk(town: Town, chains: Chains) -> Desk:
    """Room enough for the longest chain and one job more."""
    vehicles, width = chains.job.shape
    widest = int((town.jobs["candidates_end"] - town.jobs["candidates_begin"]).max(initial=1))
    most, pairs = 3 * JOBS_MAX, len(town.candidate)
    return Desk(
        trip=np.empty((1, width + 1), dtype=np.int32),
        free_s=np.empty(width + 2, dtype=np.int64),
        cost=np.empty(width + 2, dtype=np.int64),
        more=np.empty((JOBS_MAX, widest), dtype=np.int64),
        place=np.empty((JOBS_MAX, widest), dtype=np.int32),
        how=np.empty((JOBS_MAX, widest), dtype=np.int32),
        known=np.zeros(pairs, dtype=np.int64),
        known_more=np.empty(pairs, dtype=np.int64),
        known_place=np.empty(pairs, dtype=np.int32),
        known_how=np.empty(pairs, dtype=np.int32),
        jobs=np.empty(JOBS_MAX, dtype=np.int32),
        neighbour=np.empty(_NEIGHBOURS_MAX, dtype=np.int32),
        apart=np.empty(_NEIGHBOURS_MAX),
        noted_at=np.full(vehicles, -1, dtype=np.int32),
        noted=np.empty(most, dtype=np.int32),
        noted_job=np.empty((most, width), dtype=np.int32),
        noted_begins=np.empty((most, width), dtype=np.int32),
        noted_length=np.empty(most, dtype=np.int32),
        noted_cost=np.empty(most, dtype=np.int64),
    )
