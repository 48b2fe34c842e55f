"""The dispatch problem as numbers, and the plan that answers it.

Instants are integer seconds relative to the problem's now (now = 0, the past is negative), costs
are integers so that they compare exactly, places are node indices that only the `Travel`
understands.

What there are thousands of are structs: they are made ten times as fast as frozen dataclasses, and
the collector of garbage passes them by.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, Final, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from optimizer.columns import Columns

Nodes: TypeAlias = NDArray[np.int64]
Seconds: TypeAlias = NDArray[np.int64]


class Travel(Protocol):
    """Travel times of a vehicle of plain pace."""

    def between(self, origins: Nodes, destinations: Nodes) -> Seconds:
        """Seconds from origins[i] to destinations[i]; all three arrays have one shape."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MatrixTravel:
    """Travel times from a square table, seconds[origin, destination]."""

    seconds: Seconds

    def between(self, origins: Nodes, destinations: Nodes) -> Seconds:
        return self.seconds[origins, destinations]


class Vehicle(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who can carry, from the moment and place where his present duty ends.

    capacity_g: grams; None = as much as there is room for.
    He leaves no earlier than now; where he already is he has been since free_at_s.
    bound_for: the group whose shop he is on the way to, or in, with a trip of the incumbent; node
    is that shop and free_at_s his arrival. Which jobs of the group he takes may still change, and
    from which neighbouring shops he fetches after it, but not that he takes one.
    """

    id: str
    node: int
    free_at_s: int = 0
    latest_pickup_s: int | None = None
    capacity: int = 1
    capacity_g: int | None = None
    idle_since_s: int = 0
    pace_permille: int = 1000
    bound_for: str | None = None


class Job(Struct, frozen=True, kw_only=True, gc=False):
    """One thing to fetch and to bring; jobs of one group can be fetched in one visit.

    weight is how much it matters, weight_g its grams.
    """

    id: str
    pickup: int
    delivery: int
    group: str
    ready_s: int
    placed_s: int
    due_s: int
    size: int = 1
    weight_g: int = 0
    weight: int = 1


class VehicleTable(Columns[Vehicle]):
    """Vehicles as columns."""

    kind = Vehicle
    texts = ("id", "bound_for")
    limits = ("latest_pickup_s", "capacity_g")

    @cached_property
    def bound(self) -> list[tuple[str, str]]:
        """Who is bound for a shop, by id, and for which."""
        shops = self.text("bound_for")
        if shops.count(None) == len(shops):
            return []
        pairs = zip(self.ids, shops, strict=True)
        return sorted((vehicle, shop) for vehicle, shop in pairs if shop is not None)


class JobTable(Columns[Job]):
    """Jobs as columns."""

    kind = Job
    texts = ("id", "group")

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups that there are, in order."""
        return tuple(sorted(set(self.text("group"))))

    @cached_property
    def group_number(self) -> NDArray[np.int64]:
        """Which of them each job is of."""
        number = {group: g for g, group in enumerate(self.groups)}
        return np.array([number[group] for group in self.text("group")], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Seconds spent on foot around a handover.

    Handover at a shop = max(latest ready time of what is fetched there, arrival + pickup_before_s);
    the vehicle leaves pickup_after_s later. A delivery = arrival + delivery_before_s; free again
    delivery_after_s later.
    """

    pickup_before_s: int
    pickup_after_s: int
    delivery_before_s: int
    delivery_after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a plan costs, in one unit for everything; what is said of jobs is times their weight.

    waiting: per second from the earliest possible delivery to the planned one.
    lateness: per second after due.
    travel: per second of driving.
    idle: per minute that a vehicle has been idle less long than the longest idle one, once per
    vehicle that is used anew. It spreads the work, and keeps those near the demand for what comes
    next.
    stability: once per job, whatever its weight, that leaves the vehicle it has in the incumbent.
    time: percent of what a second of a vehicle's time is worth to the jobs that are expected
    (`opportunity`), for each second of the next hour, up to its last pick-up, that it is taken up.
    unassigned: once per job left out; unassigned_age: per second since it was placed, likewise.
    """

    waiting: int = 100
    lateness: int = 20
    travel: int = 5
    idle: int = 180
    stability: int = 0
    time: int = 0
    unassigned: int = 2_000_000
    unassigned_age: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How to plan.

    bundle_size_max: jobs in one trip.
    bundle_extra_s_max: how much later than alone, with the same arrival at the (first) shop, a job
    of a bundle may be delivered.
    trips_max: trips in one vehicle's chain.
    rounds_max, rounds_per_job: rounds of improvement in all and for each job; they bound the work
    without a clock, so that runs are alike.
    time_budget_s: bounds the work of a caller who has a clock.
    """

    weights: Weights = field(default_factory=Weights)
    bundle_size_max: int = 3
    bundle_extra_s_max: int = 900
    trips_max: int = 4
    rounds_max: int = 1000
    rounds_per_job: int = 20
    time_budget_s: float = 0.5


class Trip(Struct, frozen=True, kw_only=True, gc=False):
    """Visits to a shop or to neighbouring ones, and the deliveries of what is fetched there.

    group is that of the first shop; `neighbours.visited` tells them all in order. jobs are in the
    order of delivery, deliveries_s beside them. pickup_s is the handover at the last shop, leave_s
    the latest departure towards the first one that does not make it later.
    """

    group: str
    jobs: tuple[str, ...]
    leave_s: int
    pickup_s: int
    deliveries_s: tuple[int, ...]


class Route(Struct, frozen=True, kw_only=True, gc=False):
    """A vehicle's chain of trips, one after the other."""

    vehicle: str
    trips: tuple[Trip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known of jobs that will be placed.

    rate: jobs a second. preparation: the chance that a job is ready so many whole minutes after it
    was placed, for each number of them. promised_s: from there until it is late. approach_s,
    work_s: how long a vehicle is on its way to a job, and how long one job takes it up in all, in
    the mean.
    """

    rate: float
    preparation: tuple[float, ...]
    promised_s: int
    approach_s: int
    work_s: int
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything the solver may know.

    candidates: for each job the vehicles that may serve it; none = the job cannot be planned.
    incumbent: the routes of the last plan, of which only vehicles, jobs and their order count;
    vehicles and jobs that are gone are ignored.
    neighbours: pairs of groups from whose shops one trip may fetch, each once; none = every trip
    has one shop.
    expected: what else will come up; None = nothing is known of that.
    """

    vehicles: Sequence[Vehicle]
    jobs: Sequence[Job]
    candidates: Mapping[str, tuple[str, ...]]
    travel: Travel
    service: Service
    policy: Policy = field(default_factory=Policy)
    incumbent: Sequence[Route] = ()
    seed: int = 0
    neighbours: Collection[tuple[str, str]] = ()
    expected: Expected | None = None


class Reason(StrEnum):
    """Why a job has no vehicle, or why another vehicle was not taken; stable codes."""

    NO_CANDIDATE = "no_candidate"
    SHIFT_ENDS = "shift_ends"
    FULL = "full"
    TOO_LATE = "too_late"
    BETTER_ELSEWHERE = "better_elsewhere"
    OUT_OF_TIME = "out_of_time"
    BUSY = "busy"
    FARTHER = "farther"
    SHORTER_IDLE = "shorter_idle"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A vehicle that could have had the job; extra_cost None = it cannot have it at all.

    It is what the plan would cost more, for a job left out than without it.
    """

    vehicle: str
    extra_cost: int | None
    reason: Reason


# The reasons that a ranking tells, by their codes in it.
RANKED: Final = tuple(Reason)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rankings(Mapping[str, tuple[Alternative, ...]]):
    """What speaks against each candidate of each job, kept as columns: few are ever looked at.

    Those of job jobs[j] are at begins[j] : begins[j + 1] of the other columns, which name
    vehicles[vehicle[i]]; `reason` is an index of `RANKED`, `arrival_s` when it could be at the
    shop, which decides between two that cost the same.
    """

    IMPOSSIBLE: ClassVar[int] = 2**62

    jobs: tuple[str, ...]
    vehicles: tuple[str, ...]
    begins: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    extra_cost: NDArray[np.int64]
    arrival_s: NDArray[np.int64]
    reason: NDArray[np.int8]

    @cached_property
    def _at(self) -> Mapping[str, int]:
        return {job: at for at, job in enumerate(self.jobs)}

    @staticmethod
    def of(told: Mapping[str, Sequence[Alternative]]) -> "Rankings":
        """The same as columns."""
        rows = [one for ranking in told.values() for one in ranking]
        vehicles = sorted({one.vehicle for one in rows})
        costs = [Rankings.IMPOSSIBLE if one.extra_cost is None else one.extra_cost for one in rows]
        return Rankings(
            jobs=tuple(told),
            vehicles=tuple(vehicles),
            begins=np.cumsum([0, *(len(ranking) for ranking in told.values())]),
            vehicle=np.array([vehicles.index(one.vehicle) for one in rows], dtype=np.int32),
            extra_cost=np.array(costs, dtype=np.int64),
            arrival_s=np.arange(len(rows)),
            reason=np.array([RANKED.index(one.reason) for one in rows], dtype=np.int8),
        )

    def __getitem__(self, job: str) -> tuple[Alternative, ...]:
        rows = self._rows(job)
        vehicle, cost, reason = self.vehicle[rows], self.extra_cost[rows], self.reason[rows]
        best = self._best_first(rows)
        columns = (one[best].tolist() for one in (vehicle, cost, reason))
        return tuple(
            Alternative(
                vehicle=self.vehicles[v],
                extra_cost=None if more == self.IMPOSSIBLE else more,
                reason=RANKED[code],
            )
            for v, more, code in zip(*columns, strict=True)
        )

    def names(self, job: str) -> tuple[str, ...]:
        """Only who they are."""
        rows = self._rows(job)
        best = self._best_first(rows)
        return tuple([self.vehicles[v] for v in self.vehicle[rows][best].tolist()])

    def __iter__(self) -> Iterator[str]:
        return iter(self.jobs)

    def __len__(self) -> int:
        return len(self.jobs)

    def _best_first(self, rows: slice) -> NDArray[np.intp]:
        keys = self.vehicle[rows], self.arrival_s[rows], self.extra_cost[rows]
        return np.lexsort(keys)

    def _rows(self, job: str) -> slice:
        at = self._at[job]
        return slice(int(self.begins[at]), int(self.begins[at + 1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer: routes of the vehicles with work, by id, and a reason for every job left out.

    rankings: for each job the candidates that do not have it, best first.
    """

    routes: Sequence[Route]
    unassigned: Mapping[str, Reason]
    cost: int
    rankings: Rankings = field(default_factory=lambda: Rankings.of({}))
