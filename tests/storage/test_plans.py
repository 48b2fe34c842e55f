"""No hot query reads a large table whole."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from engine.orders.order import Order
from simulations.bench_queries import filled
from storage.database import Database
from storage.filled import City
from storage.hot_queries import hot_queries
from storage.kinds import decode
from storage.plans import SMALL_ROWS, explain
from storage.queries import queries
from storage.settings import DatabaseSettings

ORDERS = SMALL_ROWS + 2_000


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


async def test_every_hot_query_has_its_index_and_what_has_none_is_found(database: Database) -> None:
    city = await filled(database, orders=ORDERS)
    [row] = await database.rows(queries.find_orders, ids=[city.order_id])
    assert decode(Order, row["state"]).customer_id == city.customer_id
    found = [
        await explain(database, getattr(queries, name), values, runs=1)
        for name, values in hot_queries(city).items()
    ]
    assert {one.name: one.read_whole for one in found if one.read_whole} == {}
    assert {one.name for one in found if one.rows} >= {"find_orders", "list_orders_down"}
    without = replace(
        queries.find_orders, sql="select state from orders where state ->> 'code' = $1::text"
    )
    plan = await explain(database, without, {"ids": "ABC123"}, runs=1)
    assert plan.read_whole == ("orders",)
    await keeps_its_rows(database, city)


async def keeps_its_rows(database: Database, city: City) -> None:
    """What is explained is taken back."""
    aged = hot_queries(city)["remove_old_trail"] | {"before": city.ended_at}
    plan = await explain(database, queries.remove_old_trail, aged, runs=2)
    assert plan.ms > 0
    async with database.session() as session:
        assert await session.connection.fetchval("select count(*) from trail") == 2 * ORDERS
