"""The solver: no plan leaves it that the verifier has not passed."""

import numpy as np
import pytest

from actors.solver import real_stopwatch, stopped_watch
from actors.solving import LocalSolver, checked_plan
from optimizer.problem import Job, MatrixTravel, Nodes, Policy, Problem, Seconds, Service, Vehicle
from simulations.virtual import run_virtually


class ForgetfulTravel:
    """Every question about a way is answered with a longer time: nothing planned on it can hold."""

    def __init__(self) -> None:
        self._asked = 0

    def between(self, origins: Nodes, destinations: Nodes) -> Seconds:
        self._asked += 1
        return np.full(origins.shape, 60 * self._asked, dtype=np.int64)


def _problem(travel: MatrixTravel | ForgetfulTravel) -> Problem:
    return Problem(
        vehicles=(Vehicle(id="salem", node=0),),
        jobs=(Job(id="roses", pickup=1, delivery=2, group="1", ready_s=0, placed_s=0, due_s=3600),),
        candidates={"roses": ("salem",)},
        travel=travel,
        service=Service(
            pickup_before_s=60, pickup_after_s=60, delivery_before_s=60, delivery_after_s=60
        ),
        policy=Policy(),
    )


def test_a_plan_says_who_carries_what() -> None:
    seconds = np.array([[0, 300, 900], [300, 0, 600], [900, 600, 0]], dtype=np.int64)
    solver = LocalSolver(stopped_watch)
    plan = run_virtually(lambda _: solver.plan(_problem(MatrixTravel(seconds=seconds))))
    (route,) = plan.routes
    assert route.vehicle == "salem"
    assert [trip.jobs for trip in route.trips] == [("roses",)]


def test_a_plan_that_breaks_a_rule_raises() -> None:
    with pytest.raises(AssertionError, match="breaks its rules"):
        checked_plan(_problem(ForgetfulTravel()), stopped_watch())


def test_real_time_passes_and_a_stopped_watch_stands() -> None:
    elapsed_s, stopped_s = real_stopwatch(), stopped_watch()
    first = elapsed_s()
    assert 0 <= first <= elapsed_s()
    assert stopped_s() == stopped_s() == 0
