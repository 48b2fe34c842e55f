"""How long what a phone said may have waited before it was read."""

from typing import Final

# Longer than a busy process takes from one look at its sockets to the next.
CAUGHT_UP_S: Final = 0.25


class Backlog:
    """What is not read waits in the kernel and on the phone, and does not say since when.

    No frame has waited longer than the reading was held up since the phone was last waited for,
    less what was spent waiting for it since; nor longer than a position that came before it, which
    says when it was taken. Times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._held_s = 0.0
        self.behind_s = 0.0

    def hold(self, seconds: float) -> None:
        """Reading was held up for so long."""
        self._held_s += seconds

    def know(self, seconds: float) -> None:
        """What was just read says itself that it has waited for so long."""
        self.behind_s = min(self.behind_s, max(0.0, seconds))

    def read(self, since_last_s: float) -> None:
        """Another frame was read, so long after the last one."""
        if not (self._held_s or self.behind_s):
            return
        waited_s = since_last_s - self._held_s
        is_fresh = waited_s >= CAUGHT_UP_S
        self.behind_s = 0.0 if is_fresh else max(0.0, self.behind_s + self._held_s - waited_s)
        self._held_s = 0.0
