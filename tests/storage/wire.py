"""A line between a client and a server that can fall silent or be cut at a chosen moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self
from urllib.parse import urlsplit


class Wire:
    """Passes bytes between a port of its own and a server, until told otherwise.

    `requests` are the pieces that went to the server.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
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
        server = await asyncio.start_server(wire._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        user = wire._url.netloc.rpartition("@")[0]
        wire.url = wire._url._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
        try:
            yield wire
        finally:
            server.close()
            wire.cut()
            await asyncio.gather(*wire._tasks, return_exceptions=True)

    def fall_silent(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        self._flowing.clear()

    def speak_again(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    def cut_after_sending(self, text: bytes) -> None:
        """Pass on what holds this text, and end the connection before any answer comes back."""
        self._cut_at = text

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._url.hostname is not None
        there, back = await asyncio.open_connection(self._url.hostname, self._url.port)
        self._writers |= {writer, back}
        for source, target, is_request in ((reader, back, True), (there, writer, False)):
            task = asyncio.create_task(self._pass(source, target, is_request=is_request))
            self._tasks.add(task)

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
