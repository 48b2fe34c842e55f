"""Group commit on PostgreSQL: many at once, each on its own, also when the line breaks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from engine.kernel.ids import CellId
from engine.orders.order import Gift, OrderStatus
from storage.commit import GroupCommit
from storage.database import Database
from storage.groups import store_group
from storage.postgres import PostgresStore
from storage.rows import rows_of
from storage.settings import DatabaseSettings
from storage.store import Commit, Outcome, Repeated, Stale, Stored, StoreUnavailable
from storage.writes import write
from tests.builders import a_placing, a_story, a_zone, new_id, placed
from tests.storage.telling import a_commit, a_staffed_zone, a_told_story, first, outcome_of, tell
from tests.wire import Wire

S = OrderStatus


@pytest.fixture
async def other(database_settings: DatabaseSettings) -> AsyncIterator[PostgresStore]:
    """Another process's store on the same database."""
    opened = await PostgresStore.open(database_settings)
    yield opened
    await opened.close()


async def count(store: PostgresStore, table: str) -> int:
    async with store._database.session() as session:
        found: int = await session.connection.fetchval(f"select count(*) from {table}")
        return found


async def transactions(store: PostgresStore) -> int:
    """How many different transactions wrote the orders that there are."""
    async with store._database.session() as session:
        found: int = await session.connection.fetchval(
            "select count(distinct xmin::text) from orders"
        )
        return found


async def until_somebody_waits_for_a_lock(store: PostgresStore) -> None:
    async with asyncio.timeout(30):
        async with store._database.session() as session:
            waiting = 0
            while not waiting:
                waiting = await session.connection.fetchval(
                    "select count(*) from pg_stat_activity"
                    " where datname = current_database() and wait_event_type = 'Lock'"
                )


async def together(store: PostgresStore, commits: Sequence[Commit]) -> list[Outcome]:
    return await asyncio.gather(*(store.commit(one) for one in commits))


async def test_commits_that_are_ready_together_share_a_transaction(
    postgres: PostgresStore,
) -> None:
    zone, _ = await a_staffed_zone(postgres)
    decisions = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(100)]
    outcomes = await asyncio.gather(*(outcome_of(postgres, one) for one in decisions))
    assert outcomes == [Stored()] * 100
    assert await transactions(postgres) == 1


async def test_a_group_has_a_bound(dsn: str) -> None:
    database = await Database.open(DatabaseSettings(dsn=SecretStr(dsn)))
    store = PostgresStore(database)
    zone, _ = await a_staffed_zone(store)
    small = GroupCommit(database, group_max=10)
    decisions = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(35)]
    outcomes = await asyncio.gather(*(small.commit(a_commit(one)) for one in decisions))
    assert outcomes == [Stored()] * 35
    assert await transactions(store) == 4
    await store.close()


async def test_too_many_who_wait_are_sent_away(dsn: str) -> None:
    database = await Database.open(DatabaseSettings(dsn=SecretStr(dsn)))
    store = PostgresStore(database)
    zone, _ = await a_staffed_zone(store)
    small = GroupCommit(database, group_max=4, waiting_max=8)
    decisions = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(20)]
    outcomes = await asyncio.gather(
        *(small.commit(a_commit(one)) for one in decisions), return_exceptions=True
    )
    assert outcomes[:8] == [Stored()] * 8
    assert all(isinstance(one, StoreUnavailable) for one in outcomes[8:])
    assert await count(store, "orders") == 8
    await store.close()


async def test_of_two_processes_that_race_exactly_one_wins_each_time(
    postgres: PostgresStore, other: PostgresStore
) -> None:
    zone, courier = await a_staffed_zone(postgres)
    for _ in range(20):
        story = a_story(S.WAITING, zone=zone, courier=courier)
        await tell(postgres, story.decisions)
        order = replace(story.order, version=2, failed_attempts=1)
        rival = replace(order, failed_attempts=2)
        outcomes = await asyncio.gather(
            outcome_of(postgres, first(order)), outcome_of(other, first(rival))
        )
        assert sorted(map(str, outcomes)) == [str(Stale(f"order:{order.id}")), str(Stored())]
        winner = order if outcomes[0] == Stored() else rival
        assert await other.find_order(order.id) == winner


