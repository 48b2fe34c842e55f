"""Whoever keeps cells awake: a cell that was restarted serves without being called."""

import asyncio
from contextlib import suppress
from typing import Final

from actors.clock import Clock
from actors.lanes import CellCalls
from storage.store import Store, StoreUnavailable

_WATCH_MS: Final = 1_000


class Watch:
    """Asks every cell that has a zone how it is.

    So a cell that was restarted serves without being called.
    """

    def __init__(self, store: Store, calls: CellCalls, clock: Clock) -> None:
        self._store = store
        self._calls = calls
        self._clock = clock

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            with suppress(StoreUnavailable):
                cells = await self._store.list_cells()
                await asyncio.gather(
                    *(self._calls.health(one) for one in cells), return_exceptions=True
                )
            await self._clock.sleep(_WATCH_MS * self._clock.speed)
