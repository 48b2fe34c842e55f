"""What somebody else owns, kept for a short while by a process that reads it often."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from actors.clock import Clock
from engine.kernel.timing import Instant

K = TypeVar("K")
V = TypeVar("V")
_KEPT_MAX: Final = 10_000


class Cached(Generic[K, V]):
    """Values by their keys, each read by one for all who ask for it meanwhile.

    `read` asks the owner. What it said is told for `ttl_ms` of the clock, counted from when it was
    asked; of too many values the one not asked for longest is let go. A failure is told to all who
    wait and not kept. Losing all of it costs one reading of each value.
    """

    def __init__(
        self,
        read: Callable[[K], Awaitable[V]],
        clock: Clock,
        *,
        ttl_ms: int,
        kept_max: int = _KEPT_MAX,
    ) -> None:
        self._read = read
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._kept_max = kept_max
        self._kept: OrderedDict[K, tuple[Instant, V]] = OrderedDict()
        self._reading: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """Its value; raises what reading it raises."""
        kept = self._kept.get(key)
        if kept is not None and self._clock.now() < kept[0] + self._ttl_ms:
            self._kept.move_to_end(key)
            return kept[1]
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.ensure_future(self._fetch(key))
        # Who goes away takes the reading from nobody.
        return await asyncio.shield(reading)

    def forget(self, key: K) -> None:
        """Its owner has changed it: who asks from now on is told nothing older."""
        self._kept.pop(key, None)
        self._reading.pop(key, None)

    async def _fetch(self, key: K) -> V:
        task, asked_at = asyncio.current_task(), self._clock.now()
        try:
            value = await self._read(key)
            if self._reading.get(key) is task:
                self._keep(key, asked_at, value)
            return value
        finally:
            if self._reading.get(key) is task:
                del self._reading[key]

    def _keep(self, key: K, asked_at: Instant, value: V) -> None:
        self._kept[key] = asked_at, value
        self._kept.move_to_end(key)
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