async def test_of_two_processes_that_create_the_same_thing_one_wins(
    postgres: PostgresStore, other: PostgresStore
) -> None:
    for _ in range(10):
        zone = a_zone(cells=(CellId(new_id()),))
        rival = replace(zone, name_en="Malaz")
        outcomes = await asyncio.gather(
            outcome_of(postgres, first(zone)), outcome_of(other, first(rival))
        )
        assert sorted(map(str, outcomes)) == [str(Stale(f"zone:{zone.id}")), str(Stored())]


async def test_of_two_processes_that_take_the_same_cell_one_wins(
    postgres: PostgresStore, other: PostgresStore
) -> None:
    for _ in range(10):
        cell = CellId(new_id())
        zones = [a_zone(cells=(cell,)) for _ in range(2)]
        outcomes = await asyncio.gather(
            outcome_of(postgres, first(zones[0])), outcome_of(other, first(zones[1]))
        )
        assert sorted(map(str, outcomes)) == [str(Stale(f"cell:{cell}")), str(Stored())]


async def test_a_command_sent_through_two_processes_is_stored_once(
    postgres: PostgresStore, other: PostgresStore
) -> None:
    zone, _ = await a_staffed_zone(postgres)
    for _ in range(20):
        commit = a_commit(a_story(S.WAITING, zone=zone).decisions[0], command_id=new_id())
        assert commit.answer is not None
        outcomes = await asyncio.gather(postgres.commit(commit), other.commit(commit))
        assert outcomes.count(Stored()) == 1
        assert outcomes.count(Repeated(commit.answer)) == 1


async def test_groups_of_two_processes_that_cross_each_other_both_end(
    postgres: PostgresStore, other: PostgresStore
) -> None:
    zone, _ = await a_staffed_zone(postgres)
    decisions = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(60)]
    commits = [a_commit(one, command_id=new_id()) for one in decisions]
    outcomes = await asyncio.gather(
        *(postgres.commit(one) for one in commits), *(other.commit(one) for one in commits[::-1])
    )
    kinds = [type(one) for one in outcomes]
    assert kinds.count(Stored) == 60
    assert kinds.count(Repeated) == 60
    assert await count(postgres, "orders") == 60


async def test_a_text_that_the_database_cannot_keep_fails_its_own_commit(
    postgres: PostgresStore,
) -> None:
    zone, _ = await a_staffed_zone(postgres)
    bad = placed(zone, a_placing(zone, gift=Gift(description="a\u0000b")))
    good = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(3)]
    outcomes = await asyncio.gather(
        *(outcome_of(postgres, one) for one in [good[0], bad, *good[1:]]), return_exceptions=True
    )
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[:1] + outcomes[2:] == [Stored()] * 3


async def test_a_connection_lost_while_it_commits_leaves_the_repetition_to_find_out(
    dsn: str, postgres: PostgresStore
) -> None:
    zone = a_zone(cells=(CellId(new_id()),))
    async with Wire.to(dsn) as wire:
        store = await PostgresStore.open(DatabaseSettings(dsn=SecretStr(wire.url)))
        commit = a_commit(first(zone), command_id=new_id())
        assert commit.answer is not None
        wire.cut_after_sending(b"COMMIT;")
        with pytest.raises(StoreUnavailable):
            await store.commit(commit)
        assert await store.commit(commit) == Repeated(commit.answer)
        await store.close()


async def test_a_connection_lost_while_one_statement_does_all_leaves_the_repetition_to_find_out(
    dsn: str, postgres: PostgresStore
) -> None:
    stories = [await a_told_story(postgres, S.OFFERED) for _ in range(2)]
    known, commit = [a_commit(one.accept(), command_id=new_id()) for one in stories]
    async with Wire.to(dsn) as wire:
        store = await PostgresStore.open(DatabaseSettings(dsn=SecretStr(wire.url)))
        assert await store.commit(known) == Stored()
        assert commit.answer is not None
        # The statement is known by now, so what holds the values is what carries it out.
        wire.cut_after_sending(UUID(commit.answer.command_id).bytes)
        with pytest.raises(StoreUnavailable):
            await store.commit(commit)
        assert await store.commit(commit) == Repeated(commit.answer)
        await store.close()


