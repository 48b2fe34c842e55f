"""The same gift once more: ordered anew, or brought again after it went back."""

from typing import Annotated

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import Response

from api.bodies import AgainBody
from api.deps import MaybeKey, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.once import Asked, once
from api.order_answers import ReadyToPlace
from api.order_views import find_visible
from api.ordering_again import preparation_again_s, to_place, wishes_again
from api.quoting import make_quote_for, quote_shown
from api.splits import split_of
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.orders.messages import (
    BAD_WINDOW,
    ORDER_STATE,
    QUOTE_EXPIRED,
    QUOTE_USED,
    UNKNOWN_ORDER,
)
from engine.orders.quote import redelivery_of

router = APIRouter(prefix="/v1", tags=["orders"])


@router.post(
    "/orders/{order_id}/reorder",
    status_code=201,
    responses=answers(
        201,
        ReadyToPlace,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        UNKNOWN_ORDER,
        ORDER_STATE,
        QUOTE_EXPIRED,
        QUOTE_USED,
        OUTSIDE_ZONES,
        BAD_WINDOW,
    ),
)
async def reorder(
    order_id: PathId,
    body: AgainBody,
    caller: Annotated[Caller, granted(Permission.ASK_QUOTE)],
    request: Request,
    *,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Response:
    """A quote for the same gift once more, and the body with which it is placed."""
    order = await find_visible(parts, caller, order_id)
    if body.redelivery and await parts.store.find_order(redelivery_of(order.id)) is not None:
        raise Refused(QUOTE_USED(order_id=redelivery_of(order.id)))
    door = order.door if body.door is None else body.door.place()
    window = None if body.window is None else body.window.window()
    made = await make_quote_for(
        parts,
        request.app.state.quoted_zones,
        customer_id=order.customer_id,
        shop=order.shop.point,
        door=door.point,
        preparation_s=await preparation_again_s(parts, order, is_redelivery=body.redelivery),
        wishes=await wishes_again(parts, order, window, is_redelivery=body.redelivery),
    )
    if body.redelivery:
        made = replace(made, redelivers=order.id)

    async def keep() -> Response:
        await parts.store.save_quote(made)
        split = await split_of(parts, made.customer_id, made.total_halalas)
        body_again = to_place(
            made, gift=order.gift, recipient=order.recipient, shop=order.shop, door=door
        )
        return Json({"quote": quote_shown(made, split), "order": body_again}, 201)

    asked = Asked(
        who=caller.user_id,
        route=f"POST /v1/orders/{order_id}/reorder",
        key=key,
        body=body.model_dump(mode="json"),
    )
    return await once(request, parts, asked, keep)
