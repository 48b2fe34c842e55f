"""Turns: one at a time for every thing, and none while a cell reads itself anew."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class Turns:
    """Whoever holds a thing's turn is the only one to change it.

    Several turns are taken in one fixed order.
    """

    def __init__(self) -> None:
        # Who waits for a turn that somebody has; of all others nothing is kept.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._held = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._open = asyncio.Event()
        self._open.set()

    def hold(self, keys: Iterable[str]) -> "_Hold":
        """Wait for the turn of every key, and give them back at the end.

        What is entered is whether anything else may have happened meanwhile.
        """
        return _Hold(self, sorted(set(keys)))

    async def take(self, keys: Iterable[str]) -> bool:
        """Wait for each of these, which are in order; whether there was anything to wait for."""
        has_waited = False
        while not self._open.is_set():
            has_waited = True
            await self._open.wait()
        self._held += 1
        self._idle.clear()
        taken: list[str] = []
        try:
            for key in keys:
                waiting = self._waiting.get(key)
                if waiting is None:
                    self._waiting[key] = deque()
                else:
                    has_waited = True
                    await self._come_after(waiting, key)
                taken.append(key)
        except BaseException:
            self.give_back(taken)
            raise
        return has_waited

    def give_back(self, keys: Iterable[str]) -> None:
        """Let whoever waits longest have each of these."""
        for key in keys:
            self._hand_on(key)
        self._held -= 1
        if self._held == 0:
            self._idle.set()

    async def _come_after(self, waiting: deque[asyncio.Future[None]], key: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # It came at the same moment.
                self._hand_on(key)
            raise

    def _hand_on(self, key: str) -> None:
        waiting = self._waiting[key]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[key]

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let nobody begin a turn, wait until those under way are over, and have it all alone."""
        while not self._open.is_set():
            await self._open.wait()
        self._open.clear()
        try:
            await self._idle.wait()
            yield
        finally:
            self._open.set()

    async def end(self) -> None:
        """Let nobody begin a turn any more, and return when those under way are over."""
        while not self._open.is_set():
            await self._open.wait()
        self._open.clear()
        await self._idle.wait()


class _Hold:
    """A generator would cost as much again as the turn itself."""

    __slots__ = ("_keys", "_turns")

    def __init__(self, turns: Turns, keys: list[str]) -> None:
        self._turns, self._keys = turns, keys

    async def __aenter__(self) -> bool:
        return await self._turns.take(self._keys)

    async def __aexit__(self, *_: object) -> None:
        self._turns.give_back(self._keys)
