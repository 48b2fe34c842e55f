"""A queue and an event for a socket's line, which has both as long as it lives.

Those of asyncio have room for many who wait: 3 KB of empty deques.
"""

import asyncio
from typing import Any


class Messages:
    """As `asyncio.Queue`, without a limit, for one who reads."""

    __slots__ = ("_reader", "_waiting")

    def __init__(self) -> None:
        self._waiting = list[Any]()
        self._reader: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def put_nowait(self, message: object) -> None:
        """Add a message."""
        self._waiting.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:  # noqa: ANN401 - as ASGI has it
        """The oldest message, as soon as there is one."""
        while not self._waiting:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._waiting.pop(0)


class Signal:
    """As `asyncio.Event`."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Whether nobody has to wait."""
        return self._is_set

    def set(self) -> None:
        """Whoever waits goes on."""
        self._is_set = True
        waiting, self._waiting = self._waiting or (), None
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def clear(self) -> None:
        """Whoever comes now waits."""
        self._is_set = False

    async def wait(self) -> None:
        """Return when it is set."""
        if not self._is_set:
            goes_on = asyncio.get_running_loop().create_future()
            self._waiting = [*(self._waiting or ()), goes_on]
            await goes_on
