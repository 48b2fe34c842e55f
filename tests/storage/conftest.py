"""Stores and live streams that the contract suites run on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from storage.memory import MemoryStore
from storage.memory_live import MemoryLive
from storage.migrate import migrate
from storage.postgres import PostgresStore
from storage.redis_live import RedisLive
from storage.settings import DatabaseSettings
from tests.fixtures.servers import Databases


@pytest.fixture(scope="session")
def migrated(databases: Databases) -> str:
    """DSN of an empty database with the newest schema: a template, not to be connected to."""
    dsn = databases.create()
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, migrate(dsn)).result()
    return dsn


@pytest.fixture
def dsn(databases: Databases, migrated: str) -> Iterator[str]:
    """DSN of a database with the newest schema and nothing in it."""
    copy = databases.create(template=migrated)
    yield copy
    databases.drop(copy)


@pytest.fixture
def database_settings(dsn: str) -> DatabaseSettings:
    return DatabaseSettings(dsn=SecretStr(dsn), pool_max=4)


@pytest.fixture
async def postgres(database_settings: DatabaseSettings) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> MemoryStore | PostgresStore:
    """What must hold of a store must hold of both."""
    if request.param == "memory":
        return MemoryStore()
    opened: PostgresStore = request.getfixturevalue("postgres")
    return opened


@pytest.fixture
async def redis_live(empty_redis_url: str) -> AsyncIterator[RedisLive]:
    opened = RedisLive(empty_redis_url)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "valkey"])
def live(request: pytest.FixtureRequest) -> MemoryLive | RedisLive:
    """What must hold of a live stream must hold of both."""
    if request.param == "memory":
        return MemoryLive()
    opened: RedisLive = request.getfixturevalue("redis_live")
    return opened
