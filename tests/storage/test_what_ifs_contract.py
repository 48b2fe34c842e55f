"""What must hold of operators' what-ifs, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from msgspec.structs import replace

from engine import what_if as rules
from engine.kernel.ids import ZoneId
from engine.kernel.pages import Page, Wanted
from engine.listings import WHAT_IFS
from engine.what_if import WhatIf, WhatIfId
from storage.database import Database
from storage.memory import MemoryStore
from storage.memory_what_ifs import MemoryWhatIfs
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.store import Store
from storage.what_ifs import PostgresWhatIfs, WhatIfStore
from tests.builders import NOON, a_what_if
from tests.storage.telling import a_staffed_zone
from tests.storage.walking import keeps_its_word


@pytest.fixture
async def postgres_what_ifs(database_settings: DatabaseSettings) -> AsyncIterator[PostgresWhatIfs]:
    database = await Database.open(database_settings)
    yield PostgresWhatIfs(database)
    await database.close()


@pytest.fixture
def what_ifs(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> WhatIfStore:
    if isinstance(store, MemoryStore):
        return MemoryWhatIfs()
    opened: PostgresWhatIfs = request.getfixturevalue("postgres_what_ifs")
    return opened


async def asked(store: Store) -> WhatIf:
    zone, _ = await a_staffed_zone(store)
    return a_what_if(zone_id=zone.id)


async def test_it_is_found_as_it_was_saved(store: Store, what_ifs: WhatIfStore) -> None:
    what_if = await asked(store)
    assert await what_ifs.find(what_if.id) is None
    assert await what_ifs.save(what_if)
    running = rules.start(what_if, now=NOON + 1)
    assert await what_ifs.save(running)
    done = rules.finish(running, {"summary": 'نعم "yes"', "low": -0.1}, now=NOON + 2)
    assert await what_ifs.save(done)
    assert await what_ifs.find(what_if.id) == done
    assert await what_ifs.find(WhatIfId("no id")) is None


async def test_it_follows_the_version_before_it(store: Store, what_ifs: WhatIfStore) -> None:
    what_if = await asked(store)
    assert await what_ifs.save(what_if)
    assert not await what_ifs.save(what_if)
    cancelled = rules.cancel(what_if, now=NOON)
    assert isinstance(cancelled, WhatIf)
    tries = [what_ifs.save(one) for one in (cancelled, rules.start(what_if, now=NOON))]
    assert sorted(await asyncio.gather(*tries)) == [False, True]
    assert not await what_ifs.save(replace(what_if, version=9))


async def test_those_of_a_zone_come_newest_first(store: Store, what_ifs: WhatIfStore) -> None:
    first = await asked(store)
    zone_id = first.asked.zone_id
    more = [a_what_if(zone_id=zone_id, at=NOON + minutes) for minutes in (3, 1, 2, 2)]
    for one in (first, *more, await asked(store)):
        assert await what_ifs.save(one)
    await keeps_its_word(WHAT_IFS, (first, *more), partial(what_ifs.list_of, zone_id))
    assert await what_ifs.list_of(ZoneId("no id"), Wanted(limit=9)) == Page()
