"""Gifts that customers have begun to describe: PostgreSQL and its twin in memory."""

from typing import Protocol

from engine.kernel.ids import UserId
from engine.orders.drafting import DRAFTS_MAX, Draft, DraftId
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


class DraftStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def begin(self, draft: Draft) -> bool:
        """Keep a new one; False when its customer has `DRAFTS_MAX` already."""
        ...

    async def save(self, draft: Draft) -> bool:
        """Keep it in the place of the version before; False when that is not the last one."""
        ...

    async def find(self, draft_id: DraftId) -> Draft | None:
        """One of them by its id."""
        ...

    async def list_of(self, customer_id: UserId) -> tuple[Draft, ...]:
        """A customer's, what was changed last first."""
        ...

    async def forget(self, draft_id: DraftId) -> None:
        """Keep it no longer."""
        ...


class PostgresDrafts:
    """Satisfies `DraftStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, draft: Draft) -> bool:
        async with self._database.transaction() as session:
            # Those who begin at once count each other.
            await session.run(queries.lock_drafts, customer_id=draft.customer_id)
            begun = await session.run(
                queries.begin_draft,
                state=encode(draft),
                customer_id=draft.customer_id,
                drafts_max=DRAFTS_MAX,
            )
        return begun == 1

    async def save(self, draft: Draft) -> bool:
        return await self._database.run(queries.save_draft, state=encode(draft)) == 1

    async def find(self, draft_id: DraftId) -> Draft | None:
        state = await self._database.value(queries.find_draft, draft_id=known(draft_id))
        return None if state is None else decode(Draft, state)

    async def list_of(self, customer_id: UserId) -> tuple[Draft, ...]:
        rows = await self._database.rows(
            queries.list_drafts, customer_id=known(customer_id), limit=DRAFTS_MAX
        )
        return tuple(decode(Draft, row["state"]) for row in rows)

    async def forget(self, draft_id: DraftId) -> None:
        await self._database.run(queries.forget_draft, draft_id=known(draft_id))


class MemoryDrafts:
    """The in-memory twin; nothing in it waits."""

    def __init__(self) -> None:
        self._kept: dict[str, Draft] = {}

    async def begin(self, draft: Draft) -> bool:
        if len(await self.list_of(draft.customer_id)) >= DRAFTS_MAX:
            return False
        self._kept[draft.id] = draft
        return True

    async def save(self, draft: Draft) -> bool:
        last = self._kept.get(draft.id)
        if last is None or last.version != draft.version - 1:
            return False
        self._kept[draft.id] = draft
        return True

    async def find(self, draft_id: DraftId) -> Draft | None:
        return self._kept.get(draft_id)

    async def list_of(self, customer_id: UserId) -> tuple[Draft, ...]:
        mine = [one for one in self._kept.values() if one.customer_id == customer_id]
        return tuple(sorted(mine, key=lambda one: (-one.changed_at, one.id)))

    async def forget(self, draft_id: DraftId) -> None:
        self._kept.pop(draft_id, None)
