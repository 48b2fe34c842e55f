"""The lanes: order kept, calls shared, a restarting cell asked again until the deadline."""

import asyncio
from collections.abc import Sequence

import pytest

from actors.bus import CellUnavailable
from actors.clock import Clock
from actors.lanes import LanedCells
from actors.settings import RuntimeSettings
from engine.couriers.messages import GoOffDuty
from engine.kernel.ids import CellId, CommandId, CourierId, UserId
from engine.kernel.messages import SYSTEM_CALLER, Caller, Envelope, Role
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from storage.live import Fix, Publication
from storage.store import Answer

CELL = CellId("845355dffffffff")


class SlowCalls:
    """A cell whose every call takes a while; it is away while `away_until` is in the future."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.takes_ms = 10
        self.away_until = 0
        self.fault: Exception | None = None
        self.calls: list[list[CommandId]] = []
        self.rested_ms = 0
        self._under_way = self._ended_at = 0
        self.positions: list[list[tuple[CourierId, Fix]]] = []
        self.strangers: set[CourierId] = set()

    async def execute(self, cell: CellId, envelopes: Sequence[Envelope]) -> list[Answer]:
        if self._under_way == 0:
            self.rested_ms += self._clock.now() - self._ended_at
        self._under_way += 1
        await self._clock.sleep(self.takes_ms)
        self._under_way -= 1
        self._ended_at = self._clock.now()
        if self._clock.now() < self.away_until:
            raise CellUnavailable(cell)
        if self.fault is not None:
            raise self.fault
        self.calls.append([one.id for one in envelopes])
        return [Answer(command_id=one.id, fingerprint="") for one in envelopes]

    async def report_positions(
        self, cell: CellId, fixes: Sequence[tuple[CourierId, Fix]]
    ) -> Sequence[CourierId]:
        await self._clock.sleep(self.takes_ms)
        self.positions.append(list(fixes))
        return [one for one, _ in fixes if one in self.strangers]

    async def snapshots(self, cell: CellId, channels: Sequence[str]) -> list[Publication | None]:
        return [None for _ in channels]

    async def health(self, cell: CellId) -> str:
        return "ok"


def _envelope(number: int, deadline: int = 10_000, *, by: str = "") -> Envelope:
    somebody = Caller(user_id=UserId(by), role=Role.COURIER)
    return Envelope(
        id=CommandId(str(number)),
        command=GoOffDuty(courier_id=CourierId("c")),
        caller=somebody if by else SYSTEM_CALLER,
        deadline=deadline,
    )


def _fix(at: int) -> Fix:
    return Fix(lat=24.7, lng=46.7, at=at, accuracy_m=5.0)


def test_commands_gather_while_a_call_is_under_way_and_keep_their_order() -> None:
    async def main(loop: VirtualLoop) -> tuple[list[list[CommandId]], list[Answer]]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        cells = LanedCells(calls, clock, RuntimeSettings())
        first = asyncio.ensure_future(cells.execute(CELL, _envelope(0)))
        await clock.sleep(1)
        rest = [asyncio.ensure_future(cells.execute(CELL, _envelope(n))) for n in range(1, 8)]
        return calls.calls, await asyncio.gather(first, *rest)

    calls, answers = run_virtually(main)
    assert calls == [["0"], ["1", "2", "3", "4", "5", "6", "7"]]
    assert [one.command_id for one in answers] == [str(n) for n in range(8)]


def test_two_calls_are_under_way_but_what_one_caller_asks_stays_in_his_order() -> None:
    async def main(loop: VirtualLoop) -> tuple[list[list[CommandId]], int]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        cells = LanedCells(calls, clock, RuntimeSettings())
        asked = []
        for number, by in enumerate("abacdab"):
            asked.append(asyncio.ensure_future(cells.execute(CELL, _envelope(number, by=by))))
            await clock.sleep(1)
        await asyncio.gather(*asked)
        return calls.calls, clock.now()

    calls, took_ms = run_virtually(main)
    # The third is a's again, and so waits with those that came later until the first is back; the
    # last is not worth a call beside that of four.
    assert calls == [["0"], ["1"], ["2", "3", "4", "5"], ["6"]]
    assert took_ms == 30


def test_a_cell_has_another_call_while_the_answers_to_one_are_read() -> None:
    """Nobody asks again before he is answered, and whoever reads an answer takes his time."""

    async def main(loop: VirtualLoop) -> tuple[list[int], int]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        cells = LanedCells(calls, clock, RuntimeSettings())

        async def ask_again_and_again(by: int) -> None:
            for number in range(10):
                await cells.execute(CELL, _envelope(number, by=str(by)))
                await clock.sleep(3)

        await asyncio.gather(*(ask_again_and_again(by) for by in range(384)))
        return [len(one) for one in calls.calls], calls.rested_ms

    sizes, rested_ms = run_virtually(main)
    assert sum(sizes) == 3840
    assert max(sizes) == 128
    assert rested_ms <= 3


def test_what_one_call_leaves_over_leaves_beside_it() -> None:
    async def main(loop: VirtualLoop) -> tuple[list[int], int]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        cells = LanedCells(calls, clock, RuntimeSettings())
        await asyncio.gather(*(cells.execute(CELL, _envelope(n, by=str(n))) for n in range(300)))
        return [len(one) for one in calls.calls], clock.now()

    assert run_virtually(main) == ([128, 128, 44], 20)


def test_nobody_is_forgotten_who_asks_at_the_moment_when_both_calls_are_over() -> None:
    async def main(loop: VirtualLoop) -> int:
        clock = VirtualClock(loop, starts_at=0)
        cells = LanedCells(SlowCalls(clock), clock, RuntimeSettings())

        async def ask_twice() -> None:
            for number in range(2):
                await cells.execute(CELL, _envelope(number, by="a"))

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tasks.create_task(ask_twice())
            for _ in range(3):
                await clock.sleep(0)
            await cells.execute(CELL, _envelope(2, by="b"))
        return clock.now()

    assert run_virtually(main) == 20


def test_a_caller_is_not_overtaken_by_himself_when_a_call_fails() -> None:
    async def main(loop: VirtualLoop) -> list[CommandId]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        calls.away_until = 25
        cells = LanedCells(calls, clock, RuntimeSettings())
        asked = []
        for number in range(30):
            by = "abc"[number % 3]
            asked.append(asyncio.ensure_future(cells.execute(CELL, _envelope(number, by=by))))
            await clock.sleep(2)
        await asyncio.gather(*asked)
        return [one for call in calls.calls for one in call]

    carried_out = [int(one) for one in run_virtually(main)]
    assert sorted(carried_out) == list(range(30))
    for caller in range(3):
        his = [one for one in carried_out if one % 3 == caller]
        assert his == sorted(his)


def test_a_cell_that_restarts_is_asked_again_and_the_caller_only_waits() -> None:
    async def main(loop: VirtualLoop) -> tuple[Answer, int]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        calls.away_until = 3000
        answer = await LanedCells(calls, clock, RuntimeSettings()).execute(CELL, _envelope(1))
        return answer, clock.now()

    answer, at = run_virtually(main)
    assert answer.refusal is None
    assert 3000 <= at < 3400


def test_a_command_whose_deadline_passes_is_told_so() -> None:
    async def main(loop: VirtualLoop) -> Answer:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        calls.away_until = 60_000
        return await LanedCells(calls, clock, RuntimeSettings()).execute(CELL, _envelope(1, 500))

    answer = run_virtually(main)
    assert answer.refusal is not None
    assert answer.refusal.code == "deadline_passed"


def test_a_full_lane_refuses_at_once() -> None:
    async def main(loop: VirtualLoop) -> list[str]:
        clock = VirtualClock(loop, starts_at=0)
        cells = LanedCells(SlowCalls(clock), clock, RuntimeSettings(commands_waiting_max=3))
        answers = await asyncio.gather(*(cells.execute(CELL, _envelope(n)) for n in range(5)))
        return ["ok" if one.refusal is None else one.refusal.code for one in answers]

    assert run_virtually(main) == ["ok"] * 3 + ["temporarily_unavailable"] * 2


def test_whoever_waits_hears_of_a_bug_and_the_lane_goes_on() -> None:
    async def main(loop: VirtualLoop) -> tuple[Answer | BaseException, Answer | BaseException]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        cells = LanedCells(calls, clock, RuntimeSettings())
        calls.fault = KeyError("a bug")
        first = asyncio.ensure_future(cells.execute(CELL, _envelope(1)))
        await clock.sleep(1)
        second = asyncio.ensure_future(cells.execute(CELL, _envelope(2)))
        await clock.sleep(10)
        calls.fault = None
        return await asyncio.gather(first, second, return_exceptions=True)

    failed, answered = run_virtually(main)
    assert isinstance(failed, KeyError)
    assert isinstance(answered, Answer)


def test_a_position_of_somebody_who_works_elsewhere_comes_back() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[CourierId, Fix]]:
        clock = VirtualClock(loop, starts_at=0)
        calls, astray = SlowCalls(clock), list[tuple[CourierId, Fix]]()
        calls.strangers.add(CourierId("b"))
        cells = LanedCells(calls, clock, RuntimeSettings())
        for name in ("a", "b"):
            cells.report_position(
                CELL, CourierId(name), _fix(7), lambda one, fix: astray.append((one, fix))
            )
        await clock.sleep(100)
        return astray

    assert run_virtually(main) == [(CourierId("b"), _fix(7))]


def _nobody(courier_id: CourierId, _: Fix) -> None:
    raise AssertionError(f"{courier_id} is on duty here")


def test_of_many_positions_only_the_newest_of_each_courier_travels() -> None:
    async def main(loop: VirtualLoop) -> list[list[tuple[CourierId, Fix]]]:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        cells = LanedCells(calls, clock, RuntimeSettings())
        for at in range(1, 101):
            cells.report_position(CELL, CourierId("a"), _fix(at), _nobody)
            cells.report_position(CELL, CourierId("b"), _fix(at + 500), _nobody)
        await clock.sleep(100)
        cells.report_position(CELL, CourierId("a"), _fix(1000), _nobody)
        await clock.sleep(100)
        return calls.positions

    assert run_virtually(main) == [
        [(CourierId("a"), _fix(100)), (CourierId("b"), _fix(600))],
        [(CourierId("a"), _fix(1000))],
    ]


@pytest.mark.parametrize(("takes_ms", "calls_in_a_second"), [(2, 84), (50, 10), (400, 2)])
def test_a_busy_cell_is_told_positions_more_seldom(takes_ms: int, calls_in_a_second: int) -> None:
    async def main(loop: VirtualLoop) -> int:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        calls.takes_ms = takes_ms
        cells = LanedCells(calls, clock, RuntimeSettings())
        for at in range(1_000):
            cells.report_position(CELL, CourierId("a"), _fix(at), _nobody)
            await clock.sleep(1)
        return len(calls.positions)

    assert abs(run_virtually(main) - calls_in_a_second) <= 1


def test_a_cell_that_was_held_once_is_told_the_next_positions_as_soon_as_ever() -> None:
    async def main(loop: VirtualLoop) -> int:
        clock = VirtualClock(loop, starts_at=0)
        calls = SlowCalls(clock)
        calls.takes_ms = 2
        cells = LanedCells(calls, clock, RuntimeSettings())
        for at in range(200):
            cells.report_position(CELL, CourierId("a"), _fix(at), _nobody)
            await clock.sleep(1)
        await clock.sleep(20)
        before = len(calls.positions)
        calls.takes_ms = 60
        cells.report_position(CELL, CourierId("a"), _fix(200), _nobody)
        await clock.sleep(75)
        cells.report_position(CELL, CourierId("a"), _fix(201), _nobody)
        calls.takes_ms = 2
        await clock.sleep(15)
        return len(calls.positions) - before

    assert run_virtually(main) == 2
