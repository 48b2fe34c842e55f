"""What waits to be sent to one socket: critical frames in order, of all else only the newest."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable


class Outgoing:
    """Bounded: `on_full` is called for each critical frame that is lost to a slow reader."""

    def __init__(self, waiting_max: int, on_full: Callable[[], None]) -> None:
        self._waiting_max = waiting_max
        self._on_full = on_full
        self._critical: deque[bytes] = deque()
        self._latest: dict[Hashable, bytes] = {}
        self._something = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Send this, after what was put before."""
        if len(self._critical) >= self._waiting_max:
            self._on_full()
        else:
            self._critical.append(frame)
        self._something.set()

    def put_latest(self, key: Hashable, frame: bytes) -> None:
        """Send this unless a newer one of the same key comes before it is its turn."""
        if key not in self._latest and len(self._latest) >= self._waiting_max:
            return
        self._latest[key] = frame
        self._something.set()

    async def take(self) -> list[bytes]:
        """All that waits, as soon as something does."""
        await self._something.wait()
        self._something.clear()
        frames = [*self._critical, *self._latest.values()]
        self._critical.clear()
        self._latest.clear()
        return frames
