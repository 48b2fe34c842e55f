"""What happened in a run, step by step, and what should not have."""

import asyncio
from collections import Counter

from actors.clock import Clock
from engine.kernel.timing import Instant

STEPS_MAX = 20_000


class Journal:
    """Every step has a number, and equal seeds have equal steps; the first violation ends a run."""

    def __init__(self, clock: Clock, *, starts_at: Instant) -> None:
        self._clock, self._starts_at = clock, starts_at
        self.step = 0
        self.lines: list[str] = []
        self.violations: list[str] = []
        self.faults: Counter[str] = Counter()
        self.broken = asyncio.Event()

    def note(self, what: str) -> None:
        """The next step."""
        self.step += 1
        at_s = (self._clock.now() - self._starts_at) / 1000
        self.lines.append(f"{self.step:6d} {at_s:10.3f}s  {what}")
        if self.step == STEPS_MAX:
            self.violate(f"no end after {STEPS_MAX} steps: something goes round and round")

    def fault(self, kind: str, where: str) -> None:
        """A fault was injected."""
        self.faults[kind] += 1
        self.note(f"fault: {kind} {where}")

    def violate(self, what: str) -> None:
        """Something that must hold does not."""
        self.note(f"VIOLATION: {what}")
        self.violations.append(f"step {self.step}: {what}")
        self.broken.set()
