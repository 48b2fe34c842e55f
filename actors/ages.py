"""How old positions are when a cell has them: a histogram that costs next to nothing."""

from bisect import bisect_left
from typing import Final

# Upper bounds, in milliseconds; what is older than the last counts beyond it.
AGE_BOUNDS_MS: Final = (
    1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 250, 500, 1000, 2500, 5000,
)  # fmt: skip


class Ages:
    """Counts since the start, one for each bound and one beyond them.

    A phone's clock is its own: one that is ahead makes ages of nothing, one that is behind old
    ones. Over many phones the middle says how long positions are on their way.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(AGE_BOUNDS_MS) + 1)

    def add(self, age_ms: int) -> None:
        """One more."""
        self.counts[bisect_left(AGE_BOUNDS_MS, age_ms)] += 1
