"""Bounded waiting for operating-system processes, the only use of the machine's own clock here."""

import time
from collections.abc import Callable


class Stopwatch:
    """Measures how long something has taken, in seconds of the machine."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._start_s


def becomes_true(check: Callable[[], bool], *, within_s: float, every_s: float = 0.02) -> bool:
    """Ask `check` until it holds or `within_s` seconds are over; say whether it held."""
    watch = Stopwatch()
    while not check():
        if watch.elapsed_s >= within_s:
            return False
        time.sleep(every_s)
    return True
