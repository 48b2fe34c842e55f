"""Several gifts that are ordered and paid for together, and then go their own ways."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request
from msgspec import to_builtins
from msgspec.structs import replace
from pydantic import Field

from actors.gateways.settings import PaymentsMode
from api.bodies import Body, CancelBody, OrderBody, QuoteBody
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_COMMAND, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.group_answers import (
    GroupCancellationShown,
    GroupCancelled,
    GroupPlaced,
    GroupQuoted,
    GroupShown,
)
from api.json_answer import Json
from api.order_views import find_visible, views
from api.parts import Parts
from api.paying import PAYING, PaidWith, charged
from api.payment_answers import PaymentShown
from api.payment_answers import shown as payment_shown
from api.placing import order_of_body, ordered_again, paid_order
from api.quoting import make_quote_for, quote_shown
from api.refusals import INVALID_REQUEST
from api.sending import carry_out, id_of_command
from api.splits import split_of
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE
from engine.kernel.ids import CommandId, OrderId, PaymentId, derived_id
from engine.kernel.messages import Caller
from engine.orders.grouping import group_of
from engine.orders.messages import (
    BAD_WINDOW,
    CHARGE_RISEN,
    GROUP_TOO_LARGE,
    NOT_ONE_ZONE,
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
    PlaceOrders,
)
from engine.orders.order import Order, OrderStatus
from engine.orders.policy import Terms, cancellation_terms
from engine.payments.messages import (
    PAYMENT_REQUIRED,
)

router = APIRouter(prefix="/v1", tags=["groups"])
T = TypeVar("T")
GROUP_MOST = 50
_SEEING = (*WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST)
_PLACING = (
    NOT_ONE_ZONE,
    GROUP_TOO_LARGE,
    QUOTE_EXPIRED,
    QUOTE_MISMATCH,
    QUOTE_USED,
    BAD_PHONE,
)


class GroupQuoteBody(Body):
    """What is to be brought, each to a door of its own."""

    deliveries: Annotated[
        tuple[QuoteBody, ...], Field(strict=False, min_length=1, max_length=GROUP_MOST)
    ]


class GroupBody(Body):
    """Several orders, each of a quote of its own, from shops of one zone."""

    orders: Annotated[
        tuple[OrderBody, ...], Field(strict=False, min_length=1, max_length=GROUP_MOST)
    ]


class GroupPaymentBody(GroupBody, PaidWith):
    """Several orders and what all of them are paid with; whether to save that."""


@router.post(
    "/group-quotes",
    responses=answers(
        200,
        GroupQuoted,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        OUTSIDE_ZONES,
        BAD_WINDOW,
        NOT_ONE_ZONE,
        GROUP_TOO_LARGE,
    ),
)
async def quote_group(
    body: GroupQuoteBody,
    caller: Annotated[Caller, granted(Permission.ASK_QUOTE)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """What each delivery costs, and all of them; each may also be ordered by itself."""
    _must_not_be_too_many(parts, len(body.deliveries))
    made = []
    for number, one in enumerate(body.deliveries):
        quoting = make_quote_for(
            parts,
            request.app.state.quoted_zones,
            customer_id=caller.user_id,
            shop=one.shop.point(),
            door=one.door.point(),
            preparation_s=one.preparation_s,
            wishes=one.wishes(),
        )
        made.append(await _named(number, quoting))
    if len({one.zone_id for one in made}) > 1:
        raise Refused(NOT_ONE_ZONE())
    for quoted in made:
        await parts.store.save_quote(quoted)
    total = sum(one.total_halalas for one in made)
    split = await split_of(parts, caller.user_id, total)
    return Json(
        {
            "quotes": [quote_shown(one) for one in made],
            "total_halalas": total,
            "split": None if split is None else split.model_dump(),
            "valid_until": min(one.valid_until for one in made),
        }
    )


@router.post(
    "/group-orders",
    status_code=201,
    responses=answers(
        201,
        GroupPlaced,
        *WITH_COMMAND,
        *_PLACING,
        BAD_WINDOW,
        WINDOW_UNREACHABLE,
        ZONE_FULL,
        WINDOW_FULL,
        PAYMENT_REQUIRED,
    ),
)
async def place_group(
    body: GroupBody, key: Key, caller: Annotated[Caller, granted(PlaceOrders)], parts: PartsDep
) -> Json:
    """Place all of them or none, where orders are not paid for; else `POST /v1/group-payments`.

    Of a refusal `delivery` is which one it is about, from 0.
    """
    if parts.settings.payments.mode is PaymentsMode.REQUIRED:
        raise Refused(PAYMENT_REQUIRED())
    command = await _group(parts, body, partial(order_of_body, parts))
    command_id = id_of_command(caller, "POST /v1/group-orders", key)
    asked = body.model_dump(mode="json")
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked), 201)


@router.post(
    "/group-payments",
    status_code=201,
    responses=answers(
        201,
        PaymentShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        *_PLACING,
        *PAYING,
    ),
)
async def pay_group(
    body: GroupPaymentBody,
    *,
    key: Key,
    caller: Annotated[Caller, granted(Permission.PAY)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Pay for all of them at once; they are placed as soon as the money is held or taken."""
    command_id = id_of_command(caller, "POST /v1/group-payments", key)
    payment_id = PaymentId(derived_id("payment", command_id))
    known = await parts.payments.find(payment_id)
    if known is None:
        command = await _group(parts, body, partial(paid_order, parts, caller))
    else:
        command = _together(ordered_again(parts, known, body.orders))
    placed = [one.order_id for one in command.orders]
    made = await charged(
        request,
        caller,
        body,
        payment_id=payment_id,
        what=command,
        is_for_it=lambda payment: [one.order_id for one in payment.shares] == placed,
    )
    return Json(payment_shown(made), 201)


