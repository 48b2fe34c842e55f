"""Quotes and orders."""

import base64
import binascii
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from msgspec import to_builtins

from actors.chance import new_id
from api.answers import (
    OffersShown,
    OrderChanged,
    OrderPlacedAnswer,
    OrderShown,
    OrdersShown,
    QuoteMade,
    TimelineShown,
)
from api.bodies import CancelBody, OrderBody, QuoteBody, ReasonBody, RecipientBody
from api.deps import (
    Key,
    PartsDep,
    PathId,
    granted,
)
from api.description import WITH_BODY, WITH_COMMAND, WITH_STORE, WITH_TOKEN, answers
from api.errors import Invalid, Refused
from api.json_answer import Json
from api.order_views import find_visible, view, views
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.sending import carry_out, id_of_command
from api.zones_of import zone_of
from engine.couriers.messages import NOT_YOUR_ORDER
from engine.dispatch.offer import Offer
from engine.geo.travel import VehicleKind, travel_times
from engine.geo.zone import OUTSIDE_ZONES, Zone
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE, mobile_in_e164
from engine.kernel.ids import OrderId, QuoteId, derived_id, is_id
from engine.kernel.messages import Caller, Role
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.messages import (
    BAD_WINDOW,
    ORDER_STATE,
    QUOTE_EXPIRED,
    QUOTE_MISMATCH,
    TOO_LATE_TO_CANCEL,
    UNKNOWN_ORDER,
    WINDOW_FULL,
    WINDOW_UNREACHABLE,
    ZONE_FULL,
    CancelOrder,
    PlaceOrder,
    UnassignOrder,
)
from engine.orders.order import OrderOffered, OrderOfferLapsed, Recipient
from engine.orders.quote import Way, quote
from engine.orders.surge import NO_SURGE_PERCENT
from storage.store import StoredEvent

router = APIRouter(prefix="/v1", tags=["orders"])

PIN_DIGITS = 4
# Who was asked and said no is not the customer's business.
_COURIERS_OWN = frozenset({OrderOffered.__name__, OrderOfferLapsed.__name__})
_SEEING = (*WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST)
Limit = Annotated[int, Query(ge=1, le=100)]
Before = Annotated[str, Query(max_length=120, description="`next` of the page before.")]


@router.post(
    "/quotes",
    status_code=201,
    responses=answers(201, QuoteMade, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, OUTSIDE_ZONES),
)
async def make_quote(
    body: QuoteBody, caller: Annotated[Caller, granted(Permission.ASK_QUOTE)], parts: PartsDep
) -> Json:
    """What it costs, and when it would be there."""
    shop, door = body.shop.point(), body.door.point()
    zone = await _zone_for(parts, shop, door)
    now = parts.clock.now()
    made = quote(
        zone,
        quote_id=QuoteId(new_id(parts.clock, parts.chance)),
        customer_id=caller.user_id,
        way=_way(zone, shop, door, now),
        preparation_s=body.preparation_s,
        pressure=await parts.bus.pressure(zone),
        now=now,
    )
    await parts.store.save_quote(made)
    shown = to_builtins(made)
    surge_percent = NO_SURGE_PERCENT if made.surge is None else made.surge.fee_percent
    told = {name: shown[name] for name in _QUOTED}
    return Json({"quote_id": made.id, **told, "surge_percent": surge_percent}, 201)


_QUOTED = (
    "zone_id",
    "distance_m",
    "fee_halalas",
    "vat_halalas",
    "total_halalas",
    "promised_at",
    "valid_until",
)


async def _zone_for(parts: Parts, shop: Point, door: Point) -> Zone:
    zone_id = await zone_of(parts.store, shop)
    if zone_id is None:
        raise Refused(OUTSIDE_ZONES(place="shop"))
    if await zone_of(parts.store, door) is None:
        raise Refused(OUTSIDE_ZONES(place="door"))
    zone = await parts.store.find_zone(zone_id)
    assert zone is not None, "a zone's cells are stored with it"
    return zone


