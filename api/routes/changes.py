"""Another door or window for an order that was placed."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.bodies import ChangeBody, OtherDoorOrWindow
from api.deps import Key, MaybeKey, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_COMMAND, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.once import Asked, once
from api.order_answers import ChangeQuoted, OrderChangedAnswer
from api.order_views import find_visible
from api.parts import Parts
from api.quoting import make_quote_again
from api.sending import carry_out, id_of_command
from engine.dispatch.change import difference
from engine.geo.zone import OUTSIDE_ZONES
from engine.kernel.ids import QuoteId
from engine.kernel.messages import Caller
from engine.kernel.place import Place
from engine.orders.messages import (
    BAD_WINDOW,
    CHARGE_RISEN,
    MORE_THAN_PAID,
    QUOTE_EXPIRED,
    QUOTE_MISMATCH,
    TOO_LATE_TO_CHANGE,
    UNKNOWN_ORDER,
    WINDOW_FULL,
    WINDOW_UNREACHABLE,
    ChangeOrder,
)
from engine.orders.order import ON_BOARD, Order, Window
from engine.orders.policy import change_terms
from engine.orders.quote import Quote

router = APIRouter(prefix="/v1", tags=["orders"])


@router.post(
    "/orders/{order_id}/change-quotes",
    status_code=201,
    responses=answers(
        201,
        ChangeQuoted,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        UNKNOWN_ORDER,
        TOO_LATE_TO_CHANGE,
        OUTSIDE_ZONES,
        BAD_WINDOW,
        QUOTE_EXPIRED,
    ),
)
async def quote_change(
    order_id: PathId,
    body: OtherDoorOrWindow,
    caller: Annotated[Caller, granted(ChangeOrder)],
    request: Request,
    *,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Response:
    """What another door or window would cost, before anything is changed."""
    order = await find_visible(parts, caller, order_id)
    door, window = _wanted(order, body)
    terms = change_terms(order, caller.role, now=parts.clock.now())
    if terms is None or (window != order.window and order.status in ON_BOARD):
        raise Refused(TOO_LATE_TO_CHANGE(status=order.status.value))
    made = await make_quote_again(
        parts,
        request.app.state.quoted_zones,
        order,
        await _former(parts, order),
        door=door.point,
        window=window,
    )
    total = made.total_halalas + order.fees_halalas + terms.charge_halalas
    told = {
        "quote_id": made.id,
        "order_id": order.id,
        "rule": terms.rule,
        "charge_halalas": terms.charge_halalas,
        "until": terms.until,
        "total_before_halalas": order.total_halalas,
        "total_halalas": total,
        "difference_halalas": total - order.total_halalas,
        "to_pay_halalas": difference(order, made, terms),
        "due_at": made.promised_at,
        "valid_until": made.valid_until,
    }

    async def keep() -> Response:
        await parts.store.save_quote(made)
        return Json(told, 201)

    asked = Asked(
        who=caller.user_id,
        route=f"POST /v1/orders/{order_id}/change-quotes",
        key=key,
        body=body.model_dump(mode="json"),
    )
    return await once(request, parts, asked, keep)


@router.post(
    "/orders/{order_id}/changes",
    responses=answers(
        200,
        OrderChangedAnswer,
        *WITH_COMMAND,
        UNKNOWN_ORDER,
        TOO_LATE_TO_CHANGE,
        CHARGE_RISEN,
        MORE_THAN_PAID,
        QUOTE_EXPIRED,
        QUOTE_MISMATCH,
        OUTSIDE_ZONES,
        BAD_WINDOW,
        WINDOW_UNREACHABLE,
        WINDOW_FULL,
    ),
)
async def change_order(
    order_id: PathId,
    body: ChangeBody,
    key: Key,
    caller: Annotated[Caller, granted(ChangeOrder)],
    parts: PartsDep,
) -> Json:
    """Change door or window as quoted; whoever carries the gift sees it at once."""
    order = await find_visible(parts, caller, order_id)
    command = await change_wanted(parts, order, body)
    command_id = id_of_command(caller, f"POST /v1/orders/{order_id}/changes", key)
    asked = body.model_dump(mode="json")
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked))


async def change_wanted(parts: Parts, order: Order, body: ChangeBody) -> ChangeOrder:
    """The change that was quoted; raises `Refused`."""
    quoted = await parts.store.find_quote(QuoteId(body.quote_id))
    if quoted is None:
        raise Refused(QUOTE_EXPIRED(quote_id=body.quote_id))
    door, window = _wanted(order, body)
    return ChangeOrder(
        order_id=order.id,
        quote=quoted,
        former=await _former(parts, order),
        door=door,
        window=window,
        charge_halalas_max=body.charge_halalas_max,
    )


def _wanted(order: Order, body: OtherDoorOrWindow) -> tuple[Place, Window | None]:
    """The door and the window that the order would have."""
    door = order.door if body.door is None else body.door.place()
    if "window" not in body.model_fields_set:
        return door, order.window
    return door, None if body.window is None else body.window.window()


async def _former(parts: Parts, order: Order) -> Quote:
    """The quote that holds now."""
    former = await parts.store.find_quote(order.quote_id)
    if former is None:
        raise Refused(QUOTE_EXPIRED(quote_id=order.quote_id))
    return former
