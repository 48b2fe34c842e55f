"""Channels whose watchers are to be told anew, each as soon as it can be."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Container, Iterable

from actors.clock import Clock
from engine.kernel.timing import SECOND_MS


class Stale:
    """`tell` says whether it could; what could not be told is told again a second later.

    Only what is `watched` is told, no channel twice at once, and `at_once` of them: thousands that
    began together would hold up all else.
    """

    def __init__(
        self,
        tell: Callable[[str], Awaitable[bool]],
        *,
        watched: Container[str],
        wall: Clock,
        at_once: int,
    ) -> None:
        self._tell, self._watched, self._wall = tell, watched, wall
        self._at_once = at_once
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
            channels, self._marked = self._marked, {}
            failed = await self._tell_all(channels)
            if failed:
                await self._wall.sleep(SECOND_MS)
                self.mark(failed)

    async def _tell_all(self, channels: Collection[str]) -> list[str]:
        """What could not be told."""
        failed: list[str] = []
        waiting = iter(channels)

        async def tell_some() -> None:
            for one in waiting:
                is_well = one not in self._watched or await self._tell(one)
                if not is_well:
                    failed.append(one)

        await asyncio.gather(*(tell_some() for _ in range(min(self._at_once, len(channels)))))
        return failed
