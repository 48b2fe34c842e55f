"""How long a zone's tick takes on this machine, beside the bare matching of the same pairs."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from actors.solver import real_stopwatch
from actors.solving import checked_plan
from engine.dispatch.pool import problem_of
from optimizer.matching import match
from optimizer.problem import Problem
from simulations.crowd import NOW, crowd

SIZES = ((30, 100), (100, 300), (300, 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class TickTimes:
    """Medians in real ms: stating the problem, planning and verifying, the bare matching."""

    orders: int
    couriers: int
    problem_ms: float
    plan_ms: float
    matching_ms: float

    @property
    def ratio(self) -> float:
        """The whole tick by the bare matching."""
        return (self.problem_ms + self.plan_ms) / self.matching_ms


def run(*, runs: int, seed: int) -> list[TickTimes]:
    """Measure every size `runs` times, in turn with the bare matching, and print the table."""
    found = [_measure(*size, runs=runs, seed=seed) for size in SIZES]
    table = Table("orders", "couriers", "problem ms", "plan ms", "bare matching ms", "ratio")
    for one in found:
        table.add_row(
            str(one.orders),
            str(one.couriers),
            f"{one.problem_ms:.1f}",
            f"{one.plan_ms:.1f}",
            f"{one.matching_ms:.1f}",
            f"{one.ratio:.1f}",
        )
    Console().print(table)
    return found


def _measure(orders: int, couriers: int, *, runs: int, seed: int) -> TickTimes:
    zone, _, waiting, free = crowd(orders, couriers, random.Random(seed))
    times: dict[str, list[float]] = {"problem": [], "plan": [], "matching": []}
    problem = problem_of(zone, waiting, free, now=NOW)
    for _ in track(range(runs), description=f"{orders} × {couriers}", transient=True):
        times["problem"].append(_ms(lambda: problem_of(zone, waiting, free, now=NOW)))
        times["plan"].append(_ms(lambda: checked_plan(problem, real_stopwatch())))
        times["matching"].append(_ms(lambda: _bare_matching(problem)))
    return TickTimes(
        orders=orders,
        couriers=couriers,
        problem_ms=median(times["problem"]),
        plan_ms=median(times["plan"]),
        matching_ms=median(times["matching"]),
    )


def _ms(work: Callable[[], Any]) -> float:
    elapsed_s = real_stopwatch()
    work()
    return elapsed_s() * 1000


def _bare_matching(problem: Problem) -> None:
    """Every order to one courier by travel time alone: what a tick cannot be cheaper than."""
    index = {vehicle.id: at for at, vehicle in enumerate(problem.vehicles)}
    pairs = [
        (at, index[one])
        for at, job in enumerate(problem.jobs)
        for one in problem.candidates[job.id]
    ]
    left, right = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    nodes = np.array([one.node for one in problem.vehicles], dtype=np.int64)
    shops = np.array([one.pickup for one in problem.jobs], dtype=np.int64)
    cost = problem.travel.between(nodes[right], shops[left])
    match(left, right, cost, alone=np.full(len(problem.jobs), 100_000, dtype=np.int64))
