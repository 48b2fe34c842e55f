"""Compiles the searches ahead of their first use: `python -m optimizer.compiling tick`.

What is compiled stays on the disk beside the source, so that a server's first plan, and test runs
side by side, only have to load it.
"""

import sys
from collections.abc import Callable
from typing import Final

import numpy as np

from optimizer.nearby import Asks, Cells, People
from optimizer.nearest import nearest
from optimizer.problem import (
    Expected,
    Job,
    MatrixTravel,
    Policy,
    Problem,
    Service,
    Vehicle,
    Weights,
)
from optimizer.routing import problem as routing
from optimizer.routing.solve import solve as solve_routing
from optimizer.solve import solve
from optimizer.verify import verify

_STREET = np.abs(np.arange(6)[:, None] - np.arange(6)) * 60
_NAMES = ("a", "b", "c")


def compile_searches() -> None:
    """Plan a street of three gifts with each search, and check a plan."""
    for compile_one in SEARCHES.values():
        compile_one()


def _plan_now() -> None:
    verify(_tick(), solve(_tick()))


def _plan_ahead() -> None:
    solve_routing(_tomorrow(), elapsed_s=lambda: 0.0)


def _seek() -> None:
    """Seek who is nearest to the first place of the street."""
    where, one = np.zeros((3, 3)), np.ones(1)
    nearest(
        Cells(begins=np.array([0, 3]), middle=where[:1], radius=one, free_s=one, least_s=1.0),
        People(
            where=where,
            free_s=np.zeros(3),
            pace_s=np.ones(3),
            able=np.ones((3, 5), dtype=np.int64),
            number=np.arange(3),
        ),
        Asks(
            where=where[:1],
            below_s=np.array([60]),
            needs=np.ones((1, 5), dtype=np.int64),
            barred_at=np.zeros(2, dtype=np.int64),
            barred=np.zeros(0, dtype=np.int64),
            cash_max=2,
        ),
        2,
    )


def _tick() -> Problem:
    return Problem(
        vehicles=tuple(Vehicle(id=name, node=0, capacity=2) for name in _NAMES),
        jobs=tuple(
            Job(
                id=name,
                pickup=1,
                delivery=2 + index,
                group="shop",
                ready_s=600 * index,
                placed_s=0,
                due_s=3600,
            )
            for index, name in enumerate(_NAMES)
        ),
        candidates=dict.fromkeys(_NAMES, _NAMES),
        travel=MatrixTravel(seconds=_STREET),
        service=Service(
            pickup_before_s=60, pickup_after_s=60, delivery_before_s=60, delivery_after_s=60
        ),
        policy=Policy(rounds_max=64, weights=Weights(time=100)),
        expected=Expected(rate=0.01, preparation=(1.0,), promised_s=600, approach_s=60, work_s=600),
    )


def _tomorrow() -> routing.RoutingProblem:
    return routing.RoutingProblem(
        requests=tuple(
            routing.Request(
                id=name,
                pickup=routing.Stop(node=1, service_s=60),
                delivery=routing.Stop(node=2 + index, latest_s=7200, service_s=60),
            )
            for index, name in enumerate(_NAMES)
        ),
        vehicles=tuple(routing.Vehicle(id=name, start=0) for name in _NAMES),
        seconds=_STREET,
        effort=routing.Effort(time_budget_s=600, rounds_max=200),
    )


# No two of them share anything that is compiled, so they may be compiled side by side.
SEARCHES: Final[dict[str, Callable[[], None]]] = {
    "tick": _plan_now,
    "routing": _plan_ahead,
    "nearest": _seek,
}


if __name__ == "__main__":
    SEARCHES[sys.argv[1]]()
