"""Questions to a cell travel together: none is answered with what is older, and none waits long."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.bus import CellUnavailable
from actors.lanes import LanedCells
from actors.settings import RuntimeSettings
from engine.kernel.ids import CellId
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from storage.live import Publication
from tests.actors.unasked import OnlySnapshots

CELL = CellId("845355dffffffff")
CALL_MS = 10
TIMEOUT_MS = 5_000


class Asked(OnlySnapshots):
    """A cell that knows a version of everything, as it is when a call arrives.

    It is away while `away_until` is in the future: then a call ends in the time-out.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.version = 1
        self.away_until = 0
        self.fault: Exception | None = None
        self.unknown: set[str] = set()
        self.calls: list[list[str]] = []
        self.under_way = 0

    async def snapshots(self, cell: CellId, channels: Sequence[str]) -> list[Publication | None]:
        self.calls.append(list(channels))
        self.under_way += 1
        assert self.under_way == 1
        assert len(channels) <= 64
        assert max(Counter(channels).values()) == 1
        version = self.version
        is_away = self._clock.now() < self.away_until
        await self._clock.sleep(TIMEOUT_MS if is_away else CALL_MS)
        self.under_way -= 1
        if is_away:
            raise CellUnavailable(cell)
        if self.fault is not None:
            raise self.fault
        return [None if one in self.unknown else a_state(one, version) for one in channels]


def a_state(channel: str, version: int) -> Publication:
    return Publication(channel=channel, kind="state", version=version, body={})


