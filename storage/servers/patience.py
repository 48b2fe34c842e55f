"""Bounded waiting for processes, which end and begin in the machine's own time."""

import time
from collections.abc import Callable


class Stopwatch:
    """Measures how long something has taken, in seconds of the machine."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()  # noqa: TID251 - no process waits for virtual time

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._start_s  # noqa: TID251


def becomes_true(check: Callable[[], bool], *, within_s: float, every_s: float = 0.02) -> bool:
    """Ask `check` until it holds or `within_s` seconds are over; say whether it held."""
    watch = Stopwatch()
    while not check():
        if watch.elapsed_s >= within_s:
            return False
        time.sleep(every_s)  # noqa: TID251
    return True
