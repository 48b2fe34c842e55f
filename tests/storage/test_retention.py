"""What has grown old goes by itself, and what is not old stays."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from actors.audit import AuditKeeper
from actors.clock import SystemClock
from engine.audit.record import Action, acted
from engine.kernel.ids import CommandId, CourierId, EffectId, UserId
from engine.kernel.messages import Caller, Decision, Role
from engine.kernel.timing import DAY_MS
from engine.orders.messages import SendSms
from engine.orders.order import OrderStatus
from engine.privacy.retention import Periods
from storage.audit import PostgresAudit
from storage.database import Database
from storage.objects import Objects
from storage.postgres import PostgresStore
from storage.queries import queries
from storage.retention import PostgresRetention
from storage.settings import DatabaseSettings, ObjectSettings
from storage.store import Answer, Commit, Store, TrailFix
from tests.builders import NOON, a_quote, a_zone, new_id
from tests.storage.telling import CELL, a_told_story

OLD, NOW = NOON, NOON + 800 * DAY_MS
PERIODS = Periods()
ADMIN = Caller(user_id=UserId(new_id()), role=Role.ADMIN, place="192.0.2.7")


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture
def retention(database: Database, tmp_path: Path) -> PostgresRetention:
    return PostgresRetention(database, Objects(ObjectSettings(), tmp_path))


async def a_day(store: Store, at: int) -> EffectId:
    """A message that has left and one that has not, an answer, a quote and a fix of one moment."""
    left, waiting = (
        SendSms(id=EffectId(new_id()), phone="+966501234567", text="…") for _ in range(2)
    )
    answer = Answer(command_id=CommandId(new_id()), fingerprint="")
    decision = Decision(effects=(left, waiting))
    await store.commit(Commit(cell=CELL, decision=decision, at=at, answer=answer))
    await store.finish_effect(left.id, now=at)
    await store.save_quote(a_quote(a_zone(), at=at))
    courier_id = CourierId(UserId(new_id()))
    await store.save_trail([TrailFix(courier_id=courier_id, at=at, lat=24, lng=46, accuracy_m=5)])
    return waiting.id


async def count(database: Database, sql: str) -> Any:
    async with database.session() as session:
        return await session.connection.fetchval(sql)


async def test_what_is_old_goes_and_what_is_not_stays(
    database: Database, retention: PostgresRetention
) -> None:
    store = PostgresStore(database)
    undone = await a_day(store, OLD)
    await a_day(store, NOW)
    gone = await retention.forget_old(PERIODS, now=NOW)
    assert gone == {"answers": 1, "outbox": 1, "trail": 1, "quotes": 1}
    assert await retention.forget_old(PERIODS, now=NOW) == {}
    for table in ("answers", "trail", "quotes"):
        assert await count(database, f"select count(*) from {table}") == 1
    # However old it is, what has not happened yet has still to happen.
    assert await count(database, "select count(*) from outbox") == 3
    assert await count(
        database,
        f"select count(*) from outbox where effect_id = '{undone}'",
    )


async def test_an_old_order_loses_who_received_it_and_where_and_a_new_one_does_not(
    database: Database, retention: PostgresRetention
) -> None:
    store = PostgresStore(database)
    old = (await a_told_story(store, OrderStatus.DELIVERED)).order
    new = (await a_told_story(store, OrderStatus.DELIVERED, at=NOW)).order
    still_open = (await a_told_story(store, OrderStatus.ASSIGNED)).order
    gone = await retention.forget_old(PERIODS, now=NOW)
    assert gone["orders"] == 1
    assert "orders" not in await retention.forget_old(PERIODS, now=NOW)
    assert await store.find_order(new.id) == new
    assert await store.find_order(still_open.id) == still_open
    kept = await store.find_order(old.id)
    assert kept is not None
    assert (kept.recipient.name, kept.recipient.phone, kept.pin) == ("", "", "")
    assert (kept.door.address, kept.gift.description, kept.gift.message) == ("", "", "")
    assert abs(kept.door.point.lat - old.door.point.lat) <= 0.005
    assert kept.door.point != old.door.point
    assert (kept.version, kept.status, kept.total_halalas, kept.shop) == (
        old.version,
        old.status,
        old.total_halalas,
        old.shop,
    )
    for offer in await store.list_offers_for(old.id):
        assert offer.stops == ()
    assert {one.type for one in await store.list_events(old.id)} >= {
        "OrderPlaced",
        "OrderDelivered",
    }


async def test_nobody_else_may_change_what_is_closed(database: Database) -> None:
    store = PostgresStore(database)
    await a_told_story(store, OrderStatus.DELIVERED)
    for change in (
        """update orders set state = state || '{"pin": ""}'""",
        """update orders set state = state || '{"total_halalas": 0}'""",
        "update events set data = '{}'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await count(database, change)
    for change in (
        """update orders set state = state || '{"total_halalas": 0}'""",
        "update events set version = version + 1",
        "delete from events",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await as_redaction(database, change)


async def as_redaction(database: Database, change: str) -> None:
    """Something that is said to redact."""
    async with database.transaction() as session:
        await session.value(queries.begin_redaction)
        await session.connection.execute(change)


async def test_the_log_forgets_from_where_and_its_chain_still_holds(
    database: Database, retention: PostgresRetention
) -> None:
    audit = PostgresAudit(database)
    for at in (OLD, NOW):
        await audit.record([acted(ADMIN, Action.CREATE_ZONE, "zone:1", at=at, reason="rain")])
    gone = await retention.forget_old(PERIODS, now=NOW)
    assert gone == {"audit_log": 1}
    told = await count(database, "select array_agg(circumstances order by number) from audit_log")
    assert told[0] is None
    assert "192.0.2.7" in told[1]
    assert (await AuditKeeper(audit, wall=SystemClock()).verify()).faults == []
