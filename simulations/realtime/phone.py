"""A phone that costs little, so that thousands of them fit into one measuring process."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

_PATIENCE_S: Final = 60.0

Heard = Callable[[bytes], None]


class PhoneClosed(Exception):
    """The server ended a connection that should have stayed open; the text names the code."""


class Phone(asyncio.Protocol):
    """One WebSocket; `heard` gets every message, in the event loop, and may be another later."""

    def __init__(self, url: str, heard: Heard) -> None:
        self._socket = ClientProtocol(parse_uri(url), max_size=None)
        self.heard = heard
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._counts = False
        self.received = 0
        self.bytes_received = 0

    async def open(self, host: str, port: int) -> None:
        """Connect, and return when the server has accepted."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_PATIENCE_S):
            await loop.create_connection(lambda: self, host, port)
            await self._opened

    def say(self, frame: bytes, *, binary: bool = False) -> None:
        """Send one message; what is said after the end is lost."""
        if self._transport is None or self._transport.is_closing():
            return
        self._frame(frame, binary=binary)
        self._flush()

    def say_both(self, packed: bytes, text: bytes) -> None:
        """Send a binary and a text message in one write."""
        self._frame(packed, binary=True)
        self._frame(text, binary=False)
        self._flush()

    def count(self) -> None:
        """From now on bytes are counted and nothing is read, which costs hardly a thing."""
        self._counts = True
        self.bytes_received = 0

    def drop(self) -> None:
        """Be gone without a goodbye, as a phone in a tunnel is."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What uvloop makes is one, though it does not say so.
        self._transport = cast("asyncio.Transport", transport)
        self._socket.send_request(self._socket.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        if self._counts:
            return
        self._socket.receive_data(data)
        for message in self._messages():
            self.received += 1
            self.heard(message)
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._opened.done():
            self._opened.set_exception(PhoneClosed(f"not accepted: {error}"))

    def _messages(self) -> Iterator[bytes]:
        for event in self._socket.events_received():
            if isinstance(event, Response):
                if self._socket.handshake_exc is None:
                    self._opened.set_result(None)
            elif isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY}:
                yield bytes(event.data)

    def _frame(self, data: bytes, *, binary: bool) -> None:
        if binary:
            self._socket.send_binary(data)
        else:
            self._socket.send_text(data)

    def _flush(self) -> None:
        assert self._transport is not None
        with suppress(OSError):
            self._transport.writelines(one for one in self._socket.data_to_send() if one)
