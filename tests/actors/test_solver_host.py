"""What solves has loaded its search when it has started: the first plan's time is the plan's."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# How much of what is compiled a process has loaded before its first problem, and after it.
TOLD = """
import gc
from numba.core.dispatcher import Dispatcher
from actors.packing import pack
from actors.solver_host import SolverHost
from optimizer.problem import Vehicle
from optimizer.routing.problem import Vehicle as Van
from tests.optimizer.problems import a_job, a_problem, a_route
from tests.optimizer.routing.problems import a_problem as a_day, a_request

def loaded():
    return sum(len(one.signatures) for one in gc.get_objects() if isinstance(one, Dispatcher))
"""
TICK = """
host = SolverHost("tick")
before = loaded()
people = [Vehicle(id="near", node=2, capacity=2), Vehicle(id="far", node=9, capacity=2)]
jobs = [a_job("first", 3, 5), a_job("second", 3, 6), a_job("third", 8, 1)]
host.plan(pack(a_problem(people, jobs, incumbent=(a_route("near", ("second",)),))))
print(before, loaded())
"""
ROUTING = """
host = SolverHost("routing")
before = loaded()
host.route(a_day(a_request("a", 1, 2), a_request("b", 3, 1), vehicles=(Van(id="van", start=0),)))
print(before, loaded())
"""


@pytest.mark.parametrize("story", [TICK, ROUTING])
def test_its_first_problem_has_nothing_loaded_that_its_start_did_not(story: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TOLD + story], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, after = map(int, ran.stdout.split()[-2:])
    assert 0 < before == after
