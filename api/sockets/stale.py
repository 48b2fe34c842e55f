"""Channels whose watchers are to be told anew, each as soon as it can be."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable

from actors.clock import Clock
from engine.kernel.timing import SECOND_MS


class Stale:
    """`tell` says whether it could; what could not be told is told again a second later.

    Only what is `watched` is told.
    """

    def __init__(
        self, tell: Callable[[str], Awaitable[bool]], *, watched: Container[str], wall: Clock
    ) -> None:
        self._tell, self._watched, self._wall = tell, watched, wall
        self._marked: dict[str, None] = {}
        self._something = asyncio.Event()

    def mark(self, channels: Iterable[str]) -> None:
        """Something of these is new, or may have been missed."""
        self._marked.update(dict.fromkeys(channels))
        self._something.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self._something.wait()
            self._something.clear()
            channels = [one for one in self._marked if one in self._watched]
            self._marked.clear()
            fine = await asyncio.gather(*(self._tell(one) for one in channels))
            failed = [one for one, well in zip(channels, fine, strict=True) if not well]
            if failed:
                await self._wall.sleep(SECOND_MS)
                self.mark(failed)
