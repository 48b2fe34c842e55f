"""What customers pay with again."""

from typing import Protocol

from engine.kernel.ids import UserId
from engine.payments.saved import SAVED_MAX, SavedMethod
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


class SavedMethodStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save(self, method: SavedMethod) -> None:
        """Keep it; of a customer's the newest `SAVED_MAX`."""
        ...

    async def find(self, method_id: str) -> SavedMethod | None:
        """One of them by its id."""
        ...

    async def list_of(self, customer_id: UserId) -> tuple[SavedMethod, ...]:
        """A customer's, newest first."""
        ...

    async def forget(self, method_id: str) -> None:
        """Keep it no longer."""
        ...


class PostgresSavedMethods:
    """Satisfies `SavedMethodStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, method: SavedMethod) -> None:
        async with self._database.transaction() as session:
            await session.run(queries.save_method, state=encode(method))
            await session.run(
                queries.forget_oldest_methods, customer_id=method.customer_id, kept=SAVED_MAX
            )

    async def find(self, method_id: str) -> SavedMethod | None:
        state = await self._database.value(queries.find_saved_method, method_id=known(method_id))
        return None if state is None else decode(SavedMethod, state)

    async def list_of(self, customer_id: UserId) -> tuple[SavedMethod, ...]:
        rows = await self._database.rows(
            queries.list_saved_methods, customer_id=known(customer_id), limit=SAVED_MAX
        )
        return tuple(decode(SavedMethod, row["state"]) for row in rows)

    async def forget(self, method_id: str) -> None:
        await self._database.run(queries.forget_saved_method, method_id=known(method_id))


class MemorySavedMethods:
    """The in-memory twin; nothing in it waits."""

    def __init__(self) -> None:
        self._kept: dict[str, SavedMethod] = {}

    async def save(self, method: SavedMethod) -> None:
        self._kept.setdefault(method.id, method)
        mine = [one for one in self._kept.values() if one.customer_id == method.customer_id]
        for one in sorted(mine, key=_newest_first)[SAVED_MAX:]:
            del self._kept[one.id]

    async def find(self, method_id: str) -> SavedMethod | None:
        return self._kept.get(method_id)

    async def list_of(self, customer_id: UserId) -> tuple[SavedMethod, ...]:
        mine = [one for one in self._kept.values() if one.customer_id == customer_id]
        return tuple(sorted(mine, key=_newest_first))

    async def forget(self, method_id: str) -> None:
        self._kept.pop(method_id, None)


def _newest_first(method: SavedMethod) -> tuple[int, str]:
    return (-method.saved_at, method.id)
