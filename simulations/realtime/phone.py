"""A phone that costs little, so that thousands of them fit into one measuring process."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.uri import parse_uri

from simulations.realtime.unmasked import (
    BINARY,
    TEXT,
    control_frame_end,
    spelled,
    whole_messages,
)

_PATIENCE_S: Final = 60.0

Heard = Callable[[bytes], None]


class PhoneClosed(Exception):
    """The server ended a connection that should have stayed open; the text names the code."""


class Phone(asyncio.Protocol):
    """One WebSocket; `heard` gets every message, in the event loop, and may be another later.

    The library opens and ends it; between, it would take longer over each message than the service.
    """

    def __init__(self, url: str, heard: Heard) -> None:
        self._socket = ClientProtocol(parse_uri(url), max_size=None)
        self.heard = heard
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._counts = False
        self._begun = b""
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
        self._write(spelled(frame, BINARY if binary else TEXT))

    def say_both(self, packed: bytes, text: bytes) -> None:
        """Send a binary and a text message in one write."""
        self._write(spelled(packed, BINARY) + spelled(text, TEXT))

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
        if self._opened.done():
            self._read(self._begun + data if self._begun else data)
        else:
            self._have_library_read(data)

    def _read(self, data: bytes) -> None:
        messages, at = whole_messages(data)
        self.received += len(messages)
        for message in messages:
            self.heard(message)
        self._begun = rest = data[at:]
        if rest and (end := control_frame_end(rest)):
            self._have_library_read(rest[:end])
            self._read(rest[end:])

    def _have_library_read(self, data: bytes) -> None:
        """The answer to the handshake, a ping, the end: nothing that comes often."""
        self._socket.receive_data(data)
        for event in self._socket.events_received():
            if isinstance(event, Response) and self._socket.handshake_exc is None:
                self._opened.set_result(None)
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._opened.done():
            self._opened.set_exception(PhoneClosed(f"not accepted: {error}"))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _flush(self) -> None:
        assert self._transport is not None
        with suppress(OSError):
            self._transport.writelines(one for one in self._socket.data_to_send() if one)
