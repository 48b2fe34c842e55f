"""Three lanes from the edge to each cell: commands, positions, and questions how things stand.

Commands travel in order and are answered; positions are packed, and the latest wins; questions
gather, for after a restart there is one for each of thousands of sockets.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from actors.answers import answer_to
from actors.bus import Astray, CellUnavailable
from actors.clock import Clock
from actors.settings import RuntimeSettings
from engine.kernel.ids import CellId, CourierId, UserId
from engine.kernel.messages import Envelope
from engine.kernel.refusals import DEADLINE_PASSED, UNAVAILABLE
from engine.kernel.timing import SECOND_MS
from storage.live import Fix, Publication
from storage.pumps import Pumps
from storage.store import Answer
from storage.together import Together

_Waiting = tuple[Envelope, asyncio.Future[Answer]]
# So many that what a call costs by itself is little beside them, and so few that the edge, at which
# thrice as many may be, has one ready when another returns.
_BATCH_MAX = 128
_CALLS_AT_ONCE = 2
_AGAIN_MS = 150
_GAP_MS_MAX = 100
_CALLS_REMEMBERED = 4
# A snapshot holds the cell for some 20 µs and the edge for some 45 (docs/benchmarks.md); nothing
# else is heard meanwhile.
_SNAPSHOTS_MAX = 64
_QUESTIONS_WAITING_MAX = 20_000


class CellCalls(Protocol):
    """One remote call each; all raise CellUnavailable."""

    async def execute(self, cell: CellId, envelopes: Sequence[Envelope]) -> list[Answer]:
        """Answers in the order of the envelopes."""
        ...

    async def report_positions(
        self, cell: CellId, fixes: Sequence[tuple[CourierId, Fix]]
    ) -> Sequence[CourierId]:
        """Pass positions on; whose were not taken, for he is not on duty there."""
        ...

    async def snapshots(self, cell: CellId, channels: Sequence[str]) -> list[Publication | None]:
        """The present states of channels, in their order."""
        ...

    async def health(self, cell: CellId) -> str:
        """`ok` or what is wrong."""
        ...


class CommandLane:
    """While some calls are under way the next commands gather.

    Two calls may be: while a cell waits for one to be stored it decides the other. None takes all
    that waits: else, where nobody asks again before he is answered, all would travel together, and
    edge and cell rest in turn. What one caller asked is never in two calls at once, so that his
    commands arrive in his order even when a call fails. A cell that restarts is asked again until a
    command's deadline, for every command carries the id that makes a repetition harmless.
    """

    def __init__(
        self, cell: CellId, calls: CellCalls, clock: Clock, settings: RuntimeSettings
    ) -> None:
        self._cell = cell
        self._calls = calls
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiting_max = settings.commands_waiting_max
        self._waiting: list[_Waiting] = []
        self._asking: set[UserId] = set()
        self._pumps = Pumps(self._call_with_what_waits, at_once=_CALLS_AT_ONCE)

    def execute(self, envelope: Envelope) -> asyncio.Future[Answer]:
        """The answer, or a refusal when the lane is full or the deadline passes."""
        answered: asyncio.Future[Answer] = self._loop.create_future()
        if len(self._waiting) >= self._waiting_max:
            answered.set_result(answer_to(envelope, UNAVAILABLE()))
            return answered
        self._waiting.append((envelope, answered))
        self._pumps.start(len(self._waiting))
        return answered

    async def _call_with_what_waits(self) -> None:
        while self._pumps.is_worth_it(len(self._waiting)) and (batch := self._next_batch()):
            callers = {one.caller.user_id for one, _ in batch}
            self._asking |= callers
            is_away = False
            try:
                with self._pumps.under_way(len(batch)):
                    self._pumps.start(len(self._waiting))
                    answers = await self._calls.execute(self._cell, [one for one, _ in batch])
            except CellUnavailable:
                self._waiting = [*self._in_time(batch), *self._waiting]
                is_away = True
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of a bug, too
                _fail(batch, error)
            else:
                for (_, answered), answer in zip(batch, answers, strict=True):
                    if not answered.done():
                        answered.set_result(answer)
            finally:
                self._asking -= callers
            if is_away:
                await self._clock.sleep(_AGAIN_MS * self._clock.speed)

    def _next_batch(self) -> list[_Waiting]:
        """What may leave now, in the order in which it came."""
        if not self._asking:
            batch, self._waiting = self._waiting[:_BATCH_MAX], self._waiting[_BATCH_MAX:]
            return batch
        batch, rest = [], list[_Waiting]()
        for one in self._waiting:
            is_asking = one[0].caller.user_id in self._asking
            (rest if is_asking or len(batch) == _BATCH_MAX else batch).append(one)
        self._waiting = rest
        return batch

    def _in_time(self, batch: list[_Waiting]) -> list[_Waiting]:
        """Those that may still be asked again; the others are told that their time is over."""
        now = self._clock.now()
        kept = []
        for envelope, answered in batch:
            if answered.done():
                continue
            if now < envelope.deadline:
                kept.append((envelope, answered))
            else:
                answered.set_result(answer_to(envelope, DEADLINE_PASSED()))
        return kept


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for _, answered in batch:
        if not answered.done():
            answered.set_exception(error)


class PositionLane:
    """The newest position of every courier leaves with the next call.

    That call leaves when the last returned and as long again is over, so that a cell which is busy
    is called more seldom, with more in each call. Of the last calls the shortest counts: a cell
    that was held once is not busy, and what waited for it must not wait twice as long.
    """

    def __init__(
        self, cell: CellId, calls: CellCalls, clock: Clock, settings: RuntimeSettings
    ) -> None:
        self._cell = cell
        self._calls = calls
        self._clock = clock
        self._gap_ms = settings.positions_gap_ms * clock.speed
        self._gap_ms_max = _GAP_MS_MAX * clock.speed
        self._newest: dict[CourierId, Fix] = {}
        self._astray: dict[CourierId, Astray] = {}
        self._took_ms: deque[int] = deque(maxlen=_CALLS_REMEMBERED)
        self._pump: asyncio.Task[None] | None = None

    def report(self, courier_id: CourierId, fix: Fix, astray: Astray) -> None:
        """Take a position."""
        self._newest[courier_id] = fix
        self._astray[courier_id] = astray
        if self._pump is None or self._pump.done():
            self._pump = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while self._newest:
            newest, self._newest = self._newest, {}
            began = self._clock.now()
            astray, self._astray = self._astray, {}
            try:
                strangers = await self._calls.report_positions(self._cell, list(newest.items()))
            except CellUnavailable:
                # These are old by the time the cell is back; newer ones follow.
                await self._clock.sleep(_AGAIN_MS * self._clock.speed)
                continue
            for one in strangers:
                astray[one](one, newest[one])
            self._took_ms.append(self._clock.now() - began)
            shortest_ms = min(self._took_ms)
            await self._clock.sleep(max(self._gap_ms, min(shortest_ms, self._gap_ms_max)))


class SnapshotLane:
    """While some channels are asked for the next ones gather.

    A cell that does not answer is not asked for a second: whoever waits for it, or asks meanwhile,
    hears so at once. Else those who wait behind each other would wait for one time-out each.
    """

    def __init__(self, cell: CellId, calls: CellCalls, clock: Clock) -> None:
        self._cell = cell
        self._calls = calls
        self._clock = clock
        self._away_until = clock.now()
        self._questions = Together(self._ask, most=_SNAPSHOTS_MAX)

    async def snapshot(self, channel: str) -> Publication | None:
        """A channel's present state, not older than the question; raises CellUnavailable."""
        if self._clock.now() < self._away_until:
            raise CellUnavailable(f"{self._cell} did not answer just now")
        if self._questions.waiting >= _QUESTIONS_WAITING_MAX:
            raise CellUnavailable(f"too many questions wait for {self._cell}")
        return await self._questions.find(channel)

    async def _ask(self, channels: Sequence[str]) -> dict[str, Publication]:
        try:
            told = await self._calls.snapshots(self._cell, channels)
        except CellUnavailable as error:
            self._away_until = self._clock.now() + int(SECOND_MS * self._clock.speed)
            self._questions.give_up(error)
            raise
        return {one: shown for one, shown in zip(channels, told, strict=True) if shown is not None}


