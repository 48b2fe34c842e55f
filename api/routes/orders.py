"""Quotes and orders."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from msgspec import to_builtins

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
    CourierOrOperator,
    CurrentCustomer,
    CurrentOperator,
    Key,
    PartsDep,
    PathId,
)
from api.description import WITH_BODY, WITH_COMMAND, WITH_STORE, WITH_TOKEN, answers
from api.errors import Invalid, Refused
from api.json_answer import Json
from api.order_answers import CancellationShown, OrderCancelledAnswer, QuoteMade
from api.order_views import find_visible, view, views
from api.parts import Parts
from api.quoting import make_quote_for
from api.recipients import recipient_of
from api.refusals import INVALID_REQUEST
from api.sending import carry_out, id_of_command
from engine.couriers.messages import NOT_YOUR_ORDER
from engine.dispatch.offer import Offer
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.phone import BAD_PHONE
from engine.kernel.ids import OrderId, QuoteId, is_id
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import SECOND_MS, Instant
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
from engine.orders.quote import Quote, order_id_of
from engine.orders.search import QUERY_LETTERS_MAX, matches
from engine.orders.surge import NO_SURGE_PERCENT
from engine.pricing.lines import LineAmounts
from storage.store import Page, StoredEvent

router = APIRouter(prefix="/v1", tags=["orders"])

PIN_DIGITS = 4
_SEARCHED_AT_ONCE = 200
_SEARCHED_MAX = 2000
# Who was asked and said no is not the customer's business.
_COURIERS_OWN = frozenset({OrderOffered.__name__, OrderOfferLapsed.__name__})
_SEEING = (*WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST)
Limit = Annotated[int, Query(ge=1, le=100)]
Words = Annotated[
    str,
    Query(
        max_length=QUERY_LETTERS_MAX,
        description="Words of recipient, gift, shop or address, the code, or the end of a phone.",
    ),
]
Before = Annotated[str, Query(max_length=120, description="`next` of the page before.")]


@router.post(
    "/quotes",
    status_code=201,
    responses=answers(
        201, QuoteMade, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, OUTSIDE_ZONES, BAD_WINDOW
    ),
)
async def make_quote(
    body: QuoteBody, caller: CurrentCustomer, parts: PartsDep, request: Request
) -> Json:
    """What it costs, and when it would be there."""
    made = await make_quote_for(
        parts,
        request.app.state.punctuality,
        customer_id=caller.user_id,
        shop=body.shop.point(),
        door=body.door.point(),
        preparation_s=body.preparation_s,
        wishes=body.wishes(),
    )
    return Json(_quoted(made), 201)


def _quoted(made: Quote) -> dict[str, Any]:
    told = {name: getattr(made, name) for name in _QUOTED}
    return {
        "quote_id": made.id,
        **told,
        "lines": [_line(one) for one in made.lines],
        "surge_percent": NO_SURGE_PERCENT if made.surge is None else made.surge.fee_percent,
    }


def _line(one: LineAmounts) -> dict[str, Any]:
    return {
        "name": one.line.name,
        "quantity": one.line.quantity,
        "net_halalas": one.net_halalas,
        "vat_halalas": one.vat_halalas,
        "gross_halalas": one.gross_halalas,
    }


_QUOTED = (
    "zone_id",
    "distance_m",
    "fee_halalas",
    "vat_halalas",
    "rounding_halalas",
    "total_halalas",
    "expected_at",
    "likely_by",
    "promised_at",
    "valid_until",
)


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
    ),
)
async def place_order(body: OrderBody, key: Key, caller: CurrentCustomer, parts: PartsDep) -> Json:
    """Place what was quoted."""
    quoted = await parts.store.find_quote(QuoteId(body.quote_id))
    if quoted is None:
        raise Refused(QUOTE_EXPIRED(quote_id=body.quote_id))
    command_id = id_of_command(caller, "POST /v1/orders", key)
    command = PlaceOrder(
        # A quote is one order, however often and by whatever key it is placed.
        order_id=order_id_of(quoted.id),
        zone_id=quoted.zone_id,
        quote=quoted,
        gift=body.gift.gift(),
        recipient=recipient_of(body.recipient),
        shop=body.shop.place(),
        door=body.door.place(),
        pin=f"{parts.chance.below(10**PIN_DIGITS):0{PIN_DIGITS}}",
        ready_at=parts.clock.now() + quoted.preparation_s * SECOND_MS,
        window=body.window.window() if body.window else None,
    )
    asked = body.model_dump(mode="json")
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked), 201)


@router.get(
    "/orders",
    responses=answers(200, OrdersShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def list_orders(
    caller: CurrentCustomer,
    parts: PartsDep,
    *,
    limit: Limit = 20,
    before: Before = "",
    q: Words = "",
) -> Json:
    """The caller's own orders, newest first; with `q` those that it is found in."""
    page = await _search(parts, caller, q, limit=limit, before=_place_of(before))
    after = page.next_before and _write_cursor(*page.next_before)
    return Json({"orders": await views(parts, page.orders), "next": after})


