"""Cards, and links that show an order to who has no account."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from api.bodies import Body
from api.deps import PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link, sign_link
from api.order_answers import CardsShown, LinkMade, SharedShown
from api.order_views import eta_of, find_visible
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.dispatch.view import shared_view
from engine.identity.access import Permission
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS
from engine.orders.card import TEMPLATES
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.viewing import Viewer

router = APIRouter(prefix="/v1", tags=["orders"])
PURPOSE = "order links"
LINK_HOURS_MAX = 14 * 24
_VIEWERS: Final = (Viewer.RECIPIENT, Viewer.LINK)


class LinkBody(Body):
    """For whom the link is, and for how long: who receives the gift, or anybody."""

    viewer: Literal["recipient", "link"] = "recipient"
    hours: Annotated[int, Field(ge=1, le=LINK_HOURS_MAX)] = 72


@router.get("/cards", responses=answers(200, CardsShown))
async def list_cards() -> Json:
    """The cards that can go with a gift."""
    return Json({"cards": list(TEMPLATES.values())})


@router.post(
    "/orders/{order_id}/links",
    status_code=201,
    responses=answers(201, LinkMade, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER),
)
async def make_link(
    order_id: PathId,
    body: LinkBody,
    caller: Annotated[Caller, granted(Permission.SHARE_ORDER)],
    parts: PartsDep,
) -> Json:
    """A link by which somebody without an account follows this order."""
    order = await find_visible(parts, caller, order_id)
    viewer, expires_at = Viewer(body.viewer), parts.clock.now() + body.hours * HOUR_MS
    token = sign_link(order.id, _VIEWERS.index(viewer), expires_at, key=_key(parts))
    told = {"path": f"/v1/shared/{token}", "viewer": viewer.value, "expires_at": expires_at}
    return Json(told, 201)


@router.get(
    "/shared/{token}",
    responses=answers(200, SharedShown, INVALID_REQUEST, *WITH_STORE, UNKNOWN_LINK, LINK_EXPIRED),
)
async def show_shared(token: Annotated[str, Path(max_length=200)], parts: PartsDep) -> Json:
    """An order as the holder of a link may see it now."""
    read = read_link(token, key=_key(parts), now=parts.clock.now())
    if isinstance(read, Refusal):
        raise Refused(read)
    order_id, side = read
    viewer = _VIEWERS[side]
    order = await parts.store.find_order(OrderId(order_id))
    if order is None:
        raise Refused(UNKNOWN_LINK())
    courier = await parts.store.find_courier(order.courier_id) if order.courier_id else None
    shown = shared_view(order, viewer, courier, eta=await eta_of(parts, order))
    return Json(shown, headers={"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _key(parts: Parts) -> bytes:
    return parts.keys.keys.secret(PURPOSE)
