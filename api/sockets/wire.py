"""One socket as the server hands it over: what it says, what is said to it, its end."""

from typing import Protocol

from starlette.types import Receive, Send

from api.sockets.line import Heard


class Gone(Exception):
    """The other side has closed, or was lost."""


class Speaking(Protocol):
    """What a `Line` can do."""

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be said now."""
        ...

    def hear(self, heard: Heard | None) -> None:
        """Pass all that is read on from now on, or drop it."""
        ...

    def say(self, *frames: bytes) -> None:
        """Send messages."""
        ...

    async def wait_until_free(self) -> None:
        """Wait until something may be said again."""
        ...

    def hold(self) -> None:
        """Read nothing more."""
        ...

    def release(self) -> None:
        """Read again."""
        ...


class Wire:
    """Handshake and end by ASGI, messages by the server's own line. `place` is its address."""

    def __init__(self, receive: Receive, send: Send, line: Speaking, place: str = "") -> None:
        self._receive, self._send, self._line = receive, send, line
        self.place = place
        self._is_writing = False
        self.is_gone = False

    async def accept(self, heard: Heard) -> None:
        """Let it in; `heard` gets what it says, text or bytes, until `leave`."""
        await self._receive()
        await self._send({"type": "websocket.accept", "headers": []})
        self._line.hear(heard)

    async def wait_for_the_end(self, heard: Heard) -> None:
        """Until the other side goes: raises `Gone`."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self.is_gone = True
                raise Gone
            # It was said before it was let in.
            text: str | None = message.get("text")
            heard([message.get("bytes", b"") if text is None else text])

    def leave(self) -> None:
        """Nobody listens any more: who did would be kept by the line, and the line by him."""
        self._line.hear(None)

    @property
    def is_free(self) -> bool:
        """Whether what is said now is sent now."""
        return not (self._is_writing or self._line.is_full)

    def say_at_once(self, *frames: bytes) -> bool:
        """Send frames if nothing waits before them."""
        if not self.is_free:
            return False
        self._line.say(*frames)
        return True

    async def say(self, frames: list[bytes]) -> None:
        """Send these when the other side reads; nothing else is said until then."""
        self._is_writing = True
        try:
            for frame in frames:
                if self._line.is_full:
                    await self._line.wait_until_free()
                self._line.say(frame)
        finally:
            self._is_writing = False

    def hold(self) -> None:
        """Read nothing more: it waits in the kernel, and then on the phone."""
        self._line.hold()

    def release(self) -> None:
        """Read again."""
        self._line.release()

    async def close(self, code: int) -> None:
        """End it."""
        await self._send({"type": "websocket.close", "code": code, "reason": ""})
