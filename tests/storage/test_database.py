"""PostgreSQL away, starting, silent or full: one name for all of it, and in time."""

import asyncio
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from actors.clock import SystemClock
from engine.kernel.ids import OrderId, ZoneId
from storage.database import Database
from storage.postgres import PostgresStore
from storage.queries import queries
from storage.settings import DatabaseSettings
from storage.store import Stored, StoreUnavailable
from tests.builders import a_zone, new_id
from tests.storage.telling import a_commit, first
from tests.wire import Wire


def settings_for(dsn: str, **fields: Any) -> DatabaseSettings:
    return DatabaseSettings(dsn=SecretStr(dsn), **fields)


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    nobody = "postgresql://somebody@127.0.0.1:1/hadiyati"
    with pytest.raises(StoreUnavailable):
        await PostgresStore.open(settings_for(nobody))


async def test_a_wrong_password_is_no_reason_to_try_again(dsn: str) -> None:
    name, _, rest = dsn.partition("://")[2].partition(":")
    wrong = f"postgresql://{name}:wrong@{rest.partition('@')[2]}"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await PostgresStore.open(settings_for(wrong))


async def test_a_silent_server_does_not_hold_us(dsn: str) -> None:
    async with Wire.to(dsn) as wire:
        settings = settings_for(
            wire.url, command_timeout_s=0.3, connect_timeout_s=0.3, pool_min=1, pool_max=1
        )
        store = await PostgresStore.open(settings)
        assert await store.find_order(OrderId(new_id())) is None
        wire.fall_silent()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                async with asyncio.timeout(30):
                    await store.find_order(OrderId(new_id()))
        wire.speak_again()
        assert await store.find_order(OrderId(new_id())) is None
        await store.close()


async def test_a_store_comes_back_with_the_server(dsn: str) -> None:
    async with Wire.to(dsn) as wire:
        store = await PostgresStore.open(settings_for(wire.url, pool_min=1, pool_max=1))
        async with store._database.session() as session:
            wire.cut()
            with pytest.raises(asyncpg.PostgresConnectionError):
                await session.connection.fetchval("select 1")
        assert await store.find_order(OrderId(new_id())) is None
        await store.close()


async def test_a_session_that_an_administrator_ends_is_unavailable_once(
    dsn: str, postgres: PostgresStore
) -> None:
    store = await PostgresStore.open(settings_for(dsn, pool_min=1, pool_max=1))
    async with postgres._database.session() as session:
        await session.connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database()"
        )
    outcomes = [await said(store), await said(store)]
    assert outcomes[-1] is None
    assert all(one is None or isinstance(one, StoreUnavailable) for one in outcomes)
    await store.close()


async def said(store: PostgresStore) -> object:
    """What a statement of its own for something unknown gives, or the error it ends in."""
    asked = store.find_zone(ZoneId(new_id()))
    (answer,) = await asyncio.gather(asked, return_exceptions=True)
    return answer


async def test_a_connection_that_the_driver_lost_track_of_is_unavailable_once(dsn: str) -> None:
    database = await Database.open(settings_for(dsn, pool_min=1, pool_max=1))
    with pytest.raises(StoreUnavailable):
        async with database.session():
            raise asyncpg.InternalClientError("cannot switch to state 12")
    async with database.session() as session:
        assert await session.connection.fetchval("select 1") == 1
    await database.close()


async def test_a_pool_that_is_used_up_is_unavailable(dsn: str) -> None:
    store = await PostgresStore.open(settings_for(dsn, pool_wait_s=0.2, pool_min=1, pool_max=1))
    async with store._database.session():
        with pytest.raises(StoreUnavailable):
            await store.find_order(OrderId(new_id()))
    assert await store.find_order(OrderId(new_id())) is None
    await store.close()


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(dsn: str) -> None:
    store = await PostgresStore.open(settings_for(dsn, statement_timeout_ms=50))
    with pytest.raises(StoreUnavailable):
        async with store._database.session() as session:
            await session.connection.execute("select pg_sleep(5)")
    await store.close()


async def test_who_would_wait_behind_too_many_is_sent_away_at_once(dsn: str) -> None:
    settings = settings_for(dsn, pool_min=1, pool_max=1, pool_waiting_max=2, pool_wait_s=30)
    database = await Database.open(settings)
    store = PostgresStore(database)
    zone = a_zone()
    async with database.session():
        waiting = [asyncio.ensure_future(said(store)) for _ in range(2)]
        while database._waiting < settings.pool_waiting_max:
            await SystemClock().sleep(1)
        assert isinstance(await said(store), StoreUnavailable)
        # What a cell commits waits like a statement, and is not sent away.
        commit = asyncio.ensure_future(store.commit(a_commit(first(zone))))
    assert await asyncio.gather(*waiting) == [None, None]
    assert await commit == Stored()
    assert await said(store) is None
    await store.close()


async def test_a_session_that_idles_in_a_transaction_is_ended_by_the_server(dsn: str) -> None:
    settings = settings_for(dsn, idle_in_transaction_timeout_ms=50, pool_min=1, pool_max=1)
    database = await Database.open(settings)
    with pytest.raises(StoreUnavailable):
        await dawdle(database)
    assert await database.value(queries.find_mark, name="any") is None
    await database.close()


async def test_who_waits_too_long_for_a_lock_is_ended_by_the_server(dsn: str) -> None:
    database = await Database.open(settings_for(dsn, lock_timeout_ms=50, pool_max=2))
    async with database.transaction() as holder:
        await holder.connection.execute("lock table zones in access exclusive mode")
        with pytest.raises(StoreUnavailable):
            async with database.session() as session:
                await session.connection.fetchval("select count(*) from zones")
    await database.close()


async def dawdle(database: Database) -> None:
    """Ask too seldom in a transaction: the server's patience is over before."""
    async with asyncio.timeout(60), database.transaction() as session:
        while True:
            await SystemClock().sleep(100)
            await session.connection.fetchval("select 1")
