"""Cells in this process, the same classes without Ray: for simulations, tests and small sites."""

import asyncio

from actors.bus import Bus, CellUnavailable
from actors.cell import Cell, World
from engine.kernel.ids import CellId, CourierId
from engine.kernel.messages import Envelope
from storage.live import Fix, Publication
from storage.store import Answer


class LocalCells:
    """Creates cells on demand; a cell that fails takes everything with it, for that is a bug."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cells: dict[CellId, Cell] = {}
        self._started: dict[CellId, asyncio.Event] = {}
        self._tasks: dict[CellId, asyncio.Task[None]] = {}

    async def execute(self, cell: CellId, envelope: Envelope) -> Answer:
        """Have a cell carry out a command."""
        home = await self._cell(cell)
        return (await home.execute([envelope]))[0]

    def report_position(self, cell: CellId, courier_id: CourierId, fix: Fix) -> None:
        """Pass a position on at once."""
        home = self._cells.get(cell)
        if home is not None:
            home.report_positions([(courier_id, fix)])

    async def snapshot(self, cell: CellId, channel: str) -> Publication | None:
        """Ask a cell for a channel's present state."""
        return (await self._cell(cell)).snapshot(channel)

    async def health(self, cell: CellId) -> str:
        """`ok` or what is wrong."""
        return (await self._cell(cell)).health()

    async def wake(self) -> None:
        """Start every cell that has a zone, so that its timers run."""
        for cell in await self._world.store.list_cells():
            await self._cell(cell)

    async def kill(self, cell: CellId) -> None:
        """End a cell as a crash would: all is forgotten, and it is started anew when next asked."""
        task = self._tasks.pop(cell)
        del self._cells[cell], self._started[cell]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """End all cells."""
        for cell in list(self._tasks):
            await self.kill(cell)

    async def _cell(self, cell: CellId) -> Cell:
        if cell not in self._cells:
            home = Cell(cell, self._world)
            started = asyncio.Event()
            self._cells[cell], self._started[cell] = home, started
            self._tasks[cell] = asyncio.ensure_future(home.run(started))
        started_wait = asyncio.ensure_future(self._started[cell].wait())
        task = self._tasks[cell]
        await asyncio.wait({started_wait, task}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            started_wait.cancel()
            task.result()
            raise CellUnavailable(cell)
        return self._cells[cell]


def local_bus(world: World) -> tuple[Bus, LocalCells]:
    """A bus whose cells live in this process."""
    cells = LocalCells(world)
    return Bus(world.store, cells, world.settings.placement_resolution), cells
