"""A customer's orders as a sheet."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Query
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.csv_rows import BEGINNING, written
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.list_queries import OrdersSheetQuery
from api.order_answers import CardsShown
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller
from engine.kernel.pages import FIRST_INSTANT, LAST_INSTANT, Page, Wanted
from engine.orders.order import Order
from engine.orders.search import matches
from engine.orders.sheet import HEADINGS, row_of
from storage.store import OrderFilter

router = APIRouter(prefix="/v1", tags=["orders"])
ROWS_MAX: Final = 10_000
_AT_ONCE: Final = 200


@router.get(
    "/orders.csv",
    response_class=Response,
    responses={
        **answers(200, CardsShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
        200: {
            "description": "A row for each order, newest first; at most 10,000.",
            "content": {"text/csv": {}},
        },
    },
)
async def export_orders(
    caller: Annotated[Caller, granted(Permission.LIST_ORDERS)],
    parts: PartsDep,
    query: Annotated[OrdersSheetQuery, Query()],
) -> Response:
    """The caller's own orders as CSV, with the filters of the list."""
    only = OrderFilter(
        statuses=tuple(query.status) or None,
        since=query.placed_at_gte or FIRST_INSTANT,
        until=LAST_INSTANT if query.placed_at_lt is None else query.placed_at_lt,
    )
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await parts.store.list_orders_of(caller.user_id, Wanted(limit=_AT_ONCE), only)
    headers = {"content-disposition": 'attachment; filename="orders.csv"'}
    return StreamingResponse(
        _sheet(parts, caller.user_id, only, query.q, first),
        media_type="text/csv; charset=utf-8",
        headers=headers,
    )


async def _sheet(
    parts: Parts, customer_id: UserId, only: OrderFilter, words: str, page: Page[Order]
) -> AsyncIterator[str]:
    yield BEGINNING + written([HEADINGS])
    for _ in range(ROWS_MAX // _AT_ONCE):
        yield written(row_of(one) for one in page.rows if matches(one, words))
        if not page.has_next:
            return
        last = page.rows[-1]
        wanted = replace(Wanted(limit=_AT_ONCE), beyond=(last.placed_at, last.id))
        page = await parts.store.list_orders_of(customer_id, wanted, only)
