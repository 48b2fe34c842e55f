"""What was refused, as an admin reads it: the port, in memory and in PostgreSQL."""

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import asyncpg
import msgspec

from engine.audit.refused import RefusedTry
from engine.kernel.pages import Page, Wanted
from engine.listings import REFUSED_TRIES
from storage.database import Database
from storage.kinds import encode
from storage.listed import page_in
from storage.queries import queries

_IN_MEMORY_MAX: Final = 100_000


class RefusedTryStore(Protocol):
    """Only ever added to. Every method may raise `StoreUnavailable`."""

    async def save_refused(self, rows: Sequence[RefusedTry]) -> None:
        """Add them; what is here already stays as it is."""
        ...

    async def list_refused(self, wanted: Wanted) -> Page[RefusedTry]:
        """A page of them, as `REFUSED_TRIES` says."""
        ...


class PostgresRefusedTries:
    """Satisfies `RefusedTryStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_refused(self, rows: Sequence[RefusedTry]) -> None:
        states = [encode(one).decode() for one in rows]
        await self._database.run(queries.save_refused_tries, states=states)

    async def list_refused(self, wanted: Wanted) -> Page[RefusedTry]:
        query = queries.list_refused_tries
        return await page_in(self._database, query, REFUSED_TRIES, wanted, _read)


class MemoryRefusedTries:
    """Satisfies `RefusedTryStore`; of too many the oldest go."""

    def __init__(self) -> None:
        self._kept: deque[RefusedTry] = deque(maxlen=_IN_MEMORY_MAX)

    async def save_refused(self, rows: Sequence[RefusedTry]) -> None:
        known = {one.id for one in self._kept}
        self._kept.extend(one for one in rows if one.id not in known)

    async def list_refused(self, wanted: Wanted) -> Page[RefusedTry]:
        return REFUSED_TRIES.page(self._kept, wanted)


def _read(row: asyncpg.Record) -> RefusedTry:
    return msgspec.json.decode(row["state"], type=RefusedTry)