async def test_a_group_is_stored_by_one_round_trip_whether_it_is_new_or_changes_what_is_there(
    dsn: str, postgres: PostgresStore
) -> None:
    stories = [await a_told_story(postgres, S.OFFERED) for _ in range(3)]
    zone, _ = await a_staffed_zone(postgres)
    async with Wire.to(dsn) as wire:
        store = await PostgresStore.open(DatabaseSettings(dsn=SecretStr(wire.url), pool_max=1))
        orders = [a_commit(a_story(S.WAITING, zone=zone).decisions[0]) for _ in range(3)]
        assert await store.commit(orders[0]) == Stored()
        asked = wire.requests
        accepted = [a_commit(one.accept()) for one in stories]
        assert await together(store, [*orders[1:], *accepted]) == [Stored()] * 5
        assert wire.requests == asked + 1
        await store.close()


@pytest.mark.parametrize("committed_meanwhile", [2, 3])
async def test_who_waits_for_a_lock_sees_what_was_stored_meanwhile(
    postgres: PostgresStore, other: PostgresStore, committed_meanwhile: int
) -> None:
    story = await a_told_story(postgres, S.WAITING)
    later = [replace(story.order, version=n, failed_attempts=n) for n in (2, 3)]
    before = later[: committed_meanwhile - 1]
    async with postgres._database.transaction() as session:
        for order in before:
            await write(session, [rows_of(a_commit(first(order)))])
        waiting = asyncio.create_task(outcome_of(other, first(later[1])))
        await until_somebody_waits_for_a_lock(postgres)
    if committed_meanwhile == 2:
        assert await waiting == Stored()
    else:
        assert await waiting == Stale(f"order:{story.order.id}")
    assert await other.find_order(story.order.id) == later[1]


async def test_in_the_way_of_one_is_in_no_other_ones_way(postgres: PostgresStore) -> None:
    zone, _ = await a_staffed_zone(postgres)
    orders = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(4)]
    answered, there = a_commit(orders[0], command_id=new_id()), a_commit(orders[1])
    assert await together(postgres, [answered, there]) == [Stored()] * 2
    assert answered.answer is not None
    repeated = replace(answered, decision=orders[2])
    group = [
        a_commit(orders[3], command_id=new_id()),
        repeated,
        a_commit(orders[1], command_id=new_id()),
    ]
    before = await postgres.list_events(orders[1].changes[0].thing.id)
    taken = Stale(f"order:{orders[1].changes[0].thing.id}")
    outcomes = await store_group(postgres._database, [rows_of(one) for one in group])
    assert outcomes == [Stored(), Repeated(answered.answer), taken]
    assert await postgres.find_order(orders[3].changes[0].thing.id) is not None
    assert await postgres.find_order(orders[2].changes[0].thing.id) is None
    assert await postgres.list_events(orders[1].changes[0].thing.id) == before
    assert group[2].answer is not None
    assert await postgres.find_answer(group[2].answer.command_id) is None


async def test_a_connection_lost_before_it_commits_stores_nothing(
    dsn: str, postgres: PostgresStore
) -> None:
    zone, _ = await a_staffed_zone(postgres)
    async with Wire.to(dsn) as wire:
        store = await PostgresStore.open(DatabaseSettings(dsn=SecretStr(wire.url)))
        commit = a_commit(a_story(S.WAITING, zone=zone).decisions[0], command_id=new_id())
        wire.cut_after_sending(b"insert into events")
        with pytest.raises(StoreUnavailable):
            await store.commit(commit)
        assert await store.commit(commit) == Stored()
        await store.close()


async def test_a_server_that_falls_silent_holds_a_commit_no_longer_than_its_time(
    dsn: str, postgres: PostgresStore
) -> None:
    zone, _ = await a_staffed_zone(postgres)
    async with Wire.to(dsn) as wire:
        hasty = DatabaseSettings(
            dsn=SecretStr(wire.url), command_timeout_s=0.3, connect_timeout_s=0.3
        )
        store = await PostgresStore.open(hasty)
        commit = a_commit(a_story(S.WAITING, zone=zone).decisions[0], command_id=new_id())
        wire.fall_silent()
        async with asyncio.timeout(30):
            with pytest.raises(StoreUnavailable):
                await store.commit(commit)
        wire.speak_again()
        wire.cut()
        patient = await PostgresStore.open(DatabaseSettings(dsn=SecretStr(dsn)))
        assert await patient.commit(commit) == Stored()
        await patient.close()
        await store.close()


