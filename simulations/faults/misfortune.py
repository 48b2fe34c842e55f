"""The faults of one run: what goes wrong is asked for here, and noted here."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

from actors.bus import CellUnavailable
from actors.clock import Clock
from actors.solver import SolverUnavailable
from engine.kernel.timing import Instant
from simulations.faults.journal import Journal
from simulations.faults.odds import Odds, Spell, spells
from storage.live import LiveUnavailable
from storage.store import StoreUnavailable

T = TypeVar("T")


class Misfortune:
    """Draws from one stream of chance, in the order in which things happen.

    Nothing goes wrong from `calm_at` on: then everything that was begun must come to its end.
    """

    def __init__(
        self,
        odds: Odds,
        chance: random.Random,
        *,
        clock: Clock,
        journal: Journal,
        calm_at: Instant,
    ) -> None:
        self.odds, self.clock, self.journal = odds, clock, journal
        self._chance, self._calm_at = chance, calm_at
        self._began = clock.now()
        self.store_away = self._spells(odds.store_outages_per_h)
        self.stream_away = self._spells(odds.stream_outages_per_h)
        self._background: set[asyncio.Task[Any]] = set()

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong any more."""
        return self.clock.now() >= self._calm_at

    def happens(self, probability: float, kind: str, where: str) -> bool:
        """Whether a fault of this kind happens now."""
        if probability <= 0 or self.is_calm:
            return False
        if self._chance.random() >= probability:
            return False
        self.journal.fault(kind, where)
        return True

    async def pause(self) -> None:
        """The time that a call takes, one way."""
        odds, is_calm = self.odds, self.is_calm
        longest = odds.delay_ms
        if odds.slow and not is_calm and self._chance.random() < odds.slow:
            longest = odds.slow_ms
        if longest:
            await self.clock.sleep(self._chance.randint(0, longest))

    def up_to(self, ms: int) -> int:
        """A number of milliseconds up to a bound."""
        return self._chance.randint(0, ms)

    def store_answers(self, name: str) -> None:
        """Raises StoreUnavailable when the store is away or refuses."""
        if _is_on(self.store_away, self.clock.now()):
            raise StoreUnavailable("the store is away")
        if self.happens(self.odds.store_refuses, "store refuses", name):
            raise StoreUnavailable("the store refuses")

    def stream_answers(self, name: str, refuses: float) -> None:
        """Raises LiveUnavailable when the stream is away or refuses."""
        if _is_on(self.stream_away, self.clock.now()):
            raise LiveUnavailable("the stream is away")
        if self.happens(refuses, "stream refuses", name):
            raise LiveUnavailable("the stream refuses")

    def solver_answers(self) -> None:
        """Raises SolverUnavailable when the solver fails."""
        if self.happens(self.odds.solver_fails, "solver fails", ""):
            raise SolverUnavailable("the solver fails")

    def clock_spells(self) -> tuple[int, tuple[Spell, ...]]:
        """How far the clock of one machine is off, and when it jumps."""
        skew_ms = self._chance.randint(-self.odds.skew_ms, self.odds.skew_ms)
        return skew_ms, self._spells(self.odds.clock_jumps_per_h if self.odds.jump_ms else 0.0)

    def begin(self, doing: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Have it go on by itself; a bug in it is a violation."""
        task = asyncio.ensure_future(doing)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    async def end(self) -> None:
        """Stop all that goes on by itself."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._background.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, CellUnavailable | StoreUnavailable):
            self.journal.violate(f"a bug: {error!r}")

    def _spells(self, per_h: float) -> tuple[Spell, ...]:
        return spells(
            self._chance,
            since=self._began,
            until=self._calm_at,
            per_h=per_h,
            longest_ms=self.odds.outage_ms,
        )


def _is_on(spells: tuple[Spell, ...], at: Instant) -> bool:
    return any(one.holds(at) for one in spells)
