"""Which positions of a phone are believed."""

from actors.clock import Clock
from engine.kernel.place import is_on_earth
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from storage.live import Fix

ACCURACY_M_MAX = 100_000.0


class PositionGate:
    """One phone's positions: on the earth, not from the future, none older than the last.

    How far a phone's clock may be ahead is a matter of real seconds, so a replay's speed widens it.
    """

    def __init__(self, clock: Clock, wall: Clock, *, future_s: float) -> None:
        self._clock = clock
        self._wall = wall
        self._ahead_ms = int(future_s * SECOND_MS * clock.speed)
        self._last_at: Instant = 0
        self._told_at: Instant = 0
        self.dropped = 0

    def lets(self, fix: Fix) -> bool:
        """Whether to pass it on."""
        is_good = (
            is_on_earth(fix.lat, fix.lng)
            and 0 <= fix.accuracy_m <= ACCURACY_M_MAX
            and self._last_at <= fix.at <= self._clock.now() + self._ahead_ms
        )
        if is_good:
            self._last_at = fix.at
        else:
            self.dropped += 1
        return is_good

    def age_s(self, fix: Fix) -> float:
        """Real seconds since it was taken, if the phone's clock is right."""
        return (self._clock.now() - fix.at) / SECOND_MS / self._clock.speed

    def must_tell(self) -> bool:
        """Whether it is time to tell the phone that some were dropped: at most once a minute."""
        now = self._wall.now()
        if self.dropped == 0 or now - self._told_at < MINUTE_MS:
            return False
        self._told_at = now
        return True
