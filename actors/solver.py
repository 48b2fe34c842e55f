"""The solver as those see it who ask: problem in, plan out.

What solves is in `actors/solving.py`, which takes seconds to import: who only asks need not.
"""

import time
from collections.abc import Callable
from typing import Protocol

from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem

StopWatch = Callable[[], Callable[[], float]]


class Solver(Protocol):
    """Answers a problem; raises `SolverUnavailable` when it cannot at the moment."""

    async def plan(self, problem: Problem) -> Plan:
        """A verified plan."""
        ...

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        """A verified plan of pick-ups and deliveries with windows."""
        ...


class SolverUnavailable(Exception):
    """The solver is being restarted or does not answer in time; the next tick asks again."""


def real_stopwatch() -> Callable[[], float]:
    """Real seconds since now."""
    began = time.perf_counter()
    return lambda: time.perf_counter() - began


def stopped_watch() -> Callable[[], float]:
    """No time passes: only the policy's rounds bound the search, so that runs are alike."""
    return lambda: 0.0
