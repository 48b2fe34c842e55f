"""What must hold of sheets, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.listings import SHEETS
from engine.sheets import OPEN_MAX, SheetId, cancel, finish, go_on, take
from storage.database import Database
from storage.settings import DatabaseSettings
from storage.sheets import MemorySheets, PostgresSheets, SheetStore
from tests.builders import NOON, new_id
from tests.engine.test_sheets import a_sheet
from tests.storage.walking import keeps_its_word


@pytest.fixture
async def on_postgres(database_settings: DatabaseSettings) -> AsyncIterator[PostgresSheets]:
    database = await Database.open(database_settings)
    yield PostgresSheets(database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> SheetStore:
    if request.param == "memory":
        return MemorySheets()
    opened: PostgresSheets = request.getfixturevalue("on_postgres")
    return opened


async def test_a_sheet_is_kept_with_what_came_of_it(store: SheetStore) -> None:
    sheet = a_sheet()
    assert await store.begin(sheet)
    assert not await store.begin(sheet)
    taken = take(sheet, now=NOON)
    for one in (taken, half := go_on(taken, rows=5, percent=50, now=NOON)):
        assert await store.save(one)
        assert await store.find(sheet.id) == one
    assert await store.find_file(sheet.id) is None
    done = finish(half, rows=9, is_whole=True, now=NOON)
    assert await store.save(done, b"\x1f\x8b\0")
    assert (await store.find(sheet.id), await store.find_file(sheet.id)) == (done, b"\x1f\x8b\0")
    assert await store.find(SheetId("x")) is None
    assert await store.find_file(SheetId(new_id())) is None


async def test_of_two_who_go_on_at_once_one_is_too_late(store: SheetStore) -> None:
    sheet = take(a_sheet(), now=NOON)
    assert await store.begin(sheet)
    cancelled = cancel(sheet, now=NOON)
    assert isinstance(cancelled, type(sheet))
    done = finish(sheet, rows=1, is_whole=True, now=NOON)
    ends = [store.save(one, b"file") for one in (done, done)]
    assert sorted(await asyncio.gather(*ends)) == [False, True]
    assert not await store.save(cancelled)
    assert not await store.save(replace(done, version=9), b"file")


async def test_nobody_has_more_than_a_few_open_ones(store: SheetStore) -> None:
    mine = new_id()
    many = [a_sheet(mine) for _ in range(3 * OPEN_MAX)]
    begun = await asyncio.gather(*(store.begin(one) for one in many))
    assert sum(begun) == OPEN_MAX
    assert await store.begin(a_sheet())
    first = many[begun.index(True)]
    ended = cancel(first, now=NOON)
    assert isinstance(ended, type(first))
    assert await store.save(ended)
    assert await store.begin(a_sheet(mine))


async def test_the_longest_waiting_is_due_first(store: SheetStore) -> None:
    sheets = [a_sheet(at=NOON + minutes) for minutes in (3, 1, 2)]
    for one in sheets:
        assert await store.begin(one)
    due = await store.list_due(NOON + 2, limit=9)
    assert due == (sheets[1], sheets[2])
    assert await store.list_due(NOON + 9, limit=1) == (sheets[1],)


async def test_somebodys_come_newest_first(store: SheetStore) -> None:
    mine = new_id()
    sheets = []
    for at in (NOON, NOON + 5, NOON + 5, NOON + 2):
        sheet = a_sheet(mine, at)
        sheets.append(sheet)
        assert await store.begin(sheet)
        ended = cancel(sheet, now=at)
        assert isinstance(ended, type(sheet))
        assert await store.save(ended)
        sheets[-1] = ended
    assert await store.begin(a_sheet())
    await keeps_its_word(SHEETS, sheets, partial(store.list_of, UserId(mine)))
