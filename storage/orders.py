"""Orders and the quotes that they were placed by."""

from functools import partial

from engine.kernel.ids import CellId, UserId
from engine.kernel.pages import Page, Wanted
from engine.listings import ORDERS
from engine.orders.order import Order
from engine.orders.quote import Quote
from storage.database import Database
from storage.gathering import Gathering
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries
from storage.store import OpenOrder


def gathering(database: Database) -> Gathering[Order]:
    """Finds orders."""
    return Gathering(database, queries.find_orders, partial(decode, Order))


def gathering_quotes(database: Database) -> Gathering[Quote]:
    """Finds quotes."""
    return Gathering(database, queries.find_quotes, partial(decode, Quote))


def gathering_cells(database: Database) -> Gathering[CellId]:
    """Finds the cells that orders live in."""
    return Gathering(database, queries.cells_of_orders, CellId, column="cell")


def gathering_open(database: Database) -> Gathering[tuple[OpenOrder, ...]]:
    """Finds the open ones among customers' newest orders."""
    return Gathering(database, queries.open_orders_of, partial(decode, tuple[OpenOrder, ...]))


async def list_of(database: Database, customer_id: UserId, wanted: Wanted) -> Page[Order]:
    return await page_in(
        database,
        queries.list_orders,
        ORDERS,
        wanted,
        lambda row: decode(Order, row["state"]),
        customer_id=known(customer_id),
    )


async def save_quote(database: Database, quote: Quote) -> None:
    count = await database.run(queries.save_quote, state=encode(quote))
    assert count == 1, f"another quote has the id {quote.id}"
