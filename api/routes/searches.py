"""Orders found among all: for operators in their zones, for admins, and a courier's past work."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.answer import Answer
from api.answers import OrdersShown
from api.csv_rows import BEGINNING, written
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import ORDER_SEARCH, ORDER_SEARCH_SHEET, PAST_WORK, PAST_WORK_SHEET
from api.order_answers import CardsShown
from api.order_views import views
from api.paging import Paging, listed
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine import listings
from engine.identity.access import Permission
from engine.kernel.ids import CourierId
from engine.kernel.messages import Caller
from engine.kernel.pages import Page, Wanted
from engine.orders import sheet, work_sheet
from engine.orders.finding import Sought, sought
from engine.orders.order import Order
from engine.orders.viewing import Viewer
from storage.store import OrderSearch

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
    paging: Annotated[Paging, listed(ORDER_SEARCH)],
) -> Json:
    """All orders of the caller's zones that are what he seeks, newest first if not asked else."""
    page = await parts.store.search_orders(_in_zones(paging, caller), paging.wanted)
    return paging.answer(page, "orders", await views(parts, page.rows))


@router.get("/order-search.csv", response_class=Response, responses=_SHEET)
async def export_found_orders(
    caller: Annotated[Caller, granted(Permission.SEARCH_ORDERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ORDER_SEARCH_SHEET)],
) -> Response:
    """What the search finds, as CSV."""
    asked = _in_zones(paging, caller)
    return await _sheet(parts, asked, paging.wanted, sheet.HEADINGS, sheet.row_of)


@router.get("/past-work", responses=answers(200, PastWorkShown, *_ASKING))
async def list_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAST_WORK)],
) -> Json:
    """What the courier delivered or brought back, newest first if not asked otherwise."""
    page = await parts.store.search_orders(_of_courier(paging, caller), paging.wanted)
    return paging.answer(page, "orders", [_done(one) for one in page.rows])


@router.get("/past-work.csv", response_class=Response, responses=_SHEET)
async def export_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAST_WORK_SHEET)],
) -> Response:
    """A courier's past work, as CSV."""
    asked = _of_courier(paging, caller)
    return await _sheet(parts, asked, paging.wanted, work_sheet.HEADINGS, work_sheet.row_of)


def _in_zones(paging: Paging, caller: Caller) -> OrderSearch:
    return OrderSearch(sought=_wish(paging), viewer=Viewer.OPERATOR, zones=caller.zones)


def _of_courier(paging: Paging, caller: Caller) -> OrderSearch:
    wish = replace(_wish(paging), carried_by=CourierId(caller.user_id))
    return OrderSearch(sought=wish, viewer=Viewer.COURIER)


def _wish(paging: Paging) -> Sought:
    text, end, code = (str(paging.beside.get(one, "")) for one in ("q", "phone_suffix", "code"))
    return sought(text, phone_end=end, code=code)


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
    parts: Parts, asked: OrderSearch, wanted: Wanted, headings: tuple[str, ...], row_of: RowOf
) -> Response:
    wanted = replace(wanted, limit=_AT_ONCE)
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await parts.store.search_orders(asked, wanted)

    async def lines() -> AsyncIterator[str]:
        yield BEGINNING + written([headings])
        async for page in _pages(parts, asked, wanted, first):
            yield written(map(row_of, page.rows))

    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="orders.csv"'},
    )


async def _pages(
    parts: Parts, asked: OrderSearch, wanted: Wanted, page: Page[Order]
) -> AsyncIterator[Page[Order]]:
    for _ in range(ROWS_MAX // _AT_ONCE):
        yield page
        if not page.has_next:
            return
        wanted = replace(wanted, beyond=listings.ORDER_SEARCH.key()(page.rows[-1]))
        page = await parts.store.search_orders(asked, wanted)
