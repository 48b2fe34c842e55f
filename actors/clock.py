"""Clocks: real time, and real time that runs faster while a day is replayed."""

import asyncio
import time
from typing import Protocol

from actors.settings import ClockSettings
from engine.kernel.timing import Instant


class Clock(Protocol):
    """What time it is, and a way to wait for another."""

    @property
    def speed(self) -> float:
        """How many of its seconds pass in a real one."""
        ...

    def now(self) -> Instant:
        """Milliseconds since the Unix epoch."""
        ...

    async def sleep(self, ms: float) -> None:
        """Return when so many of its milliseconds have passed."""
        ...


class SystemClock:
    """The machine's clock, or one derived from it that runs faster."""

    def __init__(self, settings: ClockSettings | None = None) -> None:
        self._settings = settings or ClockSettings()
        self._is_real = self._settings.started_ms == 0

    @property
    def speed(self) -> float:
        """How many of its seconds pass in a real one."""
        return self._settings.speed

    def now(self) -> Instant:
        """Milliseconds since the Unix epoch."""
        real_ns = time.time_ns()
        if self._is_real:
            return real_ns // 1_000_000
        settings = self._settings
        since_ms = real_ns / 1_000_000 - settings.started_ms
        return settings.start_ms + int(since_ms * settings.speed)

    async def sleep(self, ms: float) -> None:
        """Return when so many of its milliseconds have passed."""
        await asyncio.sleep(max(0.0, ms) / 1000 / self._settings.speed)


async def rest(clock: Clock, ms: float, woken: asyncio.Event) -> None:
    """Sleep for so many milliseconds, or until somebody wakes us; then he may wake us again."""
    waking = asyncio.ensure_future(woken.wait())
    sleeping = asyncio.ensure_future(clock.sleep(ms))
    try:
        await asyncio.wait({waking, sleeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waking.cancel()
        sleeping.cancel()
    woken.clear()
