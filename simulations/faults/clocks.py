"""The clock of a machine that is a little off, and that jumps now and then."""

from collections.abc import Sequence

from actors.clock import Clock
from engine.kernel.timing import Instant
from simulations.faults.odds import Spell


class WrongClock:
    """Satisfies `Clock`: another clock, off by `skew_ms`, and by `jump_ms` more in each spell."""

    def __init__(self, clock: Clock, *, skew_ms: int, jump_ms: int, jumps: Sequence[Spell]) -> None:
        self._clock = clock
        self._skew_ms, self._jump_ms, self._jumps = skew_ms, jump_ms, jumps

    @property
    def speed(self) -> float:
        """As fast as the other."""
        return self._clock.speed

    def now(self) -> Instant:
        """What this clock shows."""
        true = self._clock.now()
        jump_ms = sum(one.ms * self._jump_ms for one in self._jumps if one.holds(true))
        return true + self._skew_ms + jump_ms

    async def sleep(self, ms: float) -> None:
        """Return when so many milliseconds have passed, whatever this clock shows then."""
        await self._clock.sleep(ms)
