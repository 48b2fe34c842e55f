"""The leak test: an honest policy passes, one that knows the day does not."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.solver import Solver
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from simulations import mdrp
from simulations.mdrp import BadInstance, Instance
from simulations.mdrp_leak import Leak, decisions, random_cut, until
from simulations.mdrp_runs import Lived, Policy, Run, live, the_policy
from tests.simulations import small_day, small_solution

CUT = 30


class Clairvoyant:
    """Lets everybody wait at first when it knows that the last order of the day will come."""

    def __init__(self, instance: Instance) -> None:
        self._solver = the_policy(instance)
        self._waits = 10 if instance.orders[-1].name == "o9" else 0

    async def plan(self, problem: Problem) -> Plan:
        if self._waits > 0:
            self._waits -= 1
            problem = replace(problem, candidates={job.id: () for job in problem.jobs})
        return await self._solver.plan(problem)

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        return await self._solver.route(problem)


def clairvoyant(instance: Instance) -> Solver:
    return Clairvoyant(instance)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_day.write(tmp_path / "small")


def lived(folder: Path, policy: Policy = the_policy) -> Lived:
    run = Run(folder=folder, seed=3, out=folder.parent, cut=CUT)
    return live(run, on_orders=lambda _: None, policy=policy)


def leak_of(found: Lived) -> Leak:
    assert found.leak is not None
    return found.leak


def test_an_honest_policy_decides_the_same_without_the_future(folder: Path) -> None:
    found = lived(folder)
    leak = leak_of(found)
    assert leak.decisions > 0
    assert leak.is_prefix
    assert not leak.is_leak, leak.first_event
    assert found.is_clean


def test_a_policy_that_knows_the_future_is_found(folder: Path) -> None:
    found = lived(folder, clairvoyant)
    assert found.faults == ()
    assert leak_of(found).is_leak
    assert not leak_of(found).is_prefix
    assert not found.is_clean


def test_a_cut_leaves_orders_on_both_sides(folder: Path) -> None:
    instance = mdrp.read(folder)
    for seed in range(50):
        cut = random_cut(instance, random.Random(seed))
        kept = until(instance, cut).orders
        assert 0 < len(kept) < len(instance.orders)
        assert all(one.placed <= cut for one in kept)


def test_what_was_placed_at_once_cannot_be_cut(folder: Path) -> None:
    instance = mdrp.read(folder)
    for orders in ((), instance.orders[:1]):
        with pytest.raises(BadInstance, match="cannot be cut"):
            random_cut(replace(instance, orders=orders), random.Random(1))


def test_the_future_does_not_move_the_plane(folder: Path) -> None:
    whole = mdrp.read(folder)
    whole_day, cut_day = (mdrp.day(one, starts_at=0) for one in (whole, until(whole, CUT)))
    assert cut_day.orders == whole_day.orders[: len(cut_day.orders)]
    assert cut_day.couriers == whole_day.couriers


def test_decisions_are_what_couriers_were_told_up_to_the_minute() -> None:
    solution = small_solution.of(small_solution.raw())

    def told(cut: int) -> set[tuple[Any, ...]]:
        return {tuple(one) for one in decisions(solution, cut)}

    assert told(5) == set()
    assert told(6) == {("c1", "pickup", "o1", 6), ("c1", "pickup", "o2", 6)}
    assert told(41) - told(9) == {("c2", "move", "r1", 41)}