class LanedCells:
    """Cells behind calls that cost something each: everything for a cell shares them."""

    def __init__(self, calls: CellCalls, clock: Clock, settings: RuntimeSettings) -> None:
        self._calls = calls
        self._clock = clock
        self._settings = settings
        self._commands: dict[CellId, CommandLane] = {}
        self._positions: dict[CellId, PositionLane] = {}
        self._snapshots: dict[CellId, SnapshotLane] = {}

    def execute(self, cell: CellId, envelope: Envelope) -> asyncio.Future[Answer]:
        """Have a cell carry out a command."""
        lane = self._commands.get(cell)
        if lane is None:
            lane = CommandLane(cell, self._calls, self._clock, self._settings)
            self._commands[cell] = lane
        return lane.execute(envelope)

    def report_position(
        self, cell: CellId, courier_id: CourierId, fix: Fix, astray: Astray
    ) -> None:
        """Pass a position on with the next call; whose it was not, `astray` hears."""
        lane = self._positions.get(cell)
        if lane is None:
            lane = PositionLane(cell, self._calls, self._clock, self._settings)
            self._positions[cell] = lane
        lane.report(courier_id, fix, astray)

    async def snapshot(self, cell: CellId, channel: str) -> Publication | None:
        """Ask a cell for a channel's present state, with all who ask it at the moment."""
        lane = self._snapshots.get(cell)
        if lane is None:
            lane = self._snapshots[cell] = SnapshotLane(cell, self._calls, self._clock)
        return await lane.snapshot(channel)

    async def health(self, cell: CellId) -> str:
        """`ok` or what is wrong."""
        return await self._calls.health(cell)
