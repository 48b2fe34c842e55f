"""What must hold of gift links, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from engine.kernel.ids import EffectId, PaymentId, UserId
from engine.listings import GIFT_LINKS
from engine.orders import gift_link as rules
from engine.orders.gift_link import GiftLink, GiftLinkId, GiftLinkStatus
from engine.orders.messages import SendSms
from storage.database import Database
from storage.gift_links import GiftLinkStore, PostgresGiftLinks
from storage.memory import MemoryStore
from storage.memory_gift_links import MemoryGiftLinks
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from tests.builders import NOON, new_id
from tests.engine.orders.test_gift_link import a_link
from tests.storage.walking import keeps_its_word


@pytest.fixture
async def postgres_links(database_settings: DatabaseSettings) -> AsyncIterator[PostgresGiftLinks]:
    database = await Database.open(database_settings)
    yield PostgresGiftLinks(database)
    await database.close()


@pytest.fixture
def links(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> GiftLinkStore:
    if isinstance(store, MemoryStore):
        return MemoryGiftLinks(store.outbox)
    opened: PostgresGiftLinks = request.getfixturevalue("postgres_links")
    return opened


async def test_it_is_found_as_it_was_saved_and_listed_newest_first(links: GiftLinkStore) -> None:
    sender = UserId(new_id())
    kept = [a_link(customer_id=sender, made_at=NOON + n // 2) for n in range(5)]
    for one in (*kept, a_link()):
        assert await links.save(one)
    assert await links.find(kept[0].id) == kept[0]
    assert await links.find(GiftLinkId(new_id())) is None
    withdrawn = rules.withdraw(kept[0])
    assert isinstance(withdrawn, GiftLink)
    assert await links.save(withdrawn)
    await keeps_its_word(GIFT_LINKS, (withdrawn, *kept[1:]), partial(links.list_of, sender))


async def test_of_several_who_change_it_at_once_one_does(links: GiftLinkStore) -> None:
    link = a_link()
    assert await links.save(link)
    withdrawn = rules.withdraw(link)
    assert isinstance(withdrawn, GiftLink)
    saved = await asyncio.gather(*(links.save(withdrawn) for _ in range(5)))
    assert sorted(saved) == [False] * 4 + [True]
    assert not await links.save(link)


@pytest.mark.parametrize("status", sorted(GiftLinkStatus))
async def test_each_status_is_kept(links: GiftLinkStore, status: GiftLinkStatus) -> None:
    link = a_link(status=status)
    assert await links.save(link)
    assert await links.find(link.id) == link


async def test_what_it_tells_people_is_promised_with_it_or_not_at_all(
    links: GiftLinkStore, store: MemoryStore | PostgresStore
) -> None:
    link = a_link(version=1)
    late = a_link(id=link.id, version=1)
    sms = [SendSms(id=EffectId(new_id()), phone="+966501234567", text=text) for text in "ab"]
    assert await links.save(link, effects=sms[:1], at=NOON)
    assert not await links.save(late, effects=sms[1:], at=NOON)
    leased = await store.lease_effects(limit=9, now=NOON, lease_until=NOON + 1)
    assert [one.effect for one in leased] == sms[:1]


async def test_what_is_due_is_found_the_longest_overdue_first(links: GiftLinkStore) -> None:
    payment_id = PaymentId(new_id())
    early, late, never = a_link(payment_id=payment_id), a_link(made_at=NOON + 1), a_link()
    assert early.due_at is not None
    withdrawn = rules.withdraw(never)
    assert isinstance(withdrawn, GiftLink)
    for one in (late, early, never, withdrawn):
        assert await links.save(one)
    assert await links.list_due(early.due_at - 1, limit=9) == ()
    assert await links.list_due(early.due_at + 10, limit=9) == (early, late)
    assert await links.list_due(early.due_at + 10, limit=1) == (early,)
    owed = rules.withdraw(early)
    assert isinstance(owed, GiftLink)
    assert await links.save(owed)
    assert await links.list_due(NOON, limit=9) == (owed,)
    assert await links.save(rules.refunded(owed))
    assert await links.list_due(NOON, limit=9) == ()
