"""What must hold of requests about oneself, in memory and in PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.kernel.ids import UserId
from engine.privacy.requests import (
    PrivacyRequest,
    PrivacyRequestId,
    PrivacyRules,
    RequestKind,
    ask,
    withdraw,
)
from storage.database import Database
from storage.memory import MemoryStore
from storage.memory_privacy import MemoryPrivacy
from storage.privacy import PostgresPrivacy, PrivacyStore
from storage.settings import DatabaseSettings
from storage.vault import Vault
from tests.builders import NOON, new_id

RULES = PrivacyRules(grace_ms=1_000, fetch_ms=1_000)


@pytest.fixture
async def on_postgres(database_settings: DatabaseSettings) -> AsyncIterator[PostgresPrivacy]:
    database = await Database.open(database_settings)
    yield PostgresPrivacy(database, Vault(KeyRing(make_keys(SystemChance()))))
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> PrivacyStore:
    if request.param == "memory":
        memory = MemoryStore()
        return MemoryPrivacy(memory.outbox, memory.audit)
    opened: PostgresPrivacy = request.getfixturevalue("on_postgres")
    return opened


def a_request(user_id: UserId, kind: RequestKind) -> PrivacyRequest:
    return ask(PrivacyRequestId(new_id()), user_id, kind, RULES, by=user_id, now=NOON)


async def test_one_of_each_kind_is_open_for_each_person(store: PrivacyStore) -> None:
    for user_id in (UserId(new_id()), UserId(new_id())):
        for kind in RequestKind:
            request = a_request(user_id, kind)
            assert await store.save_request(request)
            assert not await store.save_request(a_request(user_id, kind))
            assert await store.find_open_request(user_id, kind) == request


async def test_who_has_withdrawn_may_ask_again(store: PrivacyStore) -> None:
    user_id = UserId(new_id())
    first = a_request(user_id, RequestKind.ERASURE)
    assert await store.save_request(first)
    ended = withdraw(first, now=NOON + 1)
    assert isinstance(ended, PrivacyRequest)
    assert await store.save_request(ended)
    assert not await store.save_request(replace(ended, version=ended.version + 2))
    assert await store.save_request(a_request(user_id, RequestKind.ERASURE))
