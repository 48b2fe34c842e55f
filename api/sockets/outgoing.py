"""What waits to be sent to one socket, in two lanes: states in order, of all else the newest."""

from collections.abc import Callable, Hashable
from typing import Final

from actors.clock import Clock
from api.sockets.receipts import Receipts
from storage.live import Bookmark

BYTES_MAX: Final = 1024 * 1024


class Packed(bytes):
    """A frame that is sent as a binary message."""


class Outgoing:
    """Bounded; `on_full` is called once, when a critical frame is lost to a slow reader.

    From then on nothing more is taken: what would come after a hole is worth nothing, and the phone
    is told all of it when it connects again. While nothing waits a frame is said at once if
    `say_at_once` can, which answers whether it did; `on_waiting` is called for each that has to
    wait.
    """

    def __init__(
        self,
        waiting_max: int,
        on_full: Callable[[], None],
        *,
        bytes_max: int = BYTES_MAX,
        say_at_once: Callable[[bytes], bool] = lambda _: False,
        on_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self._waiting_max = waiting_max
        self._bytes_max = bytes_max
        self._on_full = on_full
        self._say_at_once = say_at_once
        self._on_waiting = on_waiting
        self._critical: list[bytes] = []
        self._size = 0
        self._latest: dict[Hashable, bytes] = {}
        self._is_full = False
        self._receipts: Receipts | None = None
        self._wall: Clock | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._critical or self._latest)

    def put(self, frame: bytes) -> None:
        """Send this, after what was put before."""
        if self._is_full or (self.is_empty and self._say_at_once(frame)):
            return
        # What is larger than the lane is sent if nothing else waits.
        is_too_much = bool(self._critical) and self._size + len(frame) > self._bytes_max
        if len(self._critical) >= self._waiting_max or is_too_much:
            self._is_full = True
            self._on_full()
        else:
            self._critical.append(frame)
            self._size += len(frame)
            self._on_waiting()

    def put_state(
        self, channel: str, bookmark: Bookmark | None, frame: bytes, *, is_whole: bool = False
    ) -> None:
        """Send this, and again until it is confirmed; what `is_whole` replaces what came before."""
        self.put(frame)
        if self._receipts is None or self._wall is None or bookmark is None:
            return
        if is_whole:
            self._receipts.replace(channel)
        self._receipts.told(channel, bookmark, frame, now=self._wall.now())

    def put_latest(self, key: Hashable, frame: bytes) -> None:
        """Send this unless a newer one of the same key comes before it is its turn."""
        if self.is_empty and self._say_at_once(frame):
            return
        if key not in self._latest and len(self._latest) >= self._waiting_max:
            return
        self._latest[key] = frame
        self._on_waiting()

    def has_latest(self, key: Hashable) -> bool:
        """Whether a frame of this key still waits."""
        return key in self._latest

    def want_receipts(self, wall: Clock, *, again_ms: int) -> None:
        """From now on the phone confirms states."""
        self._wall = wall
        self._receipts = Receipts(again_ms=again_ms)

    def received(self, channel: str, bookmark: Bookmark) -> None:
        """The phone has all of a channel up to here."""
        if self._receipts is not None:
            self._receipts.received(channel, bookmark)

    def leave(self, channel: str) -> None:
        """The phone wants no more of a channel."""
        if self._receipts is not None:
            self._receipts.replace(channel)

    def repeat(self) -> None:
        """Send again what was not confirmed; who confirms nothing is let go."""
        if self._receipts is None or self._wall is None or self._is_full:
            return
        for frame in self._receipts.due(self._wall.now()):
            self.put(frame)
        if self._receipts.is_deaf and not self._is_full:
            self._is_full = True
            self._on_full()

    def take(self) -> list[bytes]:
        """All that waits, which then waits no more."""
        frames, self._critical = self._critical, []
        if self._latest:
            frames += self._latest.values()
            self._latest.clear()
        self._size = 0
        return frames
