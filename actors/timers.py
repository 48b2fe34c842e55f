"""Timers: what has to happen when, in one heap, re-armed from stored deadlines after a crash."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable

from actors.clock import Clock
from engine.kernel.timing import Instant

Ring = Callable[[str], Awaitable[None]]


class Timers:
    """One deadline per key; setting a key again replaces it."""

    def __init__(self, clock: Clock, ring: Ring) -> None:
        self._clock = clock
        self._ring = ring
        self._heap: list[tuple[Instant, int, str]] = []
        self._due: dict[str, tuple[Instant, int]] = {}
        self._count = 0
        self._changed = asyncio.Event()
        self._rings: set[asyncio.Task[None]] = set()

    def set(self, key: str, at: Instant) -> None:
        """Ring for `key` at the instant, or at once when it has passed."""
        self._count += 1
        self._due[key] = (at, self._count)
        heapq.heappush(self._heap, (at, self._count, key))
        if self._heap[0][1] == self._count:
            self._changed.set()

    def is_set(self, key: str) -> bool:
        """Whether there is a deadline for `key`."""
        return key in self._due

    def cancel(self, key: str) -> None:
        """Do not ring for `key` any more."""
        self._due.pop(key, None)

    def clear(self) -> None:
        """Forget every deadline."""
        self._heap.clear()
        self._due.clear()

    async def run(self) -> None:
        """Ring until cancelled; a ring that raises ends this, for it is a bug."""
        while True:
            self._changed.clear()
            self._ring_due()
            wait_ms = self._heap[0][0] - self._clock.now() if self._heap else None
            await self._wait(wait_ms)
            self._raise_failed()

    def _ring_due(self) -> None:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, count, key = heapq.heappop(self._heap)
            if self._due.get(key) != (at, count):
                continue
            del self._due[key]
            self._rings.add(asyncio.ensure_future(self._ring(key)))

    async def _wait(self, wait_ms: int | None) -> None:
        if wait_ms is None:
            await self._changed.wait()
            return
        sleep = asyncio.ensure_future(self._clock.sleep(max(1, wait_ms)))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleep, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            changed.cancel()

    def _raise_failed(self) -> None:
        for task in [one for one in self._rings if one.done()]:
            self._rings.discard(task)
            task.result()