async def _search(
    parts: Parts, caller: Caller, query: str, *, limit: int, before: tuple[Instant, OrderId] | None
) -> Page:
    """A page of what is found; a shorter one after so many orders without enough."""
    if not query:
        return await parts.store.list_orders_of(caller.user_id, limit=limit, before=before)
    found: list[Order] = []
    for _ in range(_SEARCHED_MAX // _SEARCHED_AT_ONCE):
        page = await parts.store.list_orders_of(
            caller.user_id, limit=_SEARCHED_AT_ONCE, before=before
        )
        for order in page.orders:
            before = order.placed_at, order.id
            if matches(order, query):
                found.append(order)
                if len(found) == limit:
                    return Page(orders=tuple(found), next_before=before)
        if page.next_before is None:
            return Page(orders=tuple(found))
    return Page(orders=tuple(found), next_before=before)


def _place_of(cursor: str) -> tuple[Instant, OrderId] | None:
    return _read_cursor(cursor) if cursor else None


async def _must_be_in_his_zones(parts: Parts, caller: Caller, order_id: str) -> None:
    """The zone of an order is not in a command about it, so who is limited is checked here."""
    if caller.zones is not None:
        await find_visible(parts, caller, order_id)


def _write_cursor(at: Instant, order_id: OrderId) -> str:
    return base64.urlsafe_b64encode(f"{at}.{order_id}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[Instant, OrderId]:
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        at, _, order_id = plain.partition(".")
        if at.isdecimal() and len(at) <= 15 and is_id(order_id):
            return int(at), OrderId(order_id)
    except (binascii.Error, ValueError):
        pass
    raise Invalid("/query/before", "is not from a page of ours")


@router.get("/orders/{order_id}", responses=answers(200, OrderShown, *_SEEING))
async def get_order(order_id: PathId, caller: CurrentCustomer, parts: PartsDep) -> Json:
    """An order as it stands, with the expected arrival while somebody carries it."""
    return Json(await view(parts, await find_visible(parts, caller, order_id)))


@router.get("/orders/{order_id}/timeline", responses=answers(200, TimelineShown, *_SEEING))
async def get_timeline(order_id: PathId, caller: CurrentCustomer, parts: PartsDep) -> Json:
    """All that happened to an order, oldest first."""
    await find_visible(parts, caller, order_id)
    events = await parts.store.list_events(order_id)
    return Json({"events": [_event(one, caller) for one in events]})


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
async def get_offers(order_id: PathId, caller: CurrentOperator, parts: PartsDep) -> Json:
    """Why this courier, and why not the next ones."""
    await find_visible(parts, caller, order_id)
    offers = await parts.store.list_offers_for(OrderId(order_id))
    return Json({"offers": [_offer(one) for one in offers]})


def _offer(offer: Offer) -> dict[str, Any]:
    shown: dict[str, Any] = to_builtins(offer)
    return {"offer_id": shown.pop("id"), **shown}


@router.get(
    "/orders/{order_id}/cancellation",
    responses=answers(200, CancellationShown, *_SEEING, TOO_LATE_TO_CANCEL),
)
async def show_cancellation(order_id: PathId, caller: CurrentCustomer, parts: PartsDep) -> Json:
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
    order_id: PathId, body: CancelBody, key: Key, caller: CurrentCustomer, parts: PartsDep
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
    order_id: PathId, body: ReasonBody, key: Key, caller: CourierOrOperator, parts: PartsDep
) -> Json:
    """Take an order from its courier before the pick-up: by himself, or by an operator."""
    await _must_be_in_his_zones(parts, caller, order_id)
    command = UnassignOrder(order_id=OrderId(order_id), reason=body.reason)
    command_id = id_of_command(caller, "POST /v1/orders/unassign", key)
    reply = await carry_out(parts, command, caller, command_id=command_id, asked=command)
    return Json(reply)
