"""Group commit: decisions that are ready together share a transaction, each has its outcome."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from storage.database import Database
from storage.groups import Result, store_group
from storage.pumps import Pumps
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
    """While some groups are on their way, the next one gathers; no two touch the same thing."""

    def __init__(
        self, database: Database, *, group_max: int = GROUP_MAX, waiting_max: int = WAITING_MAX
    ) -> None:
        self._database = database
        self._group_max, self._waiting_max = group_max, waiting_max
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[str] = set()
        self._pumps = Pumps(self._store_what_waits, at_once=_GROUPS_AT_ONCE)

    async def commit(self, commit: Commit) -> Outcome:
        """Store a commit with whatever else is ready; see `Store.commit`."""
        if len(self._waiting) >= self._waiting_max:
            raise StoreUnavailable(f"{self._waiting_max} commits wait already")
        rows = rows_of(commit)
        if not (rows.names or rows.effects):
            return Stored()
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._pumps.start(len(self._waiting))
        return await waiting.outcome

    async def close(self) -> None:
        """Wait until all that was handed in has its outcome."""
        await self._pumps.end()

    async def _store_what_waits(self) -> None:
        """Nobody's cancellation ends this but its own."""
        while self._pumps.is_worth_it(len(self._waiting)) and (group := self._gather()):
            names = frozenset[str]().union(*(one.rows.names for one in group))
            self._under_way |= names
            try:
                with self._pumps.under_way(len(group)):
                    results = await self._store(group)
            finally:
                self._under_way -= names
            for waiting, result in zip(group, results, strict=True):
                waiting.tell(result)

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
