"""What a second of a vehicle's time is worth to jobs that nobody knows of yet.

Futures of the next hour are drawn from what is expected, and everybody serves them as one queue.
Where a vehicle is busy without a pause, a second that it loses delays each job that it has after it
in the busy period by a second: infinitesimal perturbation analysis (Ho and Cao, "Perturbation
analysis and optimization of queueing networks", Journal of Optimization Theory and Applications 40,
1983). The known jobs are in the queue, but what they lose is not counted: the plan's cost tells it.
Those for which a vehicle is under way are not: who serves them is settled.
"""

from itertools import chain
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.arrays import Ints
from optimizer.compiled import compiled, compiled_entry
from optimizer.problem import Expected, JobTable, Problem, VehicleTable
from optimizer.routes import promises

Floats: TypeAlias = NDArray[np.float64]

FUTURES: Final = 10
# How far ahead to look, and how long a vehicle's time costs something.
AHEAD_S: Final = 3600
# What is drawn in one future at most; where more is expected, it looks less far ahead.
JOBS_MAX: Final = 20_000
# A second lost in this time is priced; later the queue that was drawn comes to its end.
_PRICED_S: Final = 1800.0
_MINUTE_S: Final = 60.0


def second_permille(problem: Problem) -> int:
    """Thousandths of a unit of cost for each second of a vehicle's time.

    It is the same for all vehicles, and until the last pick-up of each. However dear it is, an hour
    costs half as much as to leave a job out, so that no job is left out for it.
    """
    expected, weights = problem.expected, problem.policy.weights
    if expected is None or weights.time == 0 or expected.rate == 0 or not problem.vehicles:
        return 0
    line, ready_s = _line(VehicleTable.of(problem.vehicles), expected), _ready_s(problem)
    chance = np.random.default_rng(expected.seed)
    worth = 0.0
    for _ in range(FUTURES):
        queue = _drawn(expected, ready_s - expected.approach_s, chance)
        worth += _future(line, queue, float(weights.waiting), float(weights.lateness))
    most = weights.unassigned * 1000 // (2 * AHEAD_S)
    return min(most, round(worth / FUTURES * 1000 * weights.time / 100))


def taken_cost(permille: int, latest_s: ArrayLike, from_s: ArrayLike, to_s: ArrayLike) -> Ints:
    """What the time of vehicles costs that pick up until latest_s; numbers or columns."""
    until_s = np.clip(latest_s, 0, AHEAD_S)
    begin_s, end_s = np.clip(from_s, 0, until_s), np.clip(to_s, 0, until_s)
    cost: Ints = end_s * permille // 1000 - begin_s * permille // 1000
    return cost


def _ready_s(problem: Problem) -> Floats:
    """When each known job is ready for which nobody is under way."""
    jobs = JobTable.of(problem.jobs)
    settled = frozenset(chain.from_iterable(promises(problem).values()))
    is_open = np.array([job not in settled for job in jobs.ids], dtype=np.bool_)
    return jobs.number("ready_s")[is_open].astype(np.float64)


class _Queue(NamedTuple):
    """Jobs in the order in which somebody could set out for them, and when each is late.

    Of known ones that is never. vehicle, free_s, before_s: who serves each, since when it was free
    for that, and when it set out for the one before. cost: of each second that this is later.
    """

    begin_s: Floats
    due_s: Floats
    vehicle: Ints
    free_s: Floats
    before_s: Floats
    cost: Floats


class _Line(NamedTuple):
    """Vehicles, those who are free first at the beginning, and the means of what a job takes.

    The others are scratch paper: a heap of when and who, when each set out last, and what a second
    that it loses costs.
    """

    free_s: Floats
    until_s: Floats
    approach_s: float
    work_s: float
    heap_s: Floats
    heap: Ints
    before_s: Floats
    chain: Floats


def _line(vehicles: VehicleTable, expected: Expected) -> _Line:
    free_s = np.maximum(0, vehicles.number("free_at_s"))
    until_s = vehicles.number("latest_pickup_s")
    first = np.lexsort((until_s, free_s))
    count = len(first)
    return _Line(
        free_s=free_s[first].astype(np.float64),
        until_s=until_s[first].astype(np.float64),
        approach_s=float(expected.approach_s),
        work_s=float(expected.work_s),
        heap_s=np.zeros(count),
        heap=np.zeros(count, dtype=np.int64),
        before_s=np.zeros(count),
        chain=np.zeros(count),
    )


