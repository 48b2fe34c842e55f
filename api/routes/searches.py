"""Orders found among all: for operators in their zones, for admins, and a courier's past work."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.answer import Answer
from api.answers import OrdersShown
from api.csv_rows import BEGINNING, written
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import (
    OrderSearchQuery,
    OrderSearchSheetQuery,
    OrdersFound,
    PastWorkQuery,
    PastWorkSheetQuery,
    WorkFound,
)
from api.order_answers import CardsShown
from api.order_views import views
from api.paging import Paging
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.kernel.ids import CourierId, ZoneId
from engine.kernel.messages import Caller
from engine.kernel.pages import FIRST_INSTANT, LAST_INSTANT, Page, Wanted
from engine.kernel.pages import Key as RowKey
from engine.orders import sheet, work_sheet
from engine.orders.finding import sought
from engine.orders.order import Order
from engine.orders.viewing import Viewer
from storage.store import OrderFilter, OrderSearch

router = APIRouter(prefix="/v1", tags=["orders"])
ROWS_MAX: Final = 10_000
_AT_ONCE: Final = 200
_ASKING: Final = (*WITH_TOKEN, *WITH_STORE, INVALID_REQUEST)
_SHEET: Final[dict[int | str, dict[str, Any]]] = {
    **answers(200, CardsShown, *_ASKING),
    200: {
        "description": "A row for each order, newest first; at most 10,000.",
        "content": {"text/csv": {}},
    },
}
RowOf = Callable[[Order], tuple[str, ...]]


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
    request: Request,
    query: Annotated[OrderSearchQuery, Query()],
) -> Json:
    """All orders of the caller's zones that are what he seeks, newest first if not asked else."""
    paging = Paging(request, parts, caller, query, descending=query.sort.startswith("-"))
    page = await parts.store.search_orders(_in_zones(query, caller), paging.wanted())
    return paging.answer(page, _placed, "orders", await views(parts, page.rows))


@router.get("/order-search.csv", response_class=Response, responses=_SHEET)
async def export_found_orders(
    caller: Annotated[Caller, granted(Permission.SEARCH_ORDERS)],
    parts: PartsDep,
    query: Annotated[OrderSearchSheetQuery, Query()],
) -> Response:
    """What the search finds, as CSV."""
    return await _sheet(parts, _in_zones(query, caller), sheet.HEADINGS, sheet.row_of)


@router.get("/past-work", responses=answers(200, PastWorkShown, *_ASKING))
async def list_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    request: Request,
    query: Annotated[PastWorkQuery, Query()],
) -> Json:
    """What the courier delivered or brought back, newest first."""
    paging = Paging(request, parts, caller, query, descending=True)
    page = await parts.store.search_orders(_of_courier(query, caller), paging.wanted())
    return paging.answer(page, _placed, "orders", [_done(one) for one in page.rows])


@router.get("/past-work.csv", response_class=Response, responses=_SHEET)
async def export_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    query: Annotated[PastWorkSheetQuery, Query()],
) -> Response:
    """A courier's past work, as CSV."""
    return await _sheet(parts, _of_courier(query, caller), work_sheet.HEADINGS, work_sheet.row_of)


def _in_zones(query: OrdersFound, caller: Caller) -> OrderSearch:
    zones = caller.zones
    if query.zone_id is not None:
        zone_id = ZoneId(query.zone_id)
        zones = (zone_id,) if caller.may_act_in(zone_id) else ()
    wish = sought(query.q, phone_end=query.phone_suffix, code=query.code)
    return OrderSearch(sought=wish, viewer=Viewer.OPERATOR, zones=zones, only=_filter(query))


def _of_courier(query: WorkFound, caller: Caller) -> OrderSearch:
    wish = sought(query.q, phone_end=query.phone_suffix, code=query.code)
    wish = replace(wish, carried_by=CourierId(caller.user_id))
    return OrderSearch(sought=wish, viewer=Viewer.COURIER, only=_filter(query))


def _filter(query: WorkFound) -> OrderFilter:
    return OrderFilter(
        statuses=tuple(query.status) or None,
        since=query.placed_at_gte or FIRST_INSTANT,
        until=LAST_INSTANT if query.placed_at_lt is None else query.placed_at_lt,
    )


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


async def _sheet(
    parts: Parts, asked: OrderSearch, headings: tuple[str, ...], row_of: RowOf
) -> Response:
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await parts.store.search_orders(asked, Wanted(limit=_AT_ONCE))
    return StreamingResponse(
        _lines(parts, asked, first, headings, row_of),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="orders.csv"'},
    )


async def _lines(
    parts: Parts,
    asked: OrderSearch,
    page: Page[Order],
    headings: tuple[str, ...],
    row_of: RowOf,
) -> AsyncIterator[str]:
    yield BEGINNING + written([headings])
    for _ in range(ROWS_MAX // _AT_ONCE):
        yield written(map(row_of, page.rows))
        if not page.has_next:
            return
        wanted = Wanted(limit=_AT_ONCE, beyond=_placed(page.rows[-1]))
        page = await parts.store.search_orders(asked, wanted)


def _placed(order: Order) -> RowKey:
    return (order.placed_at, order.id)
