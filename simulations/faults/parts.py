"""Store, stream and solver as one life of a cell meets them: slow, away, and not always honest."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from actors.solver import Solver
from engine.kernel.ids import CellId, CourierId
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from simulations.faults.misfortune import Misfortune
from simulations.faults.truth import Truth
from storage.live import Batch, Fix, LiveStream, LiveUnavailable
from storage.store import Commit, Outcome, Store, StoreUnavailable

# Crashes whoever awaits, now; returns when he is to work on as if he did not know.
Crash = Callable[[str], Awaitable[None]]
# Within what a cell waits before it reads itself anew, so that what landed late is seen.
_LATEST_LANDING_MS = 20_000


class Faulty:
    """On top of any store: every method may fail before it does anything."""

    def __init__(self, store: object, misfortune: Misfortune, crash: Crash) -> None:
        self._store, self._misfortune, self._crash = store, misfortune, crash

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return partial(self._ask, name)

    async def _ask(self, name: str, *args: object, **more: object) -> Any:  # noqa: ANN401 - any
        await self._misfortune.pause()
        await self._crash(f"before {name}")
        self._misfortune.store_answers(name)
        found = await getattr(self._store, name)(*args, **more)
        await self._misfortune.pause()
        await self._crash(f"after {name}")
        return found


class FaultyStore(Faulty):
    """Satisfies `Store` on top of another."""

    _store: Store

    async def commit(self, commit: Commit) -> Outcome:
        """Store it, or not, or later, and tell so, or not."""
        odds = self._misfortune.odds
        await self._misfortune.pause()
        await self._crash("before a commit")
        self._misfortune.store_answers("commit")
        if self._misfortune.happens(odds.commit_late, "commit late", ""):
            self._misfortune.begin(self._land_late(commit))
            raise StoreUnavailable("the commit takes too long")
        outcome = await self._store.commit(commit)
        await self._crash("after a commit")
        await self._misfortune.pause()
        if self._misfortune.happens(odds.commit_answer_lost, "commit's answer lost", ""):
            raise StoreUnavailable("the connection broke")
        return outcome

    async def _land_late(self, commit: Commit) -> None:
        await self._misfortune.clock.sleep(self._misfortune.up_to(_LATEST_LANDING_MS))
        await self._store.commit(commit)


class FaultyStream:
    """Satisfies `LiveStream` on top of another; words wait as they do for a real one."""

    gap_ms: float = 5

    def __init__(
        self, stream: LiveStream, misfortune: Misfortune, truth: Truth, crash: Crash
    ) -> None:
        self._stream, self._misfortune, self._truth = stream, misfortune, truth
        self._crash = crash

    async def publish(self, batch: Batch) -> None:
        """Append a batch, or not, and tell so, or not."""
        for publication in batch.publications:
            self._truth.published(publication)
        await self._reach("publish")
        await self._stream.publish(batch)
        lost = self._misfortune.odds.stream_answer_lost
        if self._misfortune.happens(lost, "stream's answer lost", batch.cell):
            raise LiveUnavailable("the connection broke")

    async def head(self) -> str:
        """The position from which everything that is kept can be read."""
        self._let_read("head")
        return await self._stream.head()

    async def tail(self) -> str:
        """The position after which is only what is new."""
        self._let_read("tail")
        return await self._stream.tail()

    async def read(self, after: str, *, wait_ms: int) -> tuple[str, Sequence[Batch]]:
        """Batches after a position."""
        self._let_read("read")
        return await self._stream.read(after, wait_ms=wait_ms)

    async def save_fixes(self, cell: CellId, fixes: Mapping[CourierId, Fix]) -> None:
        """Remember last positions."""
        await self._reach("save fixes")
        await self._stream.save_fixes(cell, fixes)

    async def load_fixes(self, cell: CellId) -> dict[CourierId, Fix]:
        """The last positions known."""
        await self._reach("load fixes")
        return await self._stream.load_fixes(cell)

    async def _reach(self, name: str) -> None:
        await self._misfortune.pause()
        await self._crash(f"before {name}")
        self._misfortune.stream_answers(name, self._misfortune.odds.stream_refuses)

    def _let_read(self, name: str) -> None:
        self._misfortune.stream_answers(name, self._misfortune.odds.reader_refused)


class FaultySolver:
    """Satisfies `Solver` on top of another."""

    def __init__(self, solver: Solver, misfortune: Misfortune) -> None:
        self._solver, self._misfortune = solver, misfortune

    async def plan(self, problem: Problem) -> Plan:
        """A verified plan, some time later."""
        await self._misfortune.pause()
        self._misfortune.solver_answers()
        plan = await self._solver.plan(problem)
        await self._misfortune.pause()
        return plan

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        """Verified routes, some time later."""
        await self._misfortune.pause()
        self._misfortune.solver_answers()
        return await self._solver.route(problem)
