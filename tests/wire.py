"""A line between a client and a server that can fall silent or be cut at a chosen moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urlsplit

from tests.listening import ended, listening


class Wire:
    """Passes bytes between a port of its own and a server, until told otherwise.

    `requests` are the pieces that went to the server.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        # Who carries each open connection, and its two ends.
        self._open: dict[asyncio.Task[Any], tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = {}
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._cut_at: bytes | None = None
        self.url = ""
        self.requests = 0

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncIterator[Self]:
        """A line to the server of this URL; `wire.url` is the same server through the line."""
        wire = cls(url)
        async with listening(wire._connect) as where:
            user, at, _ = wire._url.netloc.rpartition("@")
            wire.url = wire._url._replace(netloc=f"{user}{at}{where}").geturl()
            yield wire

    def fall_silent(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        self._flowing.clear()

    def speak_again(self) -> None:
        self._flowing.set()

    def cut(self) -> int:
        """End every connection; how many there were."""
        for task, ends in self._open.items():
            for one in ends:
                one.transport.abort()
            task.cancel()
        return len(self._open)

    def cut_after_sending(self, text: bytes) -> None:
        """Pass on what holds this text, and end the connection before any answer comes back."""
        self._cut_at = text

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._url.hostname is not None
        there, back = await asyncio.open_connection(self._url.hostname, self._url.port)
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = (writer, back)
        try:
            async with asyncio.TaskGroup() as passing:
                passing.create_task(self._pass(reader, back, is_request=True))
                passing.create_task(self._pass(there, writer, is_request=False))
        finally:
            del self._open[task]
            await ended(back)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_request: bool
    ) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                self.requests += is_request
                target.write(data)
                await target.drain()
                if is_request and self._cut_at is not None and self._cut_at in data:
                    self._cut_at = None
                    self.cut()
        except OSError:
            pass
        finally:
            target.close()
