"""Orders found among all: for operators in their zones, for admins, and a courier's past work."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.responses import Response

from api.answer import Answer
from api.answers import OrdersShown
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import ORDER_SEARCH, ORDER_SEARCH_SHEET, PAST_WORK, PAST_WORK_SHEET
from api.order_sheets import SHEET, order_sheet
from api.order_views import views
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from engine import listings
from engine.identity.access import Permission
from engine.kernel.ids import CourierId
from engine.kernel.messages import Caller
from engine.orders.finding import Sought, sought
from engine.orders.order import Order
from engine.orders.sheet import HEADINGS, WORK_HEADINGS
from engine.orders.viewing import Viewer
from storage.store import OrderSearch

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
    page = await parts.store.search_orders(_in_zones(paging, caller), paging.wanted)
    return paging.answer(page, "orders", await views(parts, page.rows))


@router.get("/order-search.csv", response_class=Response, responses=SHEET)
async def export_found_orders(
    caller: Annotated[Caller, granted(Permission.SEARCH_ORDERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ORDER_SEARCH_SHEET)],
) -> Response:
    """What the search finds, as CSV."""
    return await order_sheet(
        partial(parts.store.search_orders, _in_zones(paging, caller)),
        paging.wanted,
        listing=listings.ORDER_SEARCH,
        headings=HEADINGS,
    )


@router.get("/past-work", responses=answers(200, PastWorkShown, *_ASKING))
async def list_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAST_WORK)],
) -> Json:
    """What the courier delivered or brought back, newest first if not asked otherwise."""
    page = await parts.store.search_orders(_of_courier(paging, caller), paging.wanted)
    return paging.answer(page, "orders", [_done(one) for one in page.rows])


@router.get("/past-work.csv", response_class=Response, responses=SHEET)
async def export_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAST_WORK_SHEET)],
) -> Response:
    """A courier's past work, as CSV."""
    return await order_sheet(
        partial(parts.store.search_orders, _of_courier(paging, caller)),
        paging.wanted,
        listing=listings.PAST_WORK,
        headings=WORK_HEADINGS,
    )


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
