"""What conversations under faults need of an edge, which the API gives: imports run one way."""

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from actors.bus import Bus
from actors.clock import Clock
from actors.conversations import Conversations
from engine.kernel.messages import Caller
from storage.chat import ChatStore
from storage.live import Bookmark, LiveStream
from storage.store import Store


class Means(Struct, frozen=True, kw_only=True):
    """What one life of an edge works with; `failed` hears of a bug in it."""

    conversations: Conversations
    chat: ChatStore
    orders: Store
    live: LiveStream
    bus: Bus
    clock: Clock
    failed: Callable[[Exception], None]


class Line(Protocol):
    """A phone's connection, by which frames go as the protocol spells them."""

    def say(self, frame: bytes) -> None:
        """The edge reads this."""
        ...

    async def hear(self) -> list[bytes]:
        """What the edge says, as soon as it does; nothing once the line is closed."""
        ...

    def close(self) -> None:
        """It is cut."""
        ...


class ChatEdge(Protocol):
    """One life of an edge."""

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def connect(self, caller: Caller, channels: Mapping[str, Bookmark | None]) -> Line:
        """A line for somebody who hears these channels from where he left off."""
        ...


OpenEdge = Callable[[Means], ChatEdge]
