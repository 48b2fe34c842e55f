"""Whoever asks together is answered together, each with what he asked for."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from storage.database import Database
from storage.gathering import Gathering
from storage.queries import Query
from storage.settings import DatabaseSettings
from storage.store import StoreUnavailable

KNOWN = [str(UUID(int=one)) for one in range(1, 6)]
UNKNOWN = str(UUID(int=99))
# Finds the ids below ten, and says with how many others each was asked for.
_TOGETHER = Query(
    "together",
    """
    select one::text as id, to_jsonb(cardinality($1::uuid[])) as state
    from unnest($1::uuid[]) as one where one < '00000000-0000-0000-0000-000000000010'
    """,
    ("ids",),
)
_WRITTEN = Query("written", "select id::text as id, state from own where id = any($1)", ("ids",))


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture
def together(database: Database) -> Gathering[int]:
    return Gathering(database, _TOGETHER, lambda state: int(bytes(state)))


async def test_who_asks_at_once_shares_a_statement(together: Gathering[int]) -> None:
    found = await asyncio.gather(*(together.find(one) for one in [*KNOWN, UNKNOWN, *KNOWN]))
    assert found == [6] * 5 + [None] + [6] * 5


async def test_who_asks_after_a_statement_has_begun_goes_with_the_next(database: Database) -> None:
    later: list[asyncio.Future[int | None]] = []

    def read(state: bytes) -> int:
        if not later:
            later.extend(asyncio.ensure_future(own.find(one)) for one in KNOWN)
        return int(bytes(state))

    own = Gathering(database, _TOGETHER, read)
    assert await own.find(KNOWN[0]) == 1
    assert await asyncio.gather(*later) == [5] * 5


async def test_what_cannot_be_an_id_has_nothing(together: Gathering[int]) -> None:
    assert await together.find("x' or true --") is None


async def test_who_goes_away_takes_nobody_with_him(together: Gathering[int]) -> None:
    asked = [asyncio.ensure_future(together.find(KNOWN[0])) for _ in range(3)]
    await asyncio.wait(asked, timeout=0)
    asked[0].cancel()
    assert await asyncio.gather(*asked[1:]) == [1, 1]
    assert asked[0].cancelled()


async def test_a_failure_reaches_everybody_who_waits(
    database: Database, together: Gathering[int]
) -> None:
    await database.close()
    asked = [together.find(one) for one in KNOWN]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, StoreUnavailable) for one in told)


async def test_who_writes_and_reads_in_one_transaction_sees_what_he_wrote(
    database: Database,
) -> None:
    own = Gathering(database, _WRITTEN, lambda state: int(bytes(state)))
    async with database.as_one() as session:
        await session.connection.execute(
            "create temporary table own (id uuid, state jsonb) on commit drop"
        )
        for one in KNOWN[:2]:
            await session.connection.execute("insert into own values ($1, $2)", one, b"7")
            assert (await own.find(one), await own.find(UNKNOWN)) == (7, None)
