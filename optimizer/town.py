"""A problem as the compiled search sees it: records and tables of numbers, made for each plan."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints, Numbers

Records: TypeAlias = np.recarray[tuple[int], np.dtype[np.void]]

# The search asks for jobs and vehicles in any order: one is no longer than a line of the nearest
# memory.
JOB = np.dtype(
    [(name, np.int64) for name in ("ready_s", "earliest_s", "due_s", "left_out")]
    + [
        (name, np.int32)
        for name in (
            "group",
            "rank",
            "kept",
            "ride_s",
            "waiting",
            "lateness",
            "load",
            "weight_g",
        )
    ]
)
VEHICLE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "free_s",
            "latest_s",
            "capacity",
            "capacity_g",
            "pace",
            "use_cost",
            "priced_s",
            "bound",
        )
    ]
)
FIRST_TRIP = np.dtype(
    [
        (name, np.int64)
        for name in ("latest_s", "extra_s_max", "capacity", "capacity_g", "count_max")
    ]
)
GROUP = np.dtype([("hop_at", np.int64), ("members", np.int64)])
RULES = np.dtype(
    [
        (name, np.int64)
        for name in (
            "pickup_before_s",
            "pickup_after_s",
            "delivery_before_s",
            "delivery_after_s",
            "travel",
            "stability",
            "second_permille",
            "extra_s_max",
            "count_max",
            "trips_max",
            "has_neighbours",
        )
    ]
)


class Town(NamedTuple):
    """What does not change while a plan is made.

    j is a job, v a vehicle, g a group of jobs with one pickup place, all numbered in the order of
    their ids. Instants and spans are seconds, costs are integers in the unit of `Weights`.

    jobs: kept is the vehicle of the job in the incumbent, -1 = none; the vehicles that may carry it
    are candidate[candidates_at[j] : candidates_at[j + 1]].
    vehicles: bound is the group for which it is under way, -1 = none; priced_s is until when a
    second of its time costs second_permille thousandths. first_trips[v]: the limits of the trip for
    which it is under way, which must allow what was promised before.
    rules: one record. approach_s tells, entry by entry of `candidate`, the way of that vehicle to
    the place of that job, onward_s[g, j] the way to the place of g from the door of j where
    somebody may serve both; apart_s[g, g] is between the places themselves. The door of j and that
    of k, both of g, are hop_s[hop_at + rank of j * members + rank of k] apart. From shops of
    neighbouring groups g and h one trip may fetch: beside_at[g, h] is where their block of hop_s
    begins, -1 = they are none.
    The way from the place of g to the door of k of h is at rank of k in it, that from the door of j
    of g to it at (rank of j + 1) * members of h + rank of k. Without any neighbours it is empty.
    """

    jobs: Records
    vehicles: Records
    first_trips: Records
    groups: Records
    rules: Records
    candidates_at: Ints
    candidate: Numbers
    approach_s: Numbers
    onward_s: NDArray[np.int32]
    apart_s: NDArray[np.int32]
    hop_s: Numbers
    beside_at: Numbers


class Chains(NamedTuple):
    """The plan in the making.

    job[v, : length[v]] are the jobs of a vehicle in the order of delivery, begins marks those that
    begin a trip. cost[v] is what the chain costs, carrier[j] the vehicle of a job, -1 = left out.
    """

    job: Numbers
    begins: Numbers
    length: Numbers
    cost: Ints
    carrier: Numbers


def empty_chains(town: Town) -> Chains:
    """Nobody carries anything."""
    vehicles, rules = len(town.vehicles), town.rules[0]
    longest = int(max(rules.count_max, town.first_trips["count_max"].max(initial=0)))
    width = rules.trips_max * longest + 1
    return Chains(
        job=np.full((vehicles, width), -1, dtype=np.int32),
        begins=np.zeros((vehicles, width), dtype=np.int32),
        length=np.zeros(vehicles, dtype=np.int32),
        cost=np.zeros(vehicles, dtype=np.int64),
        carrier=np.full(len(town.jobs), -1, dtype=np.int32),
    )


def copy_of(chains: Chains) -> Chains:
    """The same plan, to keep."""
    return Chains(
        job=chains.job.copy(),
        begins=chains.begins.copy(),
        length=chains.length.copy(),
        cost=chains.cost.copy(),
        carrier=chains.carrier.copy(),
    )


def trips_of(chains: Chains, v: int) -> list[list[int]]:
    """The jobs of each of a vehicle's trips."""
    trips: list[list[int]] = []
    for index in range(chains.length[v]):
        if chains.begins[v, index]:
            trips.append([])
        trips[-1].append(int(chains.job[v, index]))
    return trips
