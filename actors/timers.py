"""Timers: what has to happen when, in one heap, re-armed from stored deadlines after a crash."""

import asyncio
import heapq
from collections.abc import Callable, Container, Coroutine, Iterator
from typing import Any

from actors.clock import Clock
from engine.kernel.timing import Instant

Ring = Callable[[str], Coroutine[Any, Any, None]]


class Timers:
    """One deadline per key; setting a key again replaces it."""

    def __init__(self, clock: Clock, ring: Ring) -> None:
        self._clock = clock
        self._ring = ring
        self._heap: list[tuple[Instant, int, str]] = []
        self._due: dict[str, tuple[Instant, int]] = {}
        self._count = 0
        self._changed = asyncio.Event()

    def set(self, key: str, at: Instant) -> None:
        """Ring for `key` at the instant, or at once when it has passed."""
        due = self._due.get(key)
        if due is not None and due[0] == at:
            return
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

    def clear(self, *, but: Container[str] = ()) -> None:
        """Forget every deadline but those of some keys."""
        self._due = {key: due for key, due in self._due.items() if key in but}
        self._heap = [(at, count, key) for key, (at, count) in self._due.items()]
        heapq.heapify(self._heap)

    async def run(self) -> None:
        """Ring until cancelled, which ends what rings, too; so does a ring that raises: a bug."""
        async with asyncio.TaskGroup() as rings:
            while True:
                self._changed.clear()
                for key in self._take_due():
                    rings.create_task(self._ring(key))
                wait_ms = self._heap[0][0] - self._clock.now() if self._heap else None
                await self._wait(wait_ms)

    def _take_due(self) -> Iterator[str]:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, count, key = heapq.heappop(self._heap)
            if self._due.get(key) == (at, count):
                del self._due[key]
                yield key

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
