"""What waits to be sent to one socket: critical frames in order, of all else only the newest."""

import asyncio
from collections import deque
from collections.abc import Hashable


class Outgoing:
    """Bounded: `is_full` means that its reader is too slow, and that critical frames were lost."""

    def __init__(self, waiting_max: int) -> None:
        self._waiting_max = waiting_max
        self._critical: deque[bytes] = deque()
        self._latest: dict[Hashable, bytes] = {}
        self._something = asyncio.Event()
        self.is_full = False

    def put(self, frame: bytes) -> None:
        """Send this, after what was put before."""
        if len(self._critical) >= self._waiting_max:
            self.is_full = True
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
        """All that waits, as soon as something does; when full, what was kept until then."""
        await self._something.wait()
        self._something.clear()
        frames = [*self._critical, *self._latest.values()]
        self._critical.clear()
        self._latest.clear()
        return frames
