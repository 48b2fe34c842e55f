"""The server's end of a WebSocket, which says at once what it reads, and sends without waiting."""

import asyncio
from collections.abc import Callable, Sequence
from struct import pack
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request

from api.sockets.masked import (
    BINARY,
    IN_EIGHT_BYTES,
    IN_TWO_BYTES,
    TEXT,
    Payload,
    frame_end,
    whole_messages,
)
from api.sockets.outgoing import Packed
from api.sockets.waiting import Messages, Signal

# Under which name a scope has its line.
LINE: Final = "hadiyati.line"

_SIZE_IN_TWO_BYTES_MAX: Final = (1 << 16) - 1
_END_OF_REQUEST: Final = b"\r\n\r\n"

Heard = Callable[[Sequence[Payload]], None]


def _header(frame: bytes) -> bytes:
    """What stands before a message; the library needs three times as long to spell a frame."""
    size = len(frame)
    first = BINARY if isinstance(frame, Packed) else TEXT
    if size < IN_TWO_BYTES:
        return bytes((first, size))
    if size <= _SIZE_IN_TWO_BYTES_MAX:
        return pack(">BBH", first, IN_TWO_BYTES, size)
    return pack(">BBQ", first, IN_EIGHT_BYTES, size)


class Line(WebSocketsSansIOProtocol):
    """The server's own, but for messages: they need no queue, no task to wake, no pause of reading.

    Handshake, control frames and the end are ASGI's, as everywhere. So are messages until `hear`
    is called. From then on the library gets those frames only that are no whole message, each to
    its end, so that it always stands where the next one begins.
    """

    # The server's own names, too: an object with more than 30 in its dictionary has one for itself
    # alone, which is 1.2 KB larger.
    __slots__ = (
        "_begun",
        "_finds_messages",
        "_heard",
        "_is_at_first_frame",
        "_owed",
        "app",
        "app_state",
        "asgi_version",
        "client",
        "close_sent",
        "close_timeout",
        "close_timer",
        "config",
        "conn",
        "connections",
        "curr_msg_data_type",
        "default_headers",
        "disconnected",
        "frames",
        "handshake_complete",
        "handshake_initiated",
        "initial_response",
        "last_ping_rtt",
        "logger",
        "loop",
        "pending_ping_payload",
        "ping_interval",
        "ping_sent_at",
        "ping_timeout",
        "ping_timer",
        "pong_timer",
        "queue",
        "read_paused",
        "request",
        "response",
        "root_path",
        "scheme",
        "scope",
        "server",
        "tasks",
        "transport",
        "writable",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # They can what is asked of them here.
        self.queue = cast("asyncio.Queue[Any]", Messages())
        self.writable = cast("asyncio.Event", Signal())
        self.writable.set()
        self._heard: Heard | None = None
        # Whether the library has read the request and nothing after it.
        self._is_at_first_frame = False
        self._finds_messages = False
        # The beginning of a frame whose header is not whole yet.
        self._begun = b""
        # So many bytes are to come of the frame that the library has begun.
        self._owed = 0

    def hear(self, heard: Heard | None) -> None:
        """From now on `heard` gets what is read, all at once, in the loop's turn in which it came.

        With None it is dropped. The handshake is over by then, and its headers are forgotten.
        """
        self.request.headers.clear()
        self.response.headers.clear()
        self.scope["headers"] = ()
        self._heard = heard
        # Who says something before he is let in is read by the library for good.
        self._finds_messages = self._finds_messages or self._is_at_first_frame

    @property
    def is_full(self) -> bool:
        """Whether the other side reads so slowly that nothing more should be said now."""
        return not self.writable.is_set()

    def say(self, *frames: bytes) -> None:
        """Send messages in one write, as text if not `Packed`; what is said after the end is lost.

        Each write is a call of the kernel, which costs more than all that Python does for a frame.
        """
        if self.disconnected or self.close_sent or self.transport.is_closing():
            return
        if len(frames) == 1:
            self.transport.write(_header(frames[0]) + frames[0])
        else:
            self.transport.write(b"".join(part for one in frames for part in (_header(one), one)))

    async def wait_until_free(self) -> None:
        """Wait until something may be said again."""
        await self.writable.wait()

    def hold(self) -> None:
        """Read nothing more: it waits in the kernel, and then at the other side."""
        self.transport.pause_reading()

    def release(self) -> None:
        """Read again."""
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Some bytes were read."""
        if self._finds_messages:
            self._walk(data)
            return
        is_request = not self.handshake_initiated and data.endswith(_END_OF_REQUEST)
        super().data_received(data)
        self._is_at_first_frame = is_request

    def _walk(self, data: bytes) -> None:
        at = min(self._owed, len(data))
        if at:
            self._owed -= at
            super().data_received(data[:at])
        elif self._begun:
            data, self._begun = self._begun + data, b""
        while at < len(data) and not self.transport.is_closing():
            if self.conn.current_size is None:
                messages, at = whole_messages(data, at, size_max=self.config.ws_max_size)
                if messages and self._heard is not None and not self.close_sent:
                    self._heard(messages)
                if at == len(data):
                    return
            end = frame_end(data, at)
            if end is None:
                self._begun = data[at:]
                return
            super().data_received(data[at:end])
            self._owed = max(0, end - len(data))
            at = end

    def handle_connect(self, event: Request) -> None:
        """Put this line where who serves the socket finds it."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[LINE] = self

    def send_receive_event_to_app(self) -> None:
        """A message is complete."""
        if self._heard is None or self.close_sent:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.curr_msg_data_type != "text":
            self._heard([bytes(data)])
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.conn.fail(1007)
            self.handle_parser_exception()
            return
        self._heard([text])
