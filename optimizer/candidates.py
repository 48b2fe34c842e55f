"""Which vehicles may serve which job, as columns: they are many, and few are read one by one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.arrays import Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateTable(Mapping[str, tuple[str, ...]]):
    """The vehicles of job jobs[j] are vehicles[i] for each i in vehicle[begins[j] : begins[j + 1]].

    They stand in the order in which they were given.
    """

    jobs: tuple[str, ...]
    vehicles: tuple[str, ...]
    begins: NDArray[np.int64]
    vehicle: NDArray[np.int32]

    @cached_property
    def _at(self) -> Mapping[str, int]:
        return {job: at for at, job in enumerate(self.jobs)}

    @staticmethod
    def of(
        jobs: Sequence[str], vehicles: Sequence[str], rows: Sequence[ArrayLike]
    ) -> "CandidateTable":
        """A row of indices of `vehicles` for each job."""
        arrays = [np.asarray(row, dtype=np.int32) for row in rows]
        return CandidateTable(
            jobs=tuple(jobs),
            vehicles=tuple(vehicles),
            begins=np.cumsum([0, *map(len, arrays)], dtype=np.int64),
            vehicle=np.concatenate([np.zeros(0, dtype=np.int32), *arrays]),
        )

    @staticmethod
    def from_names(candidates: Mapping[str, Sequence[str]]) -> "CandidateTable":
        """The same as columns."""
        if isinstance(candidates, Sought):
            return candidates.table
        if isinstance(candidates, CandidateTable):
            return candidates
        vehicles = sorted({one for row in candidates.values() for one in row})
        index = {one: at for at, one in enumerate(vehicles)}
        rows = [[index[one] for one in row] for row in candidates.values()]
        return CandidateTable.of(list(candidates), vehicles, rows)

    def __getitem__(self, job: str) -> tuple[str, ...]:
        at = self._at[job]
        row = self.vehicle[self.begins[at] : self.begins[at + 1]]
        return tuple([self.vehicles[v] for v in row.tolist()])

    def __iter__(self) -> Iterator[str]:
        return iter(self.jobs)

    def __len__(self) -> int:
        return len(self.jobs)


class Sought(Mapping[str, tuple[str, ...]]):
    """Candidates that are sought when somebody first looks at them, in whatever process he is."""

    def __init__(self, find: Callable[[], CandidateTable]) -> None:
        """find: can be pickled."""
        self._find = find
        self._found: CandidateTable | None = None

    @property
    def table(self) -> CandidateTable:
        """All of them, as columns."""
        if self._found is None:
            self._found = self._find()
        return self._found

    def __reduce__(self) -> tuple[type["Sought"], tuple[Callable[[], CandidateTable]]]:
        return Sought, (self._find,)

    def __getitem__(self, job: str) -> tuple[str, ...]:
        return self.table[job]

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)


def members(begins: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Of runs that begin there and are so long, one after the other: whose each is, and where."""
    run = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
    return run, begins[run] + within
