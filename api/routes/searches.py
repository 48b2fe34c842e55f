"""Orders found among all: for operators in their zones, for admins, and a courier's past work."""

from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.answer import Answer
from api.answers import OrdersShown
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import ORDER_SEARCH, ORDER_SEARCH_SHEET, PAST_WORK, PAST_WORK_SHEET
from api.order_views import views
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from api.sheet_sources import in_zones, of_courier, source_of
from api.sheets import SHEET_OF_ORDERS, sheet
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.orders.order import Order
from engine.sheets import SheetKind

router = APIRouter(prefix="/v1", tags=["orders"])
_ASKING: Final = (*WITH_TOKEN, *WITH_STORE, INVALID_REQUEST)


class WorkDone(Answer):
    """What its courier sees of an order that has ended."""

    order_id: str
    code: str
    status: str
    description: str
    shop: str
    recipient_name: str
    placed_at: int
    picked_up_at: int | None
    ended_at: int | None


class PastWorkShown(Answer):
    """A page of past work, newest first."""

    orders: list[WorkDone]
    next: str | None
    previous: str | None


@router.get("/order-search", responses=answers(200, OrdersShown, *_ASKING))
async def search_orders(
    caller: Annotated[Caller, granted(Permission.SEARCH_ORDERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ORDER_SEARCH)],
) -> Json:
    """All orders of the caller's zones that are what he seeks, newest first if not asked else."""
    page = await parts.store.search_orders(in_zones(paging.beside, caller), paging.wanted)
    return paging.answer(page, "orders", await views(parts, page.rows))


@router.get("/order-search.csv", response_class=Response, responses=SHEET_OF_ORDERS)
async def export_found_orders(
    caller: Annotated[Caller, granted(Permission.SEARCH_ORDERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ORDER_SEARCH_SHEET)],
) -> Response:
    """What the search finds, as CSV."""
    source = source_of(SheetKind.ORDER_SEARCH, parts, caller, paging.beside)
    return await sheet(source, paging.wanted)


@router.get("/past-work", responses=answers(200, PastWorkShown, *_ASKING))
async def list_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAST_WORK)],
) -> Json:
    """What the courier delivered or brought back, newest first if not asked otherwise."""
    page = await parts.store.search_orders(of_courier(paging.beside, caller), paging.wanted)
    return paging.answer(page, "orders", [_done(one) for one in page.rows])


@router.get("/past-work.csv", response_class=Response, responses=SHEET_OF_ORDERS)
async def export_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAST_WORK_SHEET)],
) -> Response:
    """A courier's past work, as CSV."""
    source = source_of(SheetKind.PAST_WORK, parts, caller, paging.beside)
    return await sheet(source, paging.wanted)


def _done(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "code": order.code,
        "status": order.status.value,
        "description": order.gift.description,
        "shop": order.shop.name,
        "recipient_name": order.recipient.name,
        "placed_at": order.placed_at,
        "picked_up_at": order.picked_up_at,
        "ended_at": order.ended_at,
    }
