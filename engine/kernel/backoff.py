"""Truncated exponential backoff: whoever gets no answer asks again, each time later."""

from msgspec import Struct

# 2^40 times anything is beyond any bound.
_DOUBLINGS_MAX = 40


class Backoff(Struct, frozen=True, kw_only=True):
    """How long is waited for the next try: at first `first_ms`, doubled each time to `most_ms`."""

    first_ms: int
    most_ms: int

    def wait_ms(self, tries: int) -> int:
        """Milliseconds to wait after a try that had so many before it."""
        return min(self.most_ms, self.first_ms << min(tries, _DOUBLINGS_MAX))
