"""The server's end of a WebSocket, which says at once what it reads, and sends without waiting."""

from collections.abc import Callable
from struct import pack
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

# Under which name a scope has its line.
LINE: Final = "hadiyati.line"

# A whole message in one frame that is not masked, and from which size on the size takes more bytes
# (RFC 6455 section 5.2). The library needs three times as long to say the same.
_TEXT: Final = 0x81
_BINARY: Final = 0x82
_TWO_BYTES: Final = 126
_EIGHT_BYTES: Final = 1 << 16

Heard = Callable[[str | bytes], None]


class Line(WebSocketsSansIOProtocol):
    """The server's own, but for messages: they need no queue, no task to wake, no pause of reading.

    Handshake, control frames and the end are ASGI's, as everywhere. So are messages until `hear`
    is called.
    """

    _heard: Heard | None = None

    def hear(self, heard: Heard | None) -> None:
        """From now on `heard` gets every message, in the loop's turn in which it came."""
        self._heard = heard

    @property
    def is_full(self) -> bool:
        """Whether the other side reads so slowly that nothing more should be said now."""
        return not self.writable.is_set()

    def say(self, frame: bytes, *, is_text: bool) -> None:
        """Send a message; what is said after the end is lost."""
        if self.disconnected or self.close_sent or self.transport.is_closing():
            return
        size = len(frame)
        first = _TEXT if is_text else _BINARY
        if size < _TWO_BYTES:
            header = bytes((first, size))
        elif size < _EIGHT_BYTES:
            header = pack(">BBH", first, _TWO_BYTES, size)
        else:
            header = pack(">BBQ", first, _TWO_BYTES + 1, size)
        self.transport.write(header + frame)

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
            self._heard(bytes(data))
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.conn.fail(1007)
            self.handle_parser_exception()
            return
        self._heard(text)
