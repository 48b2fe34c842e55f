"""Doing something so often in a second, however long each takes."""

from time import perf_counter

from actors.clock import Clock


class SteadyRate:
    """Counts from when it is made; who falls behind catches up."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        self._clock, self._per_s = clock, per_s
        self._began = perf_counter()

    async def turn_of(self, number: int) -> None:
        """Wait until the time of this one has come; the first is 0."""
        ahead_s = self._began + number / self._per_s - perf_counter()
        if ahead_s > 0:
            await self._clock.sleep(1000 * ahead_s)
