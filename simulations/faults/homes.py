"""Cells that crash and come back, behind a network that loses, doubles and delays."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

import numpy as np

from actors.bus import Astray, CellUnavailable
from actors.cell import World
from actors.fleet import read_fleet
from actors.local import LocalCells
from engine.couriers.courier import Courier
from engine.kernel.ids import CellId, CourierId
from engine.kernel.messages import Envelope
from engine.kernel.place import Point
from simulations.faults.misfortune import Misfortune
from simulations.faults.parts import Crash
from simulations.faults.truth import Truth
from storage.live import Fix, Publication
from storage.store import Answer

T = TypeVar("T")

_CALL_TIMEOUT_S = 5.0
_WATCH_MS = 3_000
_DOUBLE_LATEST_MS = 8_000
_ZOMBIE_LONGEST_MS = 20_000


class Life:
    """One life of a cell, from a start to a crash."""

    def __init__(self, cell: CellId, number: int) -> None:
        self.cell, self.number = cell, number
        self.cells: LocalCells | None = None

    def __str__(self) -> str:
        return f"{self.cell[:6]} life {self.number}"


class Homes:
    """Satisfies `Cells`: each life of a cell has a world of its own, made by `world_of`."""

    def __init__(
        self,
        misfortune: Misfortune,
        truth: Truth,
        world_of: Callable[[Crash], World],
    ) -> None:
        self._misfortune, self._truth, self._world_of = misfortune, truth, world_of
        self._lives: dict[CellId, Life] = {}
        self._numbers: dict[CellId, int] = {}

    # The way in

    async def execute(self, cell: CellId, envelope: Envelope) -> Answer:
        """Have a cell carry out a command; raises CellUnavailable."""
        odds, what = self._misfortune.odds, type(envelope.command).__name__
        self._misfortune.journal.note(f"ask {cell[:6]}: {what} {envelope.id[-6:]}")
        await self._misfortune.pause()
        if self._misfortune.happens(odds.call_lost, "call lost", what):
            raise await self._silence(cell)
        if self._misfortune.happens(odds.call_doubled, "call doubled", what):
            self._misfortune.begin(self._again(cell, envelope))
        answer = await self._in_time(cell, self._home(cell).execute(cell, envelope))
        await self._misfortune.pause()
        if self._misfortune.happens(odds.answer_lost, "answer lost", what):
            raise await self._silence(cell)
        self._truth.told(envelope, answer)
        return answer

    def report_position(
        self, cell: CellId, courier_id: CourierId, fix: Fix, astray: Astray
    ) -> None:
        """Pass a position on, or lose it."""
        if not self._misfortune.happens(self._misfortune.odds.call_lost, "position lost", ""):
            self._home(cell).report_position(cell, courier_id, fix, astray)

    async def snapshot(self, cell: CellId, channel: str) -> Publication | None:
        """A channel's present state; raises CellUnavailable."""
        await self._misfortune.pause()
        if self._misfortune.happens(self._misfortune.odds.call_lost, "question lost", channel):
            raise await self._silence(cell)
        shown = await self._in_time(cell, self._home(cell).snapshot(cell, channel))
        if shown is not None:
            self._truth.published(shown)
        await self._misfortune.pause()
        return shown

    async def health(self, cell: CellId) -> str:
        """`ok` or what is wrong."""
        return await self._in_time(cell, self._home(cell).health(cell))

    async def who_hold(self, channel: str) -> list[CellId]:
        """The cells that hold a zone, or a courier on duty."""
        alive = [(cell, life.cells) for cell, life in self._lives.items() if life.cells]
        return [cell for cell, cells in alive if await cells.snapshot(cell, channel)]

    async def where(self, courier: Courier) -> Point | None:
        """Where the cell that has him sees a courier at this moment; None where nobody does."""
        for cell in await self.who_hold(f"courier:{courier.id}"):
            shown = await self._home(cell).snapshot(cell, f"fleet:{courier.zone_id}")
            rows = read_fleet(shown.body["packed"] if shown else b"")
            for row in rows[rows["id"] == np.void(UUID(courier.id).bytes)]:
                return Point(lat=float(row["lat"]) / 1e7, lng=float(row["lng"]) / 1e7)
        return None

    async def _again(self, cell: CellId, envelope: Envelope) -> None:
        """The network delivers it once more, some time later; nobody hears the answer."""
        await self._misfortune.clock.sleep(self._misfortune.up_to(_DOUBLE_LATEST_MS))
        await self._home(cell).execute(cell, envelope)

    async def _in_time(self, cell: CellId, asked: Coroutine[Any, Any, T]) -> T:
        """The answer, if it comes in time; what was asked goes on although nobody waits for it."""
        task = self._misfortune.begin(asked)
        await asyncio.wait({task}, timeout=_CALL_TIMEOUT_S)
        if not task.done() or task.cancelled() or task.exception():
            raise CellUnavailable(cell)
        return task.result()

    async def _silence(self, cell: CellId) -> CellUnavailable:
        await self._misfortune.clock.sleep(_CALL_TIMEOUT_S * 1000)
        return CellUnavailable(cell)

    # Life and death

    async def watch(self, list_cells: Callable[[], Awaitable[tuple[CellId, ...]]]) -> None:
        """Start every cell that has a zone again when it has crashed."""
        while True:
            for cell in await list_cells():
                self._misfortune.begin(self._woken(cell))
            await self._misfortune.clock.sleep(_WATCH_MS)

    async def _woken(self, cell: CellId) -> None:
        await self.health(cell)

    async def close(self) -> None:
        """End all cells."""
        for life in list(self._lives.values()):
            assert life.cells is not None
            await life.cells.close()

    def _home(self, cell: CellId) -> LocalCells:
        life = self._lives.get(cell)
        if life is None:
            life = self._lives[cell] = self._born(cell)
        assert life.cells is not None
        return life.cells

    def _born(self, cell: CellId) -> Life:
        number = self._numbers[cell] = self._numbers.get(cell, 0) + 1
        life = Life(cell, number)
        self._misfortune.journal.note(f"{life} begins")

        async def crash(where: str) -> None:
            await self._perhaps_crash(life, where)

        life.cells = LocalCells(self._world_of(crash))
        return life

    async def _perhaps_crash(self, life: Life, where: str) -> None:
        odds = self._misfortune.odds
        if self._lives.get(life.cell) is not life:
            return  # A zombie dies when its time has come.
        if not self._misfortune.happens(odds.crash, "crash", f"of {life} {where}"):
            return
        del self._lives[life.cell]
        assert life.cells is not None
        if self._misfortune.happens(odds.zombie, "zombie", str(life)):
            self._misfortune.begin(self._die_later(life.cells))
            return
        self._misfortune.begin(life.cells.close())
        await asyncio.Event().wait()

    async def _die_later(self, cells: LocalCells) -> None:
        await self._misfortune.clock.sleep(self._misfortune.up_to(_ZOMBIE_LONGEST_MS))
        await cells.close()
