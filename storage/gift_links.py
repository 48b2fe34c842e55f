"""Gifts that wait for their recipients' addresses."""

from collections.abc import Sequence
from typing import Protocol

from engine.kernel.ids import UserId
from engine.kernel.messages import Effect
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import GIFT_LINKS
from engine.orders.gift_link import GiftLink, GiftLinkId
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries


class GiftLinkStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save(
        self, link: GiftLink, *, effects: Sequence[Effect] = (), at: Instant = 0
    ) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker.

        The effects are promised `at` with it, or not at all.
        """
        ...

    async def find(self, gift_link_id: GiftLinkId) -> GiftLink | None:
        """One of them by its id."""
        ...

    async def list_of(self, customer_id: UserId, wanted: Wanted) -> Page[GiftLink]:
        """A page of a sender's, as `GIFT_LINKS` says."""
        ...

    async def list_due(self, now: Instant, *, limit: int) -> tuple[GiftLink, ...]:
        """Those with something to be done by now, the longest overdue first."""
        ...


class PostgresGiftLinks:
    """Satisfies `GiftLinkStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, link: GiftLink, *, effects: Sequence[Effect] = (), at: Instant = 0
    ) -> bool:
        async with self._database.transaction() as session:
            count = await session.run(
                queries.save_gift_link, state=encode(link), due_at=link.due_at
            )
            for effect in effects if count == 1 else ():
                await session.run(queries.promise_effect, effect=encode(effect), at=at)
        return count == 1

    async def find(self, gift_link_id: GiftLinkId) -> GiftLink | None:
        state = await self._database.value(queries.find_gift_link, gift_link_id=known(gift_link_id))
        return None if state is None else decode(GiftLink, state)

    async def list_of(self, customer_id: UserId, wanted: Wanted) -> Page[GiftLink]:
        return await page_in(
            self._database,
            queries.list_gift_links_of,
            GIFT_LINKS,
            wanted,
            lambda row: decode(GiftLink, row["state"]),
            customer_id=known(customer_id),
        )

    async def list_due(self, now: Instant, *, limit: int) -> tuple[GiftLink, ...]:
        rows = await self._database.rows(queries.list_due_gift_links, now=now, limit=limit)
        return tuple(decode(GiftLink, row["state"]) for row in rows)
