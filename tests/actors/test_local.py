"""Cells in this process: started once, killed like a process, loud about bugs."""

import asyncio

import pytest

from actors.bus import CellUnavailable
from engine.couriers.messages import TakeBreak
from engine.kernel.timing import SECOND_MS
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from storage.store import Answer
from tests.actors.worlds import Town, in_a_town


def _code(answer: Answer) -> str:
    return "ok" if answer.refusal is None else answer.refusal.code


class Faulty:
    """A solver with a bug."""

    async def plan(self, problem: Problem) -> Plan:
        raise AssertionError("the plan breaks its rules")

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        raise AssertionError("the routes break their rules")


def test_a_cell_that_many_ask_for_at_once_is_started_once() -> None:
    async def story(town: Town) -> tuple[list[str], int]:
        await town.cells.kill(await town.cell())
        town.line.latency_ms = 100
        before = len(town.line.asked)
        cell = await town.cell()
        said = await asyncio.gather(*(town.cells.health(cell) for _ in range(50)))
        return said, town.line.asked[before:].count("load_cell")

    said, loaded = in_a_town(story)
    assert set(said) == {"ok"}
    assert loaded == 1


def test_who_asks_a_cell_that_is_killed_while_it_starts_is_told_so() -> None:
    async def story(town: Town) -> str:
        courier = await town.courier()
        cell = await town.cell()
        await town.cells.kill(cell)
        town.line.latency_ms = 100
        asking = asyncio.ensure_future(
            town.send(TakeBreak(courier_id=courier), town.as_courier(courier))
        )
        watching = asyncio.ensure_future(town.cells.snapshot(cell, f"zone:{town.zone_id}"))
        await town.clock.sleep(50)
        await town.cells.kill(cell)
        with pytest.raises(CellUnavailable):
            await watching
        await town.cells.wake()
        return _code(await asking)

    assert in_a_town(story) == "temporarily_unavailable"


def test_a_killed_cell_rings_and_plans_no_more() -> None:
    async def story(town: Town) -> tuple[int, int]:
        town.thinker.takes_ms = 3_000
        await town.courier()
        order = await town.order()
        await town.clock.sleep(2_500)
        assert town.thinker.together == 1
        await town.cells.kill(await town.cell())
        assert town.thinker.together == 0
        told = len(town.noticed.batches)
        await town.clock.sleep(60 * SECOND_MS)
        silent = len(town.noticed.batches) - told
        offers = len(await town.store.list_offers_for(order))
        await town.cells.wake()
        return silent, offers

    assert in_a_town(story) == (0, 0)


def test_a_bug_ends_the_cell_and_whoever_asks_hears_of_it() -> None:
    async def story(town: Town) -> None:
        await town.courier()
        await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        for _ in range(2):
            with pytest.RaisesGroup(
                pytest.RaisesGroup(pytest.RaisesExc(AssertionError, match="breaks its rules"))
            ):
                await town.cells.health(await town.cell())
        await town.cells.kill(await town.cell())
        await town.cells.wake()

    in_a_town(story, solver=Faulty())


def test_a_bug_in_a_rule_ends_the_cell_too() -> None:
    async def story(town: Town) -> None:
        courier = await town.courier()
        cell = town.cells._homes[await town.cell()].cell
        del cell._commands._table[TakeBreak]
        with pytest.raises(KeyError):
            await town.send(TakeBreak(courier_id=courier), town.as_courier(courier))
        with pytest.RaisesGroup(KeyError):
            await town.cells.health(await town.cell())
        await town.crash()

    in_a_town(story)
