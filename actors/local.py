"""Cells in this process, the same classes without Ray: for simulations, tests and small sites."""

import asyncio
from dataclasses import dataclass

from actors.bus import Astray, Bus, CellUnavailable
from actors.cell import Cell, World
from engine.kernel.ids import CellId, CourierId
from engine.kernel.messages import Envelope
from storage.live import Fix, Publication
from storage.store import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    """A cell, its life, and the event that says that it serves."""

    cell: Cell
    life: asyncio.Task[None]
    started: asyncio.Event


class LocalCells:
    """Creates cells on demand; a cell that fails takes everything with it, for that is a bug."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._homes: dict[CellId, _Home] = {}

    async def execute(self, cell: CellId, envelope: Envelope) -> Answer:
        """Have a cell carry out a command."""
        home = await self._cell(cell)
        return (await home.execute([envelope]))[0]

    def report_position(
        self, cell: CellId, courier_id: CourierId, fix: Fix, astray: Astray
    ) -> None:
        """Pass a position on at once; whose it was not, `astray` hears."""
        home = self._homes.get(cell)
        if home is not None and home.cell.report_positions([(courier_id, fix)]):
            astray(courier_id, fix)

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
        life = self._homes.pop(cell).life
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)

    async def close(self) -> None:
        """End all cells."""
        for cell in list(self._homes):
            await self.kill(cell)

    async def _cell(self, cell_id: CellId) -> Cell:
        home = self._homes.get(cell_id)
        if home is None:
            home = self._homes[cell_id] = self._start(cell_id)
        starting = asyncio.ensure_future(home.started.wait())
        try:
            await asyncio.wait({starting, home.life}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
        if home.life.done() and not home.life.cancelled():
            home.life.result()
        if home.life.done():
            raise CellUnavailable(cell_id)
        return home.cell

    def _start(self, cell_id: CellId) -> _Home:
        cell, started = Cell(cell_id, self._world), asyncio.Event()
        life = asyncio.ensure_future(cell.run(started))
        return _Home(cell=cell, life=life, started=started)


def local_bus(world: World) -> tuple[Bus, LocalCells]:
    """A bus whose cells live in this process."""
    cells = LocalCells(world)
    return Bus(world.store, cells, world.settings.placement_resolution), cells