class Edge:
    """Whoever asks, and when each was told what."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.clock = VirtualClock(loop, starts_at=0)
        self.cell = Asked(self.clock)
        self.cells = LanedCells(self.cell, self.clock, RuntimeSettings())

    def ask(self, *channels: str) -> list[asyncio.Task[Publication | None]]:
        return [asyncio.ensure_future(self.cells.snapshot(CELL, one)) for one in channels]


async def told(asked: Sequence[asyncio.Task[Publication | None]]) -> list[Any]:
    return await asyncio.gather(*asked, return_exceptions=True)


def test_what_is_asked_at_once_travels_together_and_each_is_told_his_own() -> None:
    names = [f"courier:{number}" for number in range(200)]

    async def main(loop: VirtualLoop) -> tuple[Edge, list[Any]]:
        edge = Edge(loop)
        edge.cell.unknown = {"courier:7"}
        return edge, await told(edge.ask(*names))

    edge, answers = run_virtually(main)
    assert [len(one) for one in edge.cell.calls] == [64, 64, 64, 8]
    assert edge.clock.now() == 4 * CALL_MS
    assert answers == [None if one == "courier:7" else a_state(one, 1) for one in names]


def test_who_asks_alone_waits_for_nobody_and_what_is_asked_meanwhile_leaves_next() -> None:
    async def main(loop: VirtualLoop) -> Edge:
        edge = Edge(loop)
        first = edge.ask("a")
        await edge.clock.sleep(1)
        await told([*first, *edge.ask("b", "c", "b")])
        return edge

    edge = run_virtually(main)
    assert edge.cell.calls == [["a"], ["b", "c"]]


def test_nobody_is_told_what_was_asked_for_before_he_asked() -> None:
    async def main(loop: VirtualLoop) -> list[Any]:
        edge = Edge(loop)
        before = edge.ask("a")
        await edge.clock.sleep(1)
        edge.cell.version = 2
        return await told([*before, *edge.ask("a")])

    assert [one.version for one in run_virtually(main)] == [1, 2]


def test_who_goes_away_takes_nobody_with_him_and_is_not_asked_for() -> None:
    async def main(loop: VirtualLoop) -> tuple[Edge, list[Any]]:
        edge = Edge(loop)
        under_way = edge.ask("a", "a")
        await edge.clock.sleep(1)
        waiting = edge.ask("b", "b", "gone")
        await edge.clock.sleep(1)
        for one in (under_way[0], waiting[0], waiting[2]):
            one.cancel()
        return edge, await told([under_way[1], waiting[1]])

    edge, answers = run_virtually(main)
    assert edge.cell.calls == [["a"], ["b"]]
    assert answers == [a_state("a", 1), a_state("b", 1)]


def test_a_cell_that_is_away_costs_all_who_ask_one_timeout_and_is_asked_a_second_later() -> None:
    async def main(loop: VirtualLoop) -> tuple[list[list[Any]], list[int], Edge]:
        edge = Edge(loop)
        edge.cell.away_until = 1
        found, at = [], []
        for pause_ms in (0, 999, 1):
            await edge.clock.sleep(pause_ms)
            found.append(await told(edge.ask(*(str(number) for number in range(1_000)))))
            at.append(edge.clock.now())
        return found, at, edge

    (away, refused, answered), at, edge = run_virtually(main)
    assert all(isinstance(one, CellUnavailable) for one in (*away, *refused))
    assert [one.version for one in answered] == [1] * 1_000
    assert at[:2] == [TIMEOUT_MS, TIMEOUT_MS + 999]
    assert len(edge.cell.calls) == 1 + 16


def test_whoever_waits_hears_of_a_bug_and_the_lane_goes_on() -> None:
    async def main(loop: VirtualLoop) -> tuple[list[Any], list[Any]]:
        edge = Edge(loop)
        edge.cell.fault = KeyError("a bug")
        failed = edge.ask("a", "b")
        await edge.clock.sleep(1)
        well = edge.ask("c")
        await told(failed)
        edge.cell.fault = None
        return await told(failed), await told(well)

    failed, well = run_virtually(main)
    assert all(isinstance(one, KeyError) for one in failed)
    assert well == [a_state("c", 1)]


def test_questions_beyond_a_bound_are_refused_at_once() -> None:
    async def main(loop: VirtualLoop) -> Counter[str]:
        edge = Edge(loop)
        answers = await told(edge.ask(*(str(number) for number in range(20_100))))
        return Counter(type(one).__name__ for one in answers)

    assert run_virtually(main) == {"Publication": 20_000, "CellUnavailable": 100}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 70)),
        st.tuples(st.just("change"), st.just(1)),
        st.tuples(st.just("wait"), st.sampled_from((0, 1, 7, 11, 400))),
        st.tuples(st.just("leave"), st.integers(0, 20)),
        st.tuples(st.just("away"), st.sampled_from((1, 2_000, 9_000))),
    ),
    max_size=30,
)


class Crowd:
    """Who asks, leaves and changes things; each looks at what he is told, and when."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.edge = Edge(loop)
        self.asking: list[asyncio.Task[None]] = []

    async def step(self, what: str, number: int) -> None:
        edge = self.edge
        match what:
            case "ask":
                for one in {number, *range(0, number, 3)}:
                    self.asking.append(asyncio.ensure_future(self._watch(str(one))))
            case "change":
                edge.cell.version += 1
            case "wait":
                await edge.clock.sleep(number)
            case "leave" if number < len(self.asking):
                self.asking[number].cancel()
            case "away":
                edge.cell.away_until = edge.clock.now() + number
            case _:
                pass

    async def _watch(self, channel: str) -> None:
        edge = self.edge
        version, since = edge.cell.version, edge.clock.now()
        with suppress(CellUnavailable):
            shown = await edge.cells.snapshot(CELL, channel)
            assert shown is not None
            assert shown.channel == channel
            assert version <= shown.version <= edge.cell.version
        assert edge.clock.now() <= since + TIMEOUT_MS + 3 * CALL_MS


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_each_is_told_soon_and_nothing_older_than_his_question(
    steps: list[tuple[str, int]],
) -> None:
    async def main(loop: VirtualLoop) -> list[BaseException | None]:
        crowd = Crowd(loop)
        for what, number in steps:
            await crowd.step(what, number)
        return await asyncio.gather(*crowd.asking, return_exceptions=True)

    for one in run_virtually(main):
        assert one is None or isinstance(one, asyncio.CancelledError), one
