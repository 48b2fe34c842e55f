"""A customer's orders as a sheet."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import PartsDep, granted
from api.list_queries import ORDERS_SHEET
from api.order_sheets import SHEET, order_sheet
from api.paging import Paging, listed
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.listings import ORDERS
from engine.orders.search import matches
from engine.orders.sheet import HEADINGS

router = APIRouter(prefix="/v1", tags=["orders"])


@router.get("/orders.csv", response_class=Response, responses=SHEET)
async def export_orders(
    caller: Annotated[Caller, granted(Permission.LIST_ORDERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ORDERS_SHEET)],
) -> Response:
    """The caller's own orders as CSV, with the filters of the list."""
    words = str(paging.beside.get("q", ""))
    return await order_sheet(
        partial(parts.store.list_orders_of, caller.user_id),
        paging.wanted,
        listing=ORDERS,
        headings=HEADINGS,
        is_meant=lambda order: matches(order, words),
    )
