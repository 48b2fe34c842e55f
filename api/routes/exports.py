"""A customer's orders as a sheet."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.csv_rows import BEGINNING, written
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.list_queries import ORDERS_SHEET
from api.order_answers import CardsShown
from api.paging import Paging, listed
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller
from engine.kernel.pages import Page, Wanted
from engine.listings import ORDERS
from engine.orders.order import Order
from engine.orders.search import matches
from engine.orders.sheet import HEADINGS, row_of

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
    paging: Annotated[Paging, listed(ORDERS_SHEET)],
) -> Response:
    """The caller's own orders as CSV, with the filters of the list."""
    wanted = replace(paging.wanted, limit=_AT_ONCE)
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await parts.store.list_orders_of(caller.user_id, wanted)
    words = str(paging.beside.get("q", ""))
    headers = {"content-disposition": 'attachment; filename="orders.csv"'}
    return StreamingResponse(
        _sheet(parts, caller.user_id, wanted, words, first),
        media_type="text/csv; charset=utf-8",
        headers=headers,
    )


async def _sheet(
    parts: Parts, customer_id: UserId, wanted: Wanted, words: str, page: Page[Order]
) -> AsyncIterator[str]:
    yield BEGINNING + written([HEADINGS])
    for _ in range(ROWS_MAX // _AT_ONCE):
        yield written(row_of(one) for one in page.rows if matches(one, words))
        if not page.has_next:
            return
        wanted = replace(wanted, beyond=ORDERS.key()(page.rows[-1]))
        page = await parts.store.list_orders_of(customer_id, wanted)
