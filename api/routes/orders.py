"""Quotes and orders."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from msgspec import to_builtins
from msgspec.structs import replace
from starlette.responses import Response

from actors.gateways.settings import PaymentsMode
from api.answers import (
    OffersShown,
    OrderChanged,
    OrderPlacedAnswer,
    OrderShown,
    OrdersShown,
    TimelineShown,
)
from api.bodies import CancelBody, OrderBody, QuoteBody, ReasonBody
from api.deps import (
    Key,
    MaybeKey,
    PartsDep,
    PathId,
    granted,
)
from api.description import WITH_BODY, WITH_COMMAND, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.list_queries import OFFERS, ORDERS, TIMELINE
from api.once import Asked, once
from api.order_answers import CancellationShown, OrderCancelledAnswer, QuoteMade
from api.order_views import find_visible, view, views
from api.paging import Paging, listed
from api.parts import Parts
from api.placing import order_of_body
from api.quoting import make_quote_for, quote_shown
from api.refusals import INVALID_REQUEST
from api.sending import carry_out, id_of_command
from api.splits import split_of
from engine import listings
from engine.couriers.messages import NOT_YOUR_ORDER
from engine.dispatch.offer import Offer
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE
from engine.kernel.filters import Condition
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller, Role
from engine.kernel.pages import Page, Wanted
from engine.orders.messages import (
    BAD_WINDOW,
    CHARGE_RISEN,
    ORDER_STATE,
    QUOTE_EXPIRED,
    QUOTE_MISMATCH,
    QUOTE_USED,
    TOO_LATE_TO_CANCEL,
    UNKNOWN_ORDER,
    WINDOW_FULL,
    WINDOW_UNREACHABLE,
    ZONE_FULL,
    CancelOrder,
    PlaceOrder,
    UnassignOrder,
)
from engine.orders.order import Order, OrderOffered, OrderOfferLapsed
from engine.orders.policy import cancellation_terms
from engine.orders.quote import Quote
from engine.orders.search import matches
from engine.payments.messages import PAYMENT_REQUIRED
from storage.store import StoredEvent

router = APIRouter(prefix="/v1", tags=["orders"])

_SEARCHED_AT_ONCE = 200
_SEARCHED_MAX = 2000
# Who was asked and said no is not the customer's business.
_COURIERS_OWN = frozenset({OrderOffered.__name__, OrderOfferLapsed.__name__})
_SEEING = (*WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST)


@router.post(
    "/quotes",
    status_code=201,
    responses=answers(
        201, QuoteMade, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, *WITH_KEY, OUTSIDE_ZONES, BAD_WINDOW
    ),
)
async def make_quote(
    body: QuoteBody,
    caller: Annotated[Caller, granted(Permission.ASK_QUOTE)],
    request: Request,
    *,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Response:
    """What it costs, and when it would be there."""
    made = await make_quote_for(
        parts,
        request.app.state.quoted_zones,
        customer_id=caller.user_id,
        shop=body.shop.point(),
        door=body.door.point(),
        preparation_s=body.preparation_s,
        wishes=body.wishes(),
    )
    asked = Asked(
        who=caller.user_id,
        route="POST /v1/quotes",
        key=key,
        body=body.model_dump(mode="json"),
    )
    return await once(request, parts, asked, lambda: _keep(parts, made))


async def _keep(parts: Parts, made: Quote) -> Json:
    await parts.store.save_quote(made)
    split = await split_of(parts, made.customer_id, made.total_halalas)
    return Json(quote_shown(made, split), 201)


@router.post(
    "/orders",
    status_code=201,
    responses=answers(
        201,
        OrderPlacedAnswer,
        *WITH_COMMAND,
        OUTSIDE_ZONES,
        QUOTE_EXPIRED,
        QUOTE_MISMATCH,
        QUOTE_USED,
        BAD_WINDOW,
        WINDOW_UNREACHABLE,
        BAD_PHONE,
        ZONE_FULL,
        WINDOW_FULL,
        PAYMENT_REQUIRED,
    ),
)
async def place_order(
    body: OrderBody, key: Key, caller: Annotated[Caller, granted(PlaceOrder)], parts: PartsDep
) -> Json:
    """Place what was quoted, where orders are not paid for; else see `POST /v1/payments`."""
    is_paid_for = parts.settings.payments.mode is PaymentsMode.REQUIRED
    if is_paid_for and caller.role is Role.CUSTOMER:
        raise Refused(PAYMENT_REQUIRED())
    command_id = id_of_command(caller, "POST /v1/orders", key)
    command = await order_of_body(parts, body)
    asked = body.model_dump(mode="json")
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked), 201)


@router.get(
    "/orders",
    responses=answers(200, OrdersShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def list_orders(
    caller: Annotated[Caller, granted(Permission.LIST_ORDERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ORDERS)],
) -> Json:
    """The caller's own orders, newest first if not asked otherwise."""
    if words := paging.beside.get("q"):
        found = await _found(parts, caller, str(words), paging.wanted.only)
        page = listings.ORDERS.page(found, paging.wanted)
    else:
        page = await parts.store.list_orders_of(caller.user_id, paging.wanted)
    return paging.answer(page, "orders", await views(parts, page.rows))


