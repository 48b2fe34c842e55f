"""The lanes: order kept, calls shared, a restarting cell asked again until the deadline."""

import asyncio
from collections.abc import Sequence

import pytest

from actors.bus import CellUnavailable
from actors.clock import Clock
from actors.lanes import LanedCells
from actors.settings import RuntimeSettings
from engine.couriers.messages import GoOffDuty
from engine.kernel.ids import CellId, CommandId, CourierId
from engine.kernel.messages import SYSTEM_CALLER, Envelope
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
        self.positions: list[list[tuple[CourierId, Fix]]] = []
        self.strangers: set[CourierId] = set()

    async def execute(self, cell: CellId, envelopes: Sequence[Envelope]) -> list[Answer]:
        await self._clock.sleep(self.takes_ms)
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

    async def snapshot(self, cell: CellId, channel: str) -> Publication | None:
        return None

    async def health(self, cell: CellId) -> str:
        return "ok"


def _envelope(number: int, deadline: int = 10_000) -> Envelope:
    return Envelope(
        id=CommandId(str(number)),
        command=GoOffDuty(courier_id=CourierId("c")),
        caller=SYSTEM_CALLER,
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
