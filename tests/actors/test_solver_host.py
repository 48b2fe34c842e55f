"""What solves has loaded its search when it has started: the first plan's time is the plan's."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# How much of what is compiled a process has loaded before its first problem, and after it.
TOLD = """
import gc, random
from numba.core.dispatcher import Dispatcher
from actors.packing import pack
from actors.solver_host import SolverHost
from optimizer.routing.problem import Vehicle
from simulations.crowd import NOW, crowd
from tests.engine.dispatch.ticks import problem_of
from tests.optimizer.routing.problems import a_problem, a_request

def loaded():
    return sum(len(one.signatures) for one in gc.get_objects() if isinstance(one, Dispatcher))
"""
TICK = """
host = SolverHost("tick")
before = loaded()
zone, _, orders, couriers = crowd(20, 40, random.Random(1))
host.plan(pack(problem_of(zone, orders, couriers, now=NOW)))
print(before, loaded())
"""
ROUTING = """
host = SolverHost("routing")
before = loaded()
asked = a_request("a", 1, 2), a_request("b", 3, 1)
host.route(a_problem(*asked, vehicles=(Vehicle(id="van", start=0),)))
print(before, loaded())
"""


@pytest.mark.parametrize("story", [TICK, ROUTING])
def test_its_first_problem_has_nothing_loaded_that_its_start_did_not(story: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TOLD + story], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, after = map(int, ran.stdout.split()[-2:])
    assert 0 < before == after