def _drawn(expected: Expected, known_s: Floats, chance: np.random.Generator) -> _Queue:
    ahead_s = min(float(AHEAD_S), JOBS_MAX / expected.rate)
    count = min(int(chance.poisson(expected.rate * ahead_s)), 2 * JOBS_MAX)
    placed_s = chance.uniform(0, ahead_s, count)
    minutes = chance.choice(len(expected.preparation), count, p=expected.preparation)
    begin_s = np.maximum(placed_s, placed_s + minutes * _MINUTE_S - expected.approach_s)
    begin_s = np.concatenate([np.maximum(0, known_s), begin_s])
    due_s = np.concatenate([np.full(len(known_s), np.inf), placed_s + expected.promised_s])
    order = np.argsort(begin_s, kind="stable")
    jobs = len(order)
    return _Queue(
        begin_s=begin_s[order],
        due_s=due_s[order],
        vehicle=np.full(jobs, -1, dtype=np.int64),
        free_s=np.zeros(jobs),
        before_s=np.zeros(jobs),
        cost=np.zeros(jobs),
    )


@compiled_entry
def _future(line: _Line, queue: _Queue, waiting: float, lateness: float) -> float:
    """What a second of a vehicle's time is worth in one future, in the mean of vehicles and time.

    waiting, lateness: what a second costs by which a job is served later, and more if it is late.
    """
    _serve(line, queue, waiting, lateness)
    worth, on_duty_s = 0.0, 0.0
    for v in range(len(line.chain)):
        line.chain[v] = 0.0
        on_duty_s += max(0.0, min(line.until_s[v], _PRICED_S))
    for j in range(len(queue.begin_s) - 1, -1, -1):
        v = queue.vehicle[j]
        if v < 0:
            continue
        if queue.free_s[j] < queue.begin_s[j]:
            line.chain[v] = 0.0
            continue
        line.chain[v] += queue.cost[j]
        lost_s = min(queue.free_s[j], _PRICED_S) - queue.before_s[j]
        worth += line.chain[v] * max(0.0, lost_s)
    return worth / on_duty_s if on_duty_s > 0 else 0.0


@compiled
def _serve(line: _Line, queue: _Queue, waiting: float, lateness: float) -> None:
    """Give each job in turn to whoever is free first and still picks up by then."""
    for v in range(len(line.heap)):
        line.heap_s[v], line.heap[v], line.before_s[v] = line.free_s[v], v, 0.0
    for j in range(len(queue.begin_s)):
        begin_s, v = queue.begin_s[j], line.heap[0]
        while line.heap_s[0] < np.inf and (
            max(begin_s, line.heap_s[0]) + line.approach_s > line.until_s[v]
        ):
            _put_first(line, np.inf)
            v = line.heap[0]
        if line.heap_s[0] == np.inf:
            break
        set_out_s = max(begin_s, line.heap_s[0])
        queue.vehicle[j], queue.free_s[j] = v, line.heap_s[0]
        queue.before_s[j], line.before_s[v] = line.before_s[v], set_out_s
        if queue.due_s[j] < np.inf:
            is_late = set_out_s + line.work_s > queue.due_s[j]
            queue.cost[j] = waiting + (lateness if is_late else 0.0)
        _put_first(line, set_out_s + line.work_s)


@compiled
def _put_first(line: _Line, free_s: float) -> None:
    """Whoever is free first is so at free_s instead: the heap is put in order."""
    at, who, count = 0, line.heap[0], len(line.heap)
    while 2 * at + 1 < count:
        least = 2 * at + 1
        if least + 1 < count and line.heap_s[least + 1] < line.heap_s[least]:
            least += 1
        if line.heap_s[least] >= free_s:
            break
        line.heap_s[at], line.heap[at] = line.heap_s[least], line.heap[least]
        at = least
    line.heap_s[at], line.heap[at] = free_s, who
