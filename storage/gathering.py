"""Rows that are looked for at the same moment are fetched by one statement."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from storage.database import Database, Session
from storage.kinds import known
from storage.queries import Query

V = TypeVar("V")
_TOGETHER_MAX: Final = 256


class Gathering(Generic[V]):
    """Finds rows by their ids, as they are stored when it is asked or later, never earlier.

    While one statement is under way the next ids gather, so a busy process sends a few statements
    with many ids each and a quiet one waits for nobody. An id for which several wait is fetched
    once. `query` takes `ids` and gives `id` and `state`, of which `read` makes what is found.
    """

    def __init__(self, database: Database, query: Query, read: Callable[[bytes], V]) -> None:
        self._database = database
        self._query = query
        self._read = read
        self._waiting: dict[str, list[asyncio.Future[V | None]]] = {}
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, identifier: str) -> V | None:
        """What has this id; raises `StoreUnavailable`."""
        if known(identifier) is None:
            return None
        if self._database.is_joined:
            # Who reads within his own transaction must see what he wrote in it.
            async with self._database.session() as session:
                return (await self._fetched(session, [identifier])).get(identifier)
        found: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(identifier, []).append(found)
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.ensure_future(self._fetch())
        return await found

    async def _fetch(self) -> None:
        while self._waiting:
            together = list(self._waiting)[:_TOGETHER_MAX]
            waiting = {one: self._waiting.pop(one) for one in together}
            try:
                async with self._database.session() as session:
                    rows = await self._fetched(session, together)
            except Exception as error:  # noqa: BLE001 - each who waits must hear of it
                _fail(waiting.values(), error)
                continue
            for identifier, each in waiting.items():
                for one in each:
                    if not one.done():
                        one.set_result(rows.get(identifier))

    async def _fetched(self, session: Session, ids: Sequence[str]) -> dict[str, V]:
        rows = await session.rows(self._query, ids=ids)
        return {row["id"]: self._read(row["state"]) for row in rows}


def _fail(waiting: Iterable[list["asyncio.Future[V | None]"]], error: Exception) -> None:
    for each in waiting:
        for one in each:
            if not one.done():
                one.set_exception(error)
