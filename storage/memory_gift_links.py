"""The in-memory twin of gift links."""

from engine.kernel.ids import UserId
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import GIFT_LINKS
from engine.orders.gift_link import GiftLink, GiftLinkId


class MemoryGiftLinks:
    """Satisfies `GiftLinkStore`; nothing in it waits."""

    def __init__(self) -> None:
        self._kept: dict[GiftLinkId, GiftLink] = {}

    async def save(self, link: GiftLink) -> bool:
        last = self._kept.get(link.id)
        if link.version != (last.version if last else 0) + 1:
            return False
        self._kept[link.id] = link
        return True

    async def find(self, gift_link_id: GiftLinkId) -> GiftLink | None:
        return self._kept.get(gift_link_id)

    async def list_of(self, customer_id: UserId, wanted: Wanted) -> Page[GiftLink]:
        mine = (one for one in self._kept.values() if one.customer_id == customer_id)
        return GIFT_LINKS.page(mine, wanted)

    async def list_due(self, now: Instant, *, limit: int) -> tuple[GiftLink, ...]:
        due = [
            (one.due_at, one.id, one)
            for one in self._kept.values()
            if one.due_at is not None and one.due_at <= now
        ]
        return tuple(one for *_, one in sorted(due, key=lambda row: row[:2])[:limit])
