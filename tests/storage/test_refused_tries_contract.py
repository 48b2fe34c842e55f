"""What must hold of the records of what was refused, in memory and in PostgreSQL."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from actors.clock import SystemClock
from engine.audit.refused import RefusedKind, RefusedTry
from engine.kernel.pages import Wanted
from engine.kernel.timing import DAY_MS
from engine.listings import REFUSED_TRIES
from storage.database import Database
from storage.queries import queries
from storage.refused_tries import MemoryRefusedTries, PostgresRefusedTries, RefusedTryStore
from storage.settings import DatabaseSettings
from tests.builders import NOON, new_id
from tests.storage.walking import keeps_its_word

ALL = Wanted(limit=100)


def a_try(n: int, at: int = NOON) -> RefusedTry:
    return RefusedTry(
        id=new_id(),
        kind=RefusedKind.ACCESS if n % 2 else RefusedKind.LOG_IN,
        code="not_allowed" if n % 2 else "wrong_code",
        route="GET /v1/orders/{order_id}",
        subject=f"tried:{n % 3}",
        place=f"{n % 2}",
        count=n + 1,
        first_at=at,
        last_at=at + n,
    )


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> RefusedTryStore:
    if request.param == "memory":
        return MemoryRefusedTries()
    return PostgresRefusedTries(request.getfixturevalue("database"))


async def test_what_was_refused_is_listed_in_pages_and_by_filters(store: RefusedTryStore) -> None:
    rows = [a_try(n) for n in range(5)]
    await store.save_refused(rows)
    assert set((await store.list_refused(ALL)).rows) == set(rows)
    await keeps_its_word(REFUSED_TRIES, rows, store.list_refused)


async def test_what_is_written_again_stays_as_it_was(store: RefusedTryStore) -> None:
    first = a_try(0)
    await store.save_refused([first])
    await store.save_refused([replace(first, count=9), a_try(1)])
    assert {one.count for one in (await store.list_refused(ALL)).rows} == {1, 2}


@pytest.mark.parametrize(
    "statement",
    [
        "update refused_tries set state = state || '{\"count\": 0}'",
        "delete from refused_tries",
        "truncate refused_tries",
    ],
)
async def test_what_was_refused_today_cannot_be_made_unsaid(
    database: Database, dsn: str, statement: str
) -> None:
    store = PostgresRefusedTries(database)
    await store.save_refused([a_try(0, at=SystemClock().now())])
    connection = await asyncpg.connect(dsn)
    try:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="only ever added"):
            await connection.execute(statement)
    finally:
        await connection.close()
    assert len((await store.list_refused(ALL)).rows) == 1


async def test_what_is_old_goes(database: Database) -> None:
    store, now = PostgresRefusedTries(database), SystemClock().now()
    await store.save_refused([a_try(0, at=now - 3 * DAY_MS), a_try(1, at=now)])
    gone = await database.run(queries.remove_old_refused_tries, before=now - 2 * DAY_MS, limit=100)
    assert gone == 1
    assert [one.count for one in (await store.list_refused(ALL)).rows] == [2]
