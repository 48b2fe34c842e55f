"""Orders and the quotes that they were placed by."""

from functools import partial

from engine.kernel.ids import CellId, OrderId, UserId
from engine.kernel.pages import (
    FIRST_ID,
    FIRST_INSTANT,
    LAST_ID,
    LAST_INSTANT,
    Key,
    Page,
    Wanted,
    page_of,
)
from engine.orders.order import Order
from engine.orders.quote import Quote
from storage.database import Database
from storage.gathering import Gathering
from storage.kinds import decode, encode, known
from storage.queries import queries
from storage.store import OrderFilter


def gathering(database: Database) -> Gathering[Order]:
    """Finds orders."""
    return Gathering(database, queries.find_orders, partial(decode, Order))


def gathering_quotes(database: Database) -> Gathering[Quote]:
    """Finds quotes."""
    return Gathering(database, queries.find_quotes, partial(decode, Quote))


async def cell_of(database: Database, order_id: OrderId) -> CellId | None:
    cell: CellId | None = await database.value(queries.cell_of_order, order_id=known(order_id))
    return cell


async def list_of(
    database: Database, customer_id: UserId, wanted: Wanted, only: OrderFilter
) -> Page[Order]:
    down = wanted.goes_down
    at, order_id = wanted.beyond or ((LAST_INSTANT, LAST_ID) if down else (FIRST_INSTANT, FIRST_ID))
    rows = await database.rows(
        queries.list_orders_down if down else queries.list_orders_up,
        customer_id=known(customer_id),
        at=at,
        order_id=order_id,
        since=only.since,
        until=only.until,
        statuses=None if only.statuses is None else [one.value for one in only.statuses],
        # One more than asked for tells whether there is another page.
        limit=wanted.limit + 1,
    )
    return page_of([decode(Order, row["state"]) for row in rows], wanted)


def placed(order: Order) -> Key:
    """Where an order stands in a list."""
    return (order.placed_at, order.id)


async def save_quote(database: Database, quote: Quote) -> None:
    count = await database.run(queries.save_quote, state=encode(quote))
    assert count == 1, f"another quote has the id {quote.id}"
