"""What must hold of requests about oneself, in memory and in PostgreSQL."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from msgspec.structs import replace

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.kernel.ids import UserId
from engine.kernel.timing import Instant
from engine.listings import CONSENTS, OPEN_PRIVACY_REQUESTS, PRIVACY_REQUESTS
from engine.privacy.consents import Consent, ConsentPurpose, give
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
from tests.storage.walking import keeps_its_word

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


def a_request(user_id: UserId, kind: RequestKind, *, now: Instant = NOON) -> PrivacyRequest:
    return ask(PrivacyRequestId(new_id()), user_id, kind, RULES, by=user_id, now=now)


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


async def test_requests_are_told_page_by_page(store: PrivacyStore) -> None:
    user_id = UserId(new_id())
    told = []
    for number in range(6):
        kind = RequestKind.EXPORT if number % 3 else RequestKind.ERASURE
        request = a_request(user_id, kind, now=NOON + number // 2)
        assert await store.save_request(request)
        ended = withdraw(request, now=NOON + 9)
        assert isinstance(ended, PrivacyRequest)
        assert await store.save_request(ended)
        told.append(ended)
    told += [a_request(user_id, kind) for kind in RequestKind]
    others = [
        a_request(UserId(new_id()), kind, now=NOON + number)
        for number in range(2)
        for kind in RequestKind
    ]
    for one in (*told[-2:], *others):
        assert await store.save_request(one)
    await keeps_its_word(PRIVACY_REQUESTS, told, partial(store.list_requests_of, user_id))
    await keeps_its_word(OPEN_PRIVACY_REQUESTS, [*told[-2:], *others], store.list_open_requests)


async def test_consents_are_told_page_by_page(store: PrivacyStore) -> None:
    user_id = UserId(new_id())
    for person in (user_id, UserId(new_id())):
        for number in range(3):
            for purpose in ConsentPurpose:
                before = await store.find_consent(person, purpose)
                await store.save_consents(
                    give(before, person, purpose, f"v{number}", now=NOON + number)
                )
    ended = [
        Consent(
            user_id=user_id,
            purpose=purpose,
            wording=f"v{number}",
            given_at=NOON + number,
            ended_at=None if number == 2 else NOON + number + 1,
        )
        for number in range(3)
        for purpose in ConsentPurpose
    ]
    await keeps_its_word(CONSENTS, ended, partial(store.list_consents, user_id))
