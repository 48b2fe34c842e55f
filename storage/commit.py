"""Group commit: decisions that are ready together share a transaction, each has its outcome."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from storage.database import Database
from storage.groups import Result, store_group
from storage.rows import Rows, rows_of
from storage.store import Commit, Outcome, Stored, StoreUnavailable

GROUP_MAX: Final = 256
WAITING_MAX: Final = 8192
_GROUPS_AT_ONCE: Final = 2


class _Waiting:
    """A commit on its way and who waits for its outcome."""

    __slots__ = ("outcome", "rows")

    def __init__(self, rows: Rows, outcome: asyncio.Future[Outcome]) -> None:
        self.rows, self.outcome = rows, outcome

    def tell(self, result: Result) -> None:
        if self.outcome.done():
            return
        if isinstance(result, Exception):
            self.outcome.set_exception(result)
        else:
            self.outcome.set_result(result)


class GroupCommit:
    """While some groups are on their way, the next one gathers.

    Two groups may be, of which no two touch the same thing. A group costs the same however much it
    carries, so the second leaves with half as many as the first, or more.
    """

    def __init__(
        self, database: Database, *, group_max: int = GROUP_MAX, waiting_max: int = WAITING_MAX
    ) -> None:
        self._database = database
        self._group_max, self._waiting_max = group_max, waiting_max
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[str] = set()
        self._travelling = 0
        self._running: set[asyncio.Task[Any] | None] = set()

    async def commit(self, commit: Commit) -> Outcome:
        """Store a commit with whatever else is ready; see `Store.commit`."""
        if len(self._waiting) >= self._waiting_max:
            raise StoreUnavailable(f"{self._waiting_max} commits wait already")
        rows = rows_of(commit)
        if not (rows.names or rows.effects):
            return Stored()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(rows, loop.create_future())
        self._waiting.append(waiting)
        if len(self._running) < _GROUPS_AT_ONCE and self._are_enough():
            self._running.add(loop.create_task(self._run()))
        return await waiting.outcome

    async def close(self) -> None:
        """Wait until all that was handed in has its outcome."""
        while self._running:
            await asyncio.wait([one for one in self._running if one is not None])

    async def _run(self) -> None:
        """Nobody's cancellation ends this but its own."""
        try:
            await self._store_while_it_is_worth_it()
        finally:
            # It leaves by itself: it is done a moment later than it has looked for the last time.
            self._running.discard(asyncio.current_task())

    async def _store_while_it_is_worth_it(self) -> None:
        while self._are_enough() and (group := self._gather()):
            names = frozenset[str]().union(*(one.rows.names for one in group))
            self._under_way |= names
            self._travelling += len(group)
            try:
                results = await self._store(group)
            finally:
                self._under_way -= names
                self._travelling -= len(group)
            for waiting, result in zip(group, results, strict=True):
                waiting.tell(result)

    def _are_enough(self) -> bool:
        """Whether what waits is worth a group beside those under way."""
        return 2 * len(self._waiting) >= self._travelling

    def _gather(self) -> list[_Waiting]:
        """The next group, in order of arrival; what touches the things of an earlier one waits."""
        group: list[_Waiting] = []
        later: list[_Waiting] = []
        taken = set(self._under_way)
        while self._waiting and len(group) < self._group_max:
            one = self._waiting.popleft()
            if one.outcome.done():
                continue
            (group if taken.isdisjoint(one.rows.names) else later).append(one)
            taken |= one.rows.names
        self._waiting.extendleft(reversed(later))
        return group

    async def _store(self, group: Sequence[_Waiting]) -> Sequence[Result]:
        try:
            return await store_group(self._database, [one.rows for one in group])
        except StoreUnavailable as error:
            # One error for each: tasks that raise the same object would write into its traceback.
            return [StoreUnavailable(str(error)) for _ in group]
        except Exception as error:  # noqa: BLE001 - a bug ends those who wait, not the queue
            return [_copy_of(error) for _ in group]


def _copy_of(error: Exception) -> Exception:
    copy = RuntimeError(f"{type(error).__name__}: {error}")
    copy.__cause__ = error
    return copy
