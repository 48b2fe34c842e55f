"""A customer's orders as a sheet."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import PartsDep, granted
from api.list_queries import ORDERS_SHEET
from api.paging import Paging, listed
from api.sheet_sources import source_of
from api.sheets import SHEET_OF_ORDERS, sheet
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.sheets import SheetKind

router = APIRouter(prefix="/v1", tags=["orders"])


@router.get("/orders.csv", response_class=Response, responses=SHEET_OF_ORDERS)
async def export_orders(
    caller: Annotated[Caller, granted(Permission.LIST_ORDERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ORDERS_SHEET)],
) -> Response:
    """The caller's own orders as CSV, with the filters of the list."""
    return await sheet(source_of(SheetKind.ORDERS, parts, caller, paging.beside), paging.wanted)
