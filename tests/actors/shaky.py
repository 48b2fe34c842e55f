"""A store at the end of a bad line: slow, away, or losing what was on its way."""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from actors.clock import Clock
from storage.memory import MemoryStore
from storage.store import Commit, Outcome, Stored, StoreUnavailable

if TYPE_CHECKING:
    from engine.kernel.messages import Thing

_LANDS_AFTER_MS = 700


class Fate(Enum):
    """What becomes of a commit."""

    FINE = auto()
    NEVER_ARRIVES = auto()
    ANSWER_LOST = auto()
    LANDS_LATE = auto()  # its sender is told at once that nobody knows; it is stored a little later


class ShakyStore:
    """Passes everything on to the truth, as well as the line allows.

    Remembers every state that was stored, and what was asked.
    """

    def __init__(self, truth: MemoryStore, clock: Clock) -> None:
        self._truth = truth
        self._clock = clock
        self._away_until = 0
        self._landing: set[asyncio.Task[Outcome]] = set()
        self.some_land_late = False
        self.latency_ms = 0
        self.fates: deque[Fate] = deque()
        self.fate_of: Callable[[Commit], Fate] = lambda _: Fate.FINE
        self.stored: dict[tuple[str, int], Thing] = {}
        self.asked: list[str] = []

    def away_for(self, ms: int) -> None:
        """Whoever asks during this time is told that nobody answers."""
        self._away_until = self._clock.now() + ms

    def heal(self) -> None:
        """From now on all is well."""
        self._away_until = self.latency_ms = 0
        self.fates.clear()
        self.fate_of = lambda _: Fate.FINE

    async def store(self, commit: Commit) -> Outcome:
        """What reaches the truth, by this line or behind its back."""
        outcome = await self._truth.commit(commit)
        if outcome == Stored():
            for change in commit.decision.changes:
                self.stored[change.thing.id, change.thing.version] = change.thing
        return outcome

    async def commit(self, commit: Commit) -> Outcome:
        fate = self.fates.popleft() if self.fates else self.fate_of(commit)
        await self._travel()
        if fate is Fate.NEVER_ARRIVES:
            raise StoreUnavailable("the line was cut on the way there")
        if fate is Fate.LANDS_LATE:
            landing = asyncio.ensure_future(self._land(commit))
            self._landing.add(landing)
            landing.add_done_callback(self._landing.discard)
            self.some_land_late = True
            raise StoreUnavailable("the server froze")
        outcome = await self.store(commit)
        if fate is Fate.ANSWER_LOST:
            raise StoreUnavailable("the line was cut on the way back")
        await self._travel()
        return outcome

    async def _land(self, commit: Commit) -> Outcome:
        await self._clock.sleep(_LANDS_AFTER_MS)
        return await self.store(commit)

    async def _travel(self) -> None:
        if self.latency_ms:
            await self._clock.sleep(self.latency_ms / 2)
        if self._clock.now() < self._away_until:
            raise StoreUnavailable("nobody answers")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Every question of the port, asked over the line."""
        ask = getattr(self._truth, name)

        async def over_the_line(*args: Any, **named: Any) -> Any:
            self.asked.append(name)
            await self._travel()
            answer = await ask(*args, **named)
            await self._travel()
            return answer

        return over_the_line
