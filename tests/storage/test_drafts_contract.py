"""What must hold of drafts, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.orders.drafting import DRAFTS_MAX, Draft, DraftId
from engine.orders.order import Gift, Recipient
from storage.database import Database
from storage.drafts import DraftStore, MemoryDrafts, PostgresDrafts
from storage.settings import DatabaseSettings
from tests.builders import NOON, new_id


@pytest.fixture
async def on_postgres(database_settings: DatabaseSettings) -> AsyncIterator[PostgresDrafts]:
    database = await Database.open(database_settings)
    yield PostgresDrafts(database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> DraftStore:
    if request.param == "memory":
        return MemoryDrafts()
    opened: PostgresDrafts = request.getfixturevalue("on_postgres")
    return opened


def a_draft(customer_id: UserId, at: int = NOON) -> Draft:
    return Draft(
        version=1,
        id=DraftId(new_id()),
        customer_id=customer_id,
        changed_at=at,
        gift=Gift(description="Roses", message="مبروك 🎉"),
    )


async def test_what_is_begun_is_changed_until_it_is_forgotten(store: DraftStore) -> None:
    mine = UserId(new_id())
    first, second = a_draft(mine), a_draft(mine, NOON + 1)
    for one in (first, second, a_draft(UserId(new_id()))):
        assert await store.begin(one)
    assert await store.list_of(mine) == (second, first)
    assert await store.find(DraftId("no id")) is None
    later = replace(first, version=2, recipient=Recipient(name="Noura"), changed_at=NOON + 2)
    assert await store.save(later)
    assert await store.list_of(mine) == (later, second)
    await store.forget(second.id)
    assert (await store.find(second.id), await store.list_of(mine)) == (None, (later,))


async def test_of_those_who_change_the_same_version_one_does(store: DraftStore) -> None:
    draft = a_draft(UserId(new_id()))
    await store.begin(draft)
    changed = [replace(draft, version=2, preparation_s=n) for n in range(10)]
    told = await asyncio.gather(*(store.save(one) for one in changed))
    assert sum(told) == 1
    assert not await store.save(replace(draft, version=4))
    assert not await store.save(replace(a_draft(draft.customer_id), version=2))
    assert await store.find(draft.id) == changed[told.index(True)]


async def test_nobody_keeps_more_than_he_may_however_many_he_begins(store: DraftStore) -> None:
    mine = UserId(new_id())
    told = await asyncio.gather(*(store.begin(a_draft(mine)) for _ in range(DRAFTS_MAX + 10)))
    assert sum(told) == DRAFTS_MAX == len(await store.list_of(mine))
    assert await store.begin(a_draft(UserId(new_id())))