async def _found(
    parts: Parts, caller: Caller, words: str, only: tuple[Condition, ...]
) -> list[Order]:
    """Those of his newest orders in which all the words are found."""
    found: list[Order] = []
    wanted = Wanted(limit=_SEARCHED_AT_ONCE, only=only)
    for _ in range(_SEARCHED_MAX // _SEARCHED_AT_ONCE):
        page: Page[Order] = await parts.store.list_orders_of(caller.user_id, wanted)
        found += [one for one in page.rows if matches(one, words)]
        if not page.has_next:
            break
        wanted = replace(wanted, beyond=listings.ORDERS.key()(page.rows[-1]))
    return found


async def _must_be_in_his_zones(parts: Parts, caller: Caller, order_id: str) -> None:
    """The zone of an order is not in a command about it, so who is limited is checked here."""
    if caller.zones is not None:
        await find_visible(parts, caller, order_id)


@router.get("/orders/{order_id}", responses=answers(200, OrderShown, *_SEEING))
async def get_order(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """An order as it stands, with the expected arrival while somebody carries it."""
    return Json(await view(parts, await find_visible(parts, caller, order_id)))


@router.get("/orders/{order_id}/timeline", responses=answers(200, TimelineShown, *_SEEING))
async def get_timeline(
    order_id: PathId,
    caller: Annotated[Caller, granted(Permission.SEE_ORDER)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(TIMELINE)],
) -> Json:
    """All that happened to an order, oldest first."""
    await find_visible(parts, caller, order_id)
    page = listings.TIMELINE.page(await parts.store.list_events(order_id), paging.wanted)
    return paging.answer(page, "events", [_event(one, caller) for one in page.rows])


def _event(event: StoredEvent, caller: Caller) -> dict[str, Any]:
    is_hidden = caller.role is Role.CUSTOMER and event.type in _COURIERS_OWN
    return {
        "type": event.type,
        "at": event.at,
        "device_at": event.device_at,
        "version": event.version,
        "data": {} if is_hidden else event.data,
    }


@router.get("/orders/{order_id}/offers", responses=answers(200, OffersShown, *_SEEING))
async def get_offers(
    order_id: PathId,
    caller: Annotated[Caller, granted(Permission.SEE_DISPATCH)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(OFFERS)],
) -> Json:
    """Why this courier, and why not the next ones; oldest first."""
    await find_visible(parts, caller, order_id)
    made = await parts.store.list_offers_for(OrderId(order_id))
    page = listings.OFFERS.page(made, paging.wanted)
    return paging.answer(page, "offers", [_offer(one) for one in page.rows])


def _offer(offer: Offer) -> dict[str, Any]:
    shown: dict[str, Any] = to_builtins(offer)
    return {"offer_id": shown.pop("id"), **shown}


@router.get(
    "/orders/{order_id}/cancellation",
    responses=answers(200, CancellationShown, *_SEEING, TOO_LATE_TO_CANCEL),
)
async def show_cancellation(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """What it would cost to cancel now, before anybody says so."""
    order = await find_visible(parts, caller, order_id)
    terms = cancellation_terms(order, caller.role, now=parts.clock.now())
    if terms is None:
        raise Refused(TOO_LATE_TO_CANCEL(status=order.status.value))
    return Json({"order_id": order.id, **to_builtins(terms)})


@router.post(
    "/orders/{order_id}/cancel",
    responses=answers(
        200,
        OrderCancelledAnswer,
        *WITH_COMMAND,
        UNKNOWN_ORDER,
        TOO_LATE_TO_CANCEL,
        ORDER_STATE,
        CHARGE_RISEN,
    ),
)
async def cancel_order(
    order_id: PathId,
    body: CancelBody,
    key: Key,
    caller: Annotated[Caller, granted(CancelOrder)],
    parts: PartsDep,
) -> Json:
    """End an order that nobody has picked up yet."""
    await _must_be_in_his_zones(parts, caller, order_id)
    command = CancelOrder(
        order_id=OrderId(order_id), reason=body.reason, charge_halalas_max=body.charge_halalas_max
    )
    command_id = id_of_command(caller, "POST /v1/orders/cancel", key)
    reply = await carry_out(parts, command, caller, command_id=command_id, asked=command)
    return Json(reply)


@router.post(
    "/orders/{order_id}/unassign",
    responses=answers(200, OrderChanged, *WITH_COMMAND, UNKNOWN_ORDER, NOT_YOUR_ORDER, ORDER_STATE),
)
async def unassign_order(
    order_id: PathId,
    body: ReasonBody,
    key: Key,
    caller: Annotated[Caller, granted(UnassignOrder)],
    parts: PartsDep,
) -> Json:
    """Take an order from its courier before the pick-up: by himself, or by an operator."""
    await _must_be_in_his_zones(parts, caller, order_id)
    command = UnassignOrder(order_id=OrderId(order_id), reason=body.reason)
    command_id = id_of_command(caller, "POST /v1/orders/unassign", key)
    reply = await carry_out(parts, command, caller, command_id=command_id, asked=command)
    return Json(reply)