@router.get("/orders/{order_id}/group", responses=answers(200, GroupShown, *_SEEING))
async def show_group(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """All that were ordered with it, each as it stands, and their payment."""
    group = await _find_group(parts, caller, order_id)
    return Json(
        {
            "orders": await views(parts, group),
            "payment_id": group[0].payment_id,
            "total_halalas": sum(one.total_halalas for one in group),
            "open": sum(one.is_open for one in group),
        }
    )


@router.get(
    "/orders/{order_id}/group/cancellation",
    responses=answers(200, GroupCancellationShown, *_SEEING, TOO_LATE_TO_CANCEL),
)
async def show_group_cancellation(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """What it would cost to cancel all that can still be cancelled."""
    terms = _terms(parts, caller, await _find_group(parts, caller, order_id))
    return Json(
        {
            "orders": [{"order_id": one, **to_builtins(told)} for one, told in terms],
            "charge_halalas": sum(told.charge_halalas for _, told in terms),
            "refund_halalas": sum(told.refund_halalas for _, told in terms),
        }
    )


@router.post(
    "/orders/{order_id}/group/cancel",
    responses=answers(
        200, GroupCancelled, *WITH_COMMAND, UNKNOWN_ORDER, TOO_LATE_TO_CANCEL, CHARGE_RISEN
    ),
)
async def cancel_group(
    order_id: PathId,
    body: CancelBody,
    key: Key,
    caller: Annotated[Caller, granted(CancelOrder)],
    parts: PartsDep,
) -> Json:
    """Cancel all that nobody has picked up yet; what is on the road goes on."""
    group = await _find_group(parts, caller, order_id)
    command_id = id_of_command(caller, f"POST /v1/orders/{order_id}/group/cancel", key)
    terms = dict(_terms(parts, caller, group))
    charge = sum(told.charge_halalas for told in terms.values())
    if body.charge_halalas_max is not None and charge > body.charge_halalas_max:
        raise Refused(CHARGE_RISEN(charge_halalas=charge))
    ended = []
    for one in group:
        # Of what was cancelled by the same request before, the answer is kept.
        if one.id not in terms and one.status is not OrderStatus.CANCELLED:
            continue
        command = CancelOrder(
            order_id=one.id,
            reason=body.reason,
            charge_halalas_max=terms[one.id].charge_halalas if one.id in terms else None,
        )
        own_id = CommandId(derived_id("cancel of group", command_id, one.id))
        ended.append(await _cancelled(parts, caller, command, own_id))
    return Json({"orders": ended})


async def _cancelled(
    parts: Parts, caller: Caller, command: CancelOrder, own_id: CommandId
) -> dict[str, Any]:
    """One of them; a moment later it may be too late, which ends nothing for the others."""
    asked = command.order_id
    try:
        return await carry_out(parts, command, caller, command_id=own_id, asked=asked)
    except Refused as refused:
        return {"order_id": command.order_id, "refusal": refused.refusal.code}


def _must_not_be_too_many(parts: Parts, count: int) -> None:
    most = parts.settings.edge.group_orders_max
    if count > most:
        raise Refused(GROUP_TOO_LARGE(limit=most))


async def _group(
    parts: Parts, body: GroupBody, order_of: Callable[[OrderBody], Awaitable[PlaceOrder]]
) -> PlaceOrders:
    """The command that places all of them; raises what `order_of` raises of one, and names it."""
    _must_not_be_too_many(parts, len(body.orders))
    orders = [await _named(number, order_of(one)) for number, one in enumerate(body.orders)]
    if len({one.zone_id for one in orders}) > 1:
        raise Refused(NOT_ONE_ZONE())
    if len({one.order_id for one in orders}) < len(orders):
        raise Refused(QUOTE_USED())
    return _together(orders)


def _together(orders: Sequence[PlaceOrder]) -> PlaceOrders:
    return PlaceOrders(zone_id=orders[0].zone_id, orders=group_of(orders))


async def _named(number: int, wanted: Awaitable[T]) -> T:
    """What is wanted for one of them; a refusal names which one."""
    try:
        return await wanted
    except Refused as refused:
        detail = {**refused.refusal.detail, "delivery": number}
        raise Refused(replace(refused.refusal, detail=detail)) from None


async def _find_group(parts: Parts, caller: Caller, order_id: str) -> tuple[Order, ...]:
    """The orders that were placed together; one that is alone is a group of its own."""
    order = await find_visible(parts, caller, order_id)
    return tuple([await find_visible(parts, caller, one) for one in order.group or (order.id,)])


def _terms(parts: Parts, caller: Caller, group: tuple[Order, ...]) -> list[tuple[OrderId, Terms]]:
    """What each costs that can be cancelled; raises `Refused` when none can or was."""
    now = parts.clock.now()
    found = [(one.id, cancellation_terms(one, caller.role, now=now)) for one in group]
    known = [(order_id, terms) for order_id, terms in found if terms is not None]
    if not known and all(one.status is not OrderStatus.CANCELLED for one in group):
        raise Refused(TOO_LATE_TO_CANCEL())
    return known
