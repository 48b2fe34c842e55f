"""What must hold of kept settlement runs and breaks, in memory and in PostgreSQL."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from engine.kernel.filters import Condition, Operator
from engine.kernel.ids import UserId
from engine.kernel.pages import Wanted
from engine.money import breaks as rules
from engine.money import feeds
from engine.money.breaks import BreakId, BreakStatus, RunId, SettlementRun
from storage.database import Database
from storage.memory import MemoryStore
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.settlements import MemorySettlements, PostgresSettlements, SettlementStore
from tests.builders import NOON, new_id
from tests.engine.money.test_breaks import a_break


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture
def settlements(
    store: MemoryStore | PostgresStore, request: pytest.FixtureRequest
) -> SettlementStore:
    if isinstance(store, MemoryStore):
        return MemorySettlements()
    return PostgresSettlements(request.getfixturevalue("database"))


def a_run(at: int = NOON) -> SettlementRun:
    return SettlementRun(
        id=RunId(new_id()),
        gateway="moyasar",
        name="a.csv",
        digest="d",
        made_at=at,
        made_by=UserId(new_id()),
        lines=1,
        matches=0,
        breaks=1,
        settled_halalas=0,
    )


async def test_a_run_is_kept_with_its_breaks_or_not_at_all(settlements: SettlementStore) -> None:
    run, one = a_run(), replace(a_break(), id=BreakId(new_id()), since_at=NOON - 5)
    assert await settlements.save_run(run, [one])
    other = a_run(NOON + 1)
    new = replace(a_break(), id=BreakId(new_id()))
    assert not await settlements.save_run(other, [new, one])
    assert await settlements.find_run(other.id) is None
    assert await settlements.find_breaks([new.id]) == ()
    assert await settlements.find_run(run.id) == run
    assert (await settlements.list_runs(Wanted(limit=5))).rows == (run,)
    assert await settlements.find_breaks([one.id, BreakId("none")]) == (one,)
    assert await settlements.list_undecided("moyasar") == (one,)
    assert await settlements.list_undecided("stripe") == ()


async def test_of_two_who_decide_one_is_told_so(settlements: SettlementStore) -> None:
    one = a_break()
    assert await settlements.save_run(a_run(), [one])
    done = rules.write_off(one, note="lost", by=UserId(new_id()), limit_halalas=10, now=NOON)
    assert isinstance(done, rules.SettlementBreak)
    assert await settlements.save_break(done)
    assert not await settlements.save_break(done)
    assert await settlements.list_undecided("moyasar") == ()
    assert await settlements.list_due(NOON, limit=5) == (done,)
    assert await settlements.list_due(NOON - 1, limit=5) == ()
    assert await settlements.save_break(rules.entered(done))
    assert await settlements.list_due(NOON, limit=5) == ()
    status = Condition("status", Operator.IS, BreakStatus.WRITTEN_OFF.value)
    listed = await settlements.list_breaks(Wanted(limit=5, descending=False, only=(status,)))
    assert listed.rows == (rules.entered(done),)
    is_open = replace(status, value="open")
    assert (await settlements.list_breaks(Wanted(limit=5, only=(is_open,)))).rows == ()


async def test_a_feed_follows_its_last_version_and_never_goes_back(
    settlements: SettlementStore,
) -> None:
    begun = feeds.begin("moyasar", NOON)
    first = feeds.advanced(begun, NOON + 1)
    assert await settlements.save_feed(first)
    assert not await settlements.save_feed(feeds.failed(begun, "why", now=NOON))
    failed = feeds.failed(first, "why", now=NOON + 2)
    assert await settlements.save_feed(failed)
    other = feeds.caught_up(feeds.begin("paypal", NOON), now=NOON)
    assert await settlements.save_feed(other)
    assert await settlements.list_feeds() == (failed, other)


async def test_the_database_refuses_a_feed_that_goes_back(
    database: Database,
) -> None:
    settlements = PostgresSettlements(database)
    first = feeds.advanced(feeds.begin("moyasar", NOON), NOON + 1)
    assert await settlements.save_feed(first)
    with pytest.raises(asyncpg.CheckViolationError):
        await settlements.save_feed(replace(first, version=2, fetched_until=NOON))
