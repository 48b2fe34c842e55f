"""Which positions of a phone are believed, and which of them is passed on."""

from collections.abc import Callable, Iterable

from actors.clock import Clock
from api.sockets.backlog import Backlog
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


class Positions:
    """What one phone says of its place: of what is read together the newest is passed on.

    The others would be overtaken on their way to the cell, where only the newest counts.
    """

    def __init__(
        self,
        gate: PositionGate,
        backlog: Backlog,
        *,
        report: Callable[[Fix], None],
        tell: Callable[[int], None],
    ) -> None:
        self._gate = gate
        self._backlog = backlog
        self._report = report
        self._tell = tell
        self._newest: Fix | None = None

    def take(self, fixes: Iterable[Fix]) -> None:
        """Believe these or drop them; `tell` hears now and then how many were dropped."""
        for fix in fixes:
            if self._gate.lets(fix):
                if self._backlog.behind_s:
                    self._backlog.know(self._gate.age_s(fix))
                self._newest = fix
            elif self._gate.must_tell():
                self._tell(self._gate.dropped)

    def pass_on(self) -> None:
        """Report the newest that was believed since the last time."""
        if self._newest is not None:
            newest, self._newest = self._newest, None
            self._report(newest)
