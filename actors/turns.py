"""Turns: one at a time for every thing, and none while a cell reads itself anew."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class Turns:
    """Whoever holds a thing's turn is the only one to change it.

    Several turns are taken in one fixed order.
    """

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}
        self._held = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._open = asyncio.Event()
        self._open.set()

    @asynccontextmanager
    async def hold(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Wait for the turn of every key, and give them back at the end."""
        while not self._open.is_set():
            await self._open.wait()
        self._held += 1
        self._idle.clear()
        ordered = sorted(set(keys))
        taken: list[str] = []
        for key in ordered:
            self._users[key] = self._users.get(key, 0) + 1
        try:
            for key in ordered:
                await self._locks.setdefault(key, asyncio.Lock()).acquire()
                taken.append(key)
            yield
        finally:
            for key in taken:
                self._locks[key].release()
            for key in ordered:
                self._forget_unused(key)
            self._held -= 1
            if self._held == 0:
                self._idle.set()

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

    def _forget_unused(self, key: str) -> None:
        self._users[key] -= 1
        if self._users[key] == 0:
            del self._users[key]
            self._locks.pop(key, None)
