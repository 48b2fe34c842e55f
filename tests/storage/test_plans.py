"""No hot query reads a large table whole."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from engine.kernel.filters import Condition, Kind
from engine.kernel.listing import Listing, one_of
from engine.kernel.pages import FIRST_ID, LAST_INSTANT, Wanted
from engine.listings import (
    AUDIT_LOG,
    DISPUTES,
    GIFT_LINKS,
    INVITATIONS,
    ORDERS,
    PAYMENT_SEARCH,
    PAYMENTS,
    PAYOUTS,
    REFUSED_TRIES,
    SETTLEMENT_BREAKS,
    SETTLEMENT_RUNS,
    SHEETS,
    WHAT_IFS,
)
from engine.orders.order import Order
from simulations.filled_city import filled
from storage.database import Database
from storage.filled import City
from storage.hot_queries import hot_queries
from storage.kinds import decode
from storage.listed import statement
from storage.plans import SMALL_ROWS, explain, nodes_of
from storage.queries import Query, queries
from storage.settings import DatabaseSettings

FILLED = SMALL_ROWS + 2_000


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


async def test_every_hot_query_has_its_index_and_what_has_none_is_found(database: Database) -> None:
    city = await filled(database, orders=FILLED)
    [row] = await database.rows(queries.find_orders, ids=[city.order_id])
    assert decode(Order, row["state"]).customer_id == city.customer_id
    found = [
        await explain(database, query, values, runs=1)
        for query, values in hot_queries(city).values()
    ]
    assert {one.name: one.read_whole for one in found if one.read_whole} == {}
    assert {one.name for one in found if one.rows} >= {"find_orders", "list_orders"}
    without = replace(
        queries.find_orders, sql="select state from orders where state ->> 'code' = $1::text"
    )
    plan = await explain(database, without, {"ids": "ABC123"}, runs=1)
    assert plan.read_whole == ("orders",)
    await keeps_its_rows(database, city)


_FIRST = {Kind.INSTANT: 1, Kind.NUMBER: 1, Kind.ID: FIRST_ID}
LISTS: tuple[tuple[Query, Listing, dict[str, Any]], ...] = (
    (queries.list_orders, ORDERS, {"customer_id": FIRST_ID}),
    (queries.list_payments_of, PAYMENTS, {"customer_id": FIRST_ID}),
    (queries.list_payments, PAYMENT_SEARCH, {}),
    (queries.list_payouts_of, PAYOUTS, {"courier_id": FIRST_ID}),
    (queries.list_gift_links_of, GIFT_LINKS, {"customer_id": FIRST_ID}),
    (queries.list_disputes, DISPUTES, {}),
    (queries.list_links, INVITATIONS, {"purpose": "invite", "now": 0}),
    (queries.list_audit, AUDIT_LOG, {}),
    (queries.list_refused_tries, REFUSED_TRIES, {}),
    (queries.list_settlement_runs, SETTLEMENT_RUNS, {}),
    (queries.list_settlement_breaks, SETTLEMENT_BREAKS, {}),
    (queries.list_what_ifs, WHAT_IFS, {"zone_id": FIRST_ID}),
    (queries.list_sheets, SHEETS, {"user_id": FIRST_ID}),
)


@pytest.mark.parametrize(("query", "listing", "scope"), LISTS, ids=lambda one: "")
async def test_what_a_list_may_be_sorted_by_an_index_carries(
    database: Database, query: Query, listing: Listing, scope: dict[str, Any]
) -> None:
    """Where sorting and reading all are forbidden, a plan has neither unless it must."""
    filters: list[tuple[Condition, ...]] = [()]
    default = tuple(one_of(one.name, one.default) for one in listing.filters if one.default)
    for column in listing.filters:
        if column.kind in {Kind.ID, Kind.TEXT} or column.is_single:
            value = FIRST_ID if column.kind is Kind.ID else "x"
            filters.append((one_of(column.name, column.default or value),))
    for order in listing.orders:
        for only in filters:
            for descending in (True, False):
                wanted = Wanted(
                    limit=20,
                    by=order.name,
                    descending=descending,
                    only=tuple({one.column: one for one in (*default, *only)}.values()),
                    beyond=tuple(
                        FIRST_ID if one.kind is Kind.ID else 1
                        for one in listing.standing(order.name)
                    ),
                )
                asked, values = statement(query, listing, wanted)
                steps = await unsorted_steps(database, asked, {**scope, **values})
                assert not steps & {"Sort", "Incremental Sort", "Seq Scan"}, (wanted, steps)


async def test_what_no_index_carries_is_found_so(database: Database) -> None:
    by_total = replace(ORDERS, orders=(ORDERS.column("total_halalas"),))
    asked, values = statement(queries.list_orders, by_total, Wanted(limit=20))
    steps = await unsorted_steps(database, asked, {"customer_id": FIRST_ID, **values})
    assert "Sort" in steps


@pytest.mark.parametrize("query", [queries.ledger_history_down, queries.ledger_history_up])
async def test_a_payment_history_is_found_by_accounts_and_orders(
    database: Database, query: Query
) -> None:
    """Its pages are put together, so they are sorted; nothing is read whole for them."""
    own = {"accounts": ["customer_wallet:x"], "abouts": ["order:x"], "reasons": ["capture"]}
    times = {"number": 7, "since": 0, "until": LAST_INSTANT, "limit": 20}
    assert "Seq Scan" not in await unsorted_steps(database, query, {**own, **times})
    at = {"accounts": own["accounts"], "number": 7}
    assert "Seq Scan" not in await unsorted_steps(database, queries.ledger_posted_at, at)


async def unsorted_steps(database: Database, query: Query, values: dict[str, Any]) -> set[str]:
    async with database.session() as session:
        for step in ("sort", "seqscan", "bitmapscan"):
            await session.connection.execute(f"set enable_{step} = off")
        text = await session.connection.fetchval(
            f"explain (format json) {query.sql}", *query.arguments(values)
        )
    return {one["Node Type"] for one in nodes_of(json.loads(text)[0]["Plan"])}


async def keeps_its_rows(database: Database, city: City) -> None:
    """What is explained is taken back."""
    aged = hot_queries(city)["remove_old_trail"].values | {"before": city.ended_at}
    plan = await explain(database, queries.remove_old_trail, aged, runs=2)
    assert plan.ms > 0
    async with database.session() as session:
        assert await session.connection.fetchval("select count(*) from trail") == 2 * FILLED
