"""Compiles the searches ahead of their first use: `python -m optimizer.compiling improving`.

What is compiled stays on the disk beside the source, so that a server's first plan, and test runs
side by side, only have to load it.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from optimizer.desk import new_desk
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
from optimizer.search import improve
from optimizer.solve import solve
from optimizer.tables import Tables
from optimizer.town import copy_of, empty_chains
from optimizer.verify import verify

_STREET = np.abs(np.arange(6)[:, None] - np.arange(6)) * 60
_NAMES = ("a", "b", "c")


def compile_searches() -> None:
    """Plan a street of three gifts with each search, and check a plan."""
    for compile_one in SEARCHES.values():
        compile_one()


def _plan_now() -> None:
    _seek()
    _improve()
    _plan_without_rounds()


def _improve() -> None:
    """No round of it: that is the half of the compiler's work, and another core can do the rest."""
    town = Tables(_tick()).town
    chains = empty_chains(town)
    so_far = np.zeros(2, dtype=np.int64)
    improve(town, chains, copy_of(chains), new_desk(town, chains), so_far, (0, 0, 1), 0.0)


def _plan_without_rounds() -> None:
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
        policy=Policy(rounds_max=0, weights=Weights(time=100)),
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


SEARCHES: Final[Mapping[str, Callable[[], None]]] = {"tick": _plan_now, "routing": _plan_ahead}
# What may be compiled side by side, what takes longest first. Two that share a function both write
# its file, each the same and as a whole.
PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "improving": _improve,
    "planning": _plan_without_rounds,
    "routing": _plan_ahead,
    "nearest": _seek,
}


if __name__ == "__main__":
    PARTS[sys.argv[1]]()