def _way(zone: Zone, shop: Point, door: Point, now: Instant) -> Way:
    ways = travel_times(zone.parameters.travel)
    ends = (
        np.array([shop.lat]),
        np.array([shop.lng]),
        np.array([door.lat]),
        np.array([door.lng]),
    )
    travel_s = ways.seconds(*ends, vehicle=VehicleKind.CAR, at=now)
    return Way(
        shop=shop,
        door=door,
        route_m=float(ways.metres(*ends)[0]),
        travel_s=int(travel_s[0]),
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
        BAD_WINDOW,
        WINDOW_UNREACHABLE,
        BAD_PHONE,
        ZONE_FULL,
        WINDOW_FULL,
    ),
)
async def place_order(
    body: OrderBody, key: Key, caller: Annotated[Caller, granted(PlaceOrder)], parts: PartsDep
) -> Json:
    """Place what was quoted."""
    quoted = await parts.store.find_quote(QuoteId(body.quote_id))
    if quoted is None:
        raise Refused(QUOTE_EXPIRED(quote_id=body.quote_id))
    command_id = id_of_command(caller, "POST /v1/orders", key)
    command = PlaceOrder(
        # A repetition must be the same order, so its id comes from the command's.
        order_id=OrderId(derived_id("order", command_id)),
        zone_id=quoted.zone_id,
        quote=quoted,
        gift=body.gift.gift(),
        recipient=_recipient(body.recipient),
        shop=body.shop.place(),
        door=body.door.place(),
        pin=f"{parts.chance.below(10**PIN_DIGITS):0{PIN_DIGITS}}",
        ready_at=parts.clock.now() + quoted.preparation_s * SECOND_MS,
        window=body.window.window() if body.window else None,
    )
    asked = body.model_dump(mode="json")
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked), 201)


def _recipient(body: RecipientBody) -> Recipient:
    if not body.phone:
        return Recipient(name=body.name)
    phone = mobile_in_e164(body.phone)
    if phone is None:
        raise Refused(BAD_PHONE(pointer="/recipient/phone"))
    return Recipient(name=body.name, phone=phone)


@router.get(
    "/orders",
    responses=answers(200, OrdersShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def list_orders(
    caller: Annotated[Caller, granted(Permission.LIST_ORDERS)],
    parts: PartsDep,
    limit: Limit = 20,
    before: Before = "",
) -> Json:
    """The caller's own orders, newest first."""
    page = await parts.store.list_orders_of(
        caller.user_id, limit=limit, before=_read_cursor(before) if before else None
    )
    after = page.next_before and _write_cursor(*page.next_before)
    return Json({"orders": await views(parts, page.orders), "next": after})


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
async def get_order(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """An order as it stands, with the expected arrival while somebody carries it."""
    return Json(await view(parts, await find_visible(parts, caller, order_id)))


@router.get("/orders/{order_id}/timeline", responses=answers(200, TimelineShown, *_SEEING))
async def get_timeline(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
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
async def get_offers(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_DISPATCH)], parts: PartsDep
) -> Json:
    """Why this courier, and why not the next ones."""
    await find_visible(parts, caller, order_id)
    offers = await parts.store.list_offers_for(OrderId(order_id))
    return Json({"offers": [_offer(one) for one in offers]})


def _offer(offer: Offer) -> dict[str, Any]:
    shown: dict[str, Any] = to_builtins(offer)
    return {"offer_id": shown.pop("id"), **shown}


@router.post(
    "/orders/{order_id}/cancel",
    responses=answers(
        200, OrderChanged, *WITH_COMMAND, UNKNOWN_ORDER, TOO_LATE_TO_CANCEL, ORDER_STATE
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
    command = CancelOrder(order_id=OrderId(order_id), reason=body.reason)
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