async def test_everybody_in_the_group_learns_that_it_was_lost(
    dsn: str, postgres: PostgresStore
) -> None:
    zone, _ = await a_staffed_zone(postgres)
    async with Wire.to(dsn) as wire:
        store = await PostgresStore.open(DatabaseSettings(dsn=SecretStr(wire.url)))
        decisions = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(10)]
        wire.cut_after_sending(b"insert into orders")
        outcomes = await asyncio.gather(
            *(outcome_of(store, one) for one in decisions), return_exceptions=True
        )
        assert all(isinstance(one, StoreUnavailable) for one in outcomes)
        assert len({id(one) for one in outcomes}) == 10
        assert await outcome_of(store, decisions[0]) == Stored()
        await store.close()


async def test_a_lock_that_is_not_given_back_makes_the_store_unavailable(
    database_settings: DatabaseSettings, postgres: PostgresStore
) -> None:
    hasty = database_settings.model_copy(update={"lock_timeout_ms": 50})
    store = await PostgresStore.open(hasty)
    story = await a_told_story(store, S.WAITING)
    order = replace(story.order, version=2)
    async with postgres._database.transaction() as session:
        await session.connection.execute("select from orders for update")
        with pytest.raises(StoreUnavailable):
            await outcome_of(store, first(order))
    assert await outcome_of(store, first(order)) == Stored()
    await store.close()


async def test_a_group_that_waits_holds_up_only_what_touches_the_same_things(
    postgres: PostgresStore, other: PostgresStore
) -> None:
    held, free = [await a_told_story(postgres, S.WAITING) for _ in range(2)]
    held_later = [replace(held.order, version=n, failed_attempts=n) for n in (2, 3, 4)]
    free_later = [replace(free.order, version=n, failed_attempts=n) for n in (2, 3, 4)]
    async with other._database.transaction() as session:
        await session.connection.execute(
            "select from orders where id = $1 for update", held.order.id
        )
        waiting = [asyncio.create_task(outcome_of(postgres, first(one))) for one in held_later]
        await until_somebody_waits_for_a_lock(other)
        async with asyncio.timeout(30):
            assert (
                await together(postgres, [a_commit(first(one)) for one in free_later])
                == [Stored()] * 3
            )
        assert not any(one.done() for one in waiting)
    assert await asyncio.gather(*waiting) == [Stored()] * 3
    assert await postgres.find_order(held.order.id) == held_later[-1]
    assert await postgres.find_order(free.order.id) == free_later[-1]
    await postgres.close()


async def test_closing_waits_for_what_was_handed_in(database_settings: DatabaseSettings) -> None:
    store = await PostgresStore.open(database_settings)
    zone, _ = await a_staffed_zone(store)
    decisions = [a_story(S.WAITING, zone=zone).decisions[0] for _ in range(5)]
    tasks = [asyncio.create_task(outcome_of(store, one)) for one in decisions]
    await asyncio.wait(tasks, timeout=0)
    await store.close()
    assert await asyncio.gather(*tasks) == [Stored()] * 5
    with pytest.raises(StoreUnavailable):
        await store.find_order(decisions[0].changes[0].thing.id)


async def test_whatever_was_stored_in_groups_is_found_whole(postgres: PostgresStore) -> None:
    stories = []
    for _ in range(8):
        zone, courier = await a_staffed_zone(postgres)
        stories.append(a_story(S.DELIVERED, orders=2, zone=zone, courier=courier))
    longest = max(len(one.decisions) for one in stories)
    for turn in range(longest):
        due = [one.decisions[turn] for one in stories if turn < len(one.decisions)]
        outcomes = await asyncio.gather(*(outcome_of(postgres, one) for one in due))
        assert outcomes == [Stored()] * len(due)
    for story in stories:
        assert await postgres.find_courier(story.courier.id) == story.courier
        for order in story.orders:
            assert await postgres.find_order(order.id) == order
            assert len(await postgres.list_events(order.id)) == len(story.lines[order.id])
    assert await count(postgres, "assignments where status <> 'finished'") == 0
