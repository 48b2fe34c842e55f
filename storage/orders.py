"""Orders and the quotes that they were placed by."""

from engine.kernel.ids import CellId, OrderId, QuoteId, UserId
from engine.kernel.timing import Instant
from engine.orders.order import Order
from engine.orders.quote import Quote
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries
from storage.store import Page


async def find(database: Database, order_id: OrderId) -> Order | None:
    state = await database.value(queries.find_order, order_id=known(order_id))
    return None if state is None else decode(Order, state)


async def cell_of(database: Database, order_id: OrderId) -> CellId | None:
    cell: CellId | None = await database.value(queries.cell_of_order, order_id=known(order_id))
    return cell


async def list_of(
    database: Database,
    customer_id: UserId,
    *,
    limit: int,
    before: tuple[Instant, OrderId] | None,
) -> Page:
    # One more than asked for tells whether there is a next page.
    if before is None:
        rows = await database.rows(
            queries.list_orders_of, customer_id=known(customer_id), limit=limit + 1
        )
    else:
        rows = await database.rows(
            queries.list_orders_of_before,
            customer_id=known(customer_id),
            at=before[0],
            order_id=known(before[1]),
            limit=limit + 1,
        )
    return page([decode(Order, row["state"]) for row in rows], limit)


def page(orders: list[Order], limit: int) -> Page:
    """A page from the orders found, of which there is one more than asked for if there are more."""
    shown = tuple(orders[:limit])
    last = shown[-1] if shown and len(orders) > limit else None
    return Page(orders=shown, next_before=(last.placed_at, last.id) if last else None)


async def save_quote(database: Database, quote: Quote) -> None:
    count = await database.run(queries.save_quote, state=encode(quote))
    assert count == 1, f"another quote has the id {quote.id}"


async def find_quote(database: Database, quote_id: QuoteId) -> Quote | None:
    state = await database.value(queries.find_quote, quote_id=known(quote_id))
    return None if state is None else decode(Quote, state)
