"""Migrations: applied once, by whoever comes first, and in step with the rules and the queries."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

import asyncpg
import pytest

from engine.orders.order import TRANSITIONS, OrderStatus
from storage.memory_tables import reachable
from storage.migrate import (
    MIGRATIONS,
    NoSuchRole,
    SchemaIsOlder,
    grant_service,
    list_pending,
    migrate,
)
from storage.queries import FOLDER, Query, queries
from storage.store import StoreUnavailable
from tests.fixtures.servers import Databases

FORBIDDEN = (
    "create table own ()",
    "create schema own",
    "alter table orders add own integer",
    "drop table orders",
    "truncate audit_log",
    "alter table audit_log disable trigger all",
    "delete from _pogo_migration",
    "create role own",
)
NAMES = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))


async def test_an_empty_database_gets_every_migration_in_order(empty_database: str) -> None:
    heard: list[str] = []
    assert await list_pending(empty_database) == NAMES
    assert await migrate(empty_database, on_step=heard.append) == NAMES
    assert [line.rpartition(" ")[2] for line in heard] == NAMES
    assert await list_pending(empty_database) == []


async def test_migrating_again_changes_nothing(empty_database: str) -> None:
    await migrate(empty_database)
    assert await migrate(empty_database) == []


async def test_two_who_migrate_at_once_share_the_work(empty_database: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database) for _ in range(3)))
    assert sorted(done) == [[], [], NAMES]


async def test_a_database_that_is_not_there_cannot_be_migrated() -> None:
    with pytest.raises(StoreUnavailable):
        await migrate("postgresql://somebody@127.0.0.1:1/hadiyati")


async def test_a_migration_that_fails_leaves_no_half(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    await connection.execute("create table orders ()")
    with pytest.raises(Exception, match="already exists"):
        await migrate(empty_database)
    assert await connection.fetchval("select to_regclass('zones')") is None
    await connection.execute("drop table orders")
    assert await migrate(empty_database) == NAMES
    await connection.close()


async def test_the_service_reads_and_writes_rows_and_owns_nothing(databases: Databases) -> None:
    owner = databases.create()
    with pytest.raises(NoSuchRole, match="create role"):
        await grant_service(owner, "service_of_nobody")
    await migrate(owner)
    service = databases.serving(owner)
    assert await migrate(service) == []
    connection = await asyncpg.connect(service)
    try:
        assert await connection.fetchval("select count(*) from orders") == 0
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await _execute(owner, "create table later (id integer generated always as identity)")
        await connection.execute("insert into later default values")
        await _execute(owner, f"delete from _pogo_migration where migration_id = '{NAMES[-1]}'")
        with pytest.raises(SchemaIsOlder, match=f"{NAMES[-1]}.*hadiyati migrate"):
            await migrate(service)
    finally:
        await connection.close()
        databases.drop_served(owner)


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


def test_no_two_migrations_have_one_number() -> None:
    numbers = [int(name.partition("_")[0]) for name in NAMES]
    assert numbers[0] == 1
    # A gap is a number that work under way has taken.
    assert all(after > before for before, after in pairwise(numbers))


async def test_every_query_fits_the_schema(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    faults = [fault async for fault in faults_of(connection, queries.all())]
    await connection.close()
    assert faults == []


async def faults_of(
    connection: asyncpg.Connection, of: Iterable[Query]
) -> AsyncIterator[tuple[str, str]]:
    """The names of the queries that the schema does not know, and what it says."""
    for query in of:
        try:
            prepared = await connection.prepare(query.sql)
        except asyncpg.PostgresError as error:
            yield query.name, str(error)
        else:
            if len(prepared.get_parameters()) != len(query.parameters):
                yield query.name, f"takes other parameters than {query.parameters}"


def test_no_two_queries_have_one_name() -> None:
    found = re.findall(
        r"^-- name: (\w+)",
        "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.sql")),
        re.MULTILINE,
    )
    assert sorted(found) == sorted(set(found))


async def test_the_database_knows_the_same_steps_of_an_order_as_the_rules(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    steps = await connection.fetch("select before, event, after from order_steps")
    transitions = await connection.fetch("select before, after from order_transitions")
    await connection.close()
    assert {tuple(row) for row in steps} == {
        (before.value, event.__name__, after.value)
        for (before, event), after in TRANSITIONS.items()
    }
    assert {tuple(row) for row in transitions} == {
        (before.value, after.value) for before, found in reachable().items() for after in found
    }


def test_no_step_leads_out_of_an_end() -> None:
    ends = {one for one, after in reachable().items() if not after}
    assert ends == {OrderStatus.DELIVERED, OrderStatus.RETURNED, OrderStatus.CANCELLED}


@pytest.mark.parametrize("statement", ["update events set version = 9", "delete from events"])
async def test_what_has_happened_cannot_be_changed(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(statement)
    await connection.close()


def test_a_query_takes_all_of_its_parameters_and_no_others() -> None:
    assert queries.find_orders.arguments({"ids": [1]}) == [[1]]
    with pytest.raises(AssertionError):
        queries.find_orders.arguments({})
    with pytest.raises(AttributeError):
        queries.find_nothing  # noqa: B018
