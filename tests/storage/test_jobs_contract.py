"""What must hold of the runs of jobs, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.jobs import JobName, begin, done
from storage.database import Database
from storage.jobs import JobStore, MemoryJobs, PostgresJobs
from storage.settings import DatabaseSettings
from tests.builders import NOON


@pytest.fixture
async def on_postgres(database_settings: DatabaseSettings) -> AsyncIterator[PostgresJobs]:
    database = await Database.open(database_settings)
    yield PostgresJobs(database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> JobStore:
    if request.param == "memory":
        return MemoryJobs()
    opened: PostgresJobs = request.getfixturevalue("on_postgres")
    return opened


async def test_of_many_who_begin_a_job_one_does(store: JobStore) -> None:
    assert await store.find(JobName.POINTS) is None
    job = begin(None, JobName.POINTS, NOON, now=NOON)
    assert job is not None
    assert sum(await asyncio.gather(*(store.save(job) for _ in range(8)))) == 1
    ended = done(job, "all", now=NOON + 5)
    assert sum(await asyncio.gather(*(store.save(ended) for _ in range(8)))) == 1
    assert not await store.save(job)
    assert await store.find(JobName.POINTS) == ended
    assert await store.find(JobName.CLOSING) is None
