"""One socket as the server hands it over (ASGI): what it says, what is said to it, its end."""

from starlette.types import Receive, Send

from api.sockets.outgoing import Packed


class Gone(Exception):
    """The other side has closed, or was lost."""


class Wire:
    """Spoken to without what a framework does for every message, which costs as much as reading it.

    What is said after the other side has gone raises OSError. `place` is the address it is from.
    """

    def __init__(self, receive: Receive, send: Send, place: str = "") -> None:
        self._receive, self._send = receive, send
        self.place = place
        self._saying = 0
        self.is_gone = False

    @property
    def is_busy(self) -> bool:
        """Whether something is being said, and waits because the other side reads slowly."""
        return self._saying > 0

    async def accept(self) -> None:
        """Let it in."""
        await self._receive()
        await self._send({"type": "websocket.accept", "headers": []})

    async def hear(self) -> str | bytes:
        """The next message; raises `Gone`."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.is_gone = True
            raise Gone
        text: str | None = message.get("text")
        return message.get("bytes", b"") if text is None else text

    async def say(self, frame: bytes) -> None:
        """Send one frame, as text unless it is `Packed`."""
        self._saying += 1
        try:
            if isinstance(frame, Packed):
                await self._send({"type": "websocket.send", "bytes": frame})
            else:
                await self._send({"type": "websocket.send", "text": frame.decode()})
        finally:
            self._saying -= 1

    async def close(self, code: int) -> None:
        """End it."""
        await self._send({"type": "websocket.close", "code": code, "reason": ""})
