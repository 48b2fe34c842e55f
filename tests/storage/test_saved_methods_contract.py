"""What must hold of saved methods, in memory and in PostgreSQL."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.kernel.ids import UserId
from engine.payments.gateways import Card, GatewayName, Network
from engine.payments.saved import SAVED_MAX, SavedMethod, method_id
from storage.database import Database
from storage.saved_methods import MemorySavedMethods, PostgresSavedMethods, SavedMethodStore
from storage.settings import DatabaseSettings
from tests.builders import NOON, new_id


@pytest.fixture
async def on_postgres(database_settings: DatabaseSettings) -> AsyncIterator[PostgresSavedMethods]:
    database = await Database.open(database_settings)
    yield PostgresSavedMethods(database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> SavedMethodStore:
    if request.param == "memory":
        return MemorySavedMethods()
    opened: PostgresSavedMethods = request.getfixturevalue("on_postgres")
    return opened


def a_method(customer_id: str, token: str, **fields: Any) -> SavedMethod:
    who = UserId(customer_id)
    known = {
        "id": method_id(who, GatewayName.MOYASAR, token),
        "customer_id": who,
        "gateway": GatewayName.MOYASAR,
        "network": Network.MADA,
        "token": token,
        "card": Card(network=Network.MADA, last_four="1010", expires_year=2030, expires_month=12),
        "saved_at": NOON,
    }
    return SavedMethod(**{**known, **fields})


async def test_what_is_saved_is_listed_until_it_is_forgotten(store: SavedMethodStore) -> None:
    mine, other = new_id(), new_id()
    first, second = a_method(mine, "token_a"), a_method(mine, "token_b", saved_at=NOON + 1)
    for one in (first, second, first, a_method(other, "token_a")):
        await store.save(one)
    assert await store.list_of(UserId(mine)) == (second, first)
    assert await store.find(first.id) == first
    assert await store.find("no id") is None
    await store.forget(first.id)
    assert await store.list_of(UserId(mine)) == (second,)
    assert len(await store.list_of(UserId(other))) == 1


async def test_of_too_many_the_newest_are_kept(store: SavedMethodStore) -> None:
    mine = new_id()
    methods = [a_method(mine, f"token_{n}", saved_at=NOON + n) for n in range(SAVED_MAX + 3)]
    for one in methods:
        await store.save(one)
    assert await store.list_of(UserId(mine)) == tuple(reversed(methods[3:]))


async def test_a_cards_number_cannot_be_stored(on_postgres: PostgresSavedMethods) -> None:
    with pytest.raises(Exception, match="saved_methods_no_card"):
        await on_postgres.save(a_method(new_id(), "4201320111111010"))
