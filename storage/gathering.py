"""Rows that are looked for at the same moment are fetched by one statement."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from storage.database import Database
from storage.kinds import known
from storage.queries import Query
from storage.together import Together

V = TypeVar("V")
_TOGETHER_MAX: Final = 256


class Gathering(Generic[V]):
    """Finds rows by their ids, as they are stored when it is asked or later, never earlier.

    While one statement is under way the next ids gather, so a busy process sends a few statements
    with many ids each and a quiet one waits for nobody. `query` takes `ids` and gives `id` and a
    second column, `column`, of which `read` makes what is found.
    """

    def __init__(
        self,
        database: Database,
        query: Query,
        read: Callable[[Any], V],
        *,
        column: str = "state",
    ) -> None:
        self._database = database
        self._query = query
        self._read = read
        self._column = column
        self._together = Together(self._fetch, most=_TOGETHER_MAX)

    async def find(self, identifier: str) -> V | None:
        """What has this id; raises `StoreUnavailable`."""
        if known(identifier) is None:
            return None
        if self._database.is_joined:
            # Who reads within his own transaction must see what he wrote in it.
            return (await self._fetch([identifier])).get(identifier)
        return await self._together.find(identifier)

    async def _fetch(self, ids: Sequence[str]) -> dict[str, V]:
        rows = await self._database.rows(self._query, ids=ids)
        return {row["id"]: self._read(row[self._column]) for row in rows}
