"""How gifts changed hands, and what shows it."""

from typing import Annotated, Any

from fastapi import APIRouter

from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.file_links import upload_shown
from api.json_answer import Json
from api.order_views import find_visible
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.upload_answers import HandoverShown
from engine.dispatch.view import handover_view
from engine.identity.access import Permission
from engine.kernel.messages import Caller, Role
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from engine.orders.proof import NOT_HANDED_OVER
from engine.orders.viewing import Viewer, sees
from engine.uploads import Upload, UploadPurpose

router = APIRouter(prefix="/v1", tags=["orders"])


@router.get(
    "/orders/{order_id}/handover",
    responses=answers(
        200,
        HandoverShown,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_ORDER,
        NOT_HANDED_OVER,
        INVALID_REQUEST,
    ),
)
async def show_handover(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """To whom a gift was handed, and what shows it, as soon as it is delivered."""
    order = await find_visible(parts, caller, order_id)
    viewer = Viewer.OPERATOR if caller.role is Role.OPERATOR else Viewer.SENDER
    if order.handover is None or not sees(order, viewer, "handover"):
        raise Refused(NOT_HANDED_OVER())
    told = order.handover.told
    files = await parts.uploads.list_of_order(order.id)
    return Json(
        {
            **handover_view(order, order.handover, viewer),
            "photo": _file(parts, order, files, UploadPurpose.PROOF_PHOTO, told.photo),
            "signature": _file(parts, order, files, UploadPurpose.SIGNATURE, told.signature),
        }
    )


def _file(
    parts: Parts, order: Order, files: tuple[Upload, ...], purpose: UploadPurpose, digest: str
) -> dict[str, Any] | None:
    """The file that the phone told of at the door, and no other that was sent since."""
    if not digest:
        return None
    kept = next(
        (
            one
            for one in files
            if (one.purpose, one.sent_digest, one.owner_id) == (purpose, digest, order.courier_id)
        ),
        None,
    )
    if kept is None:
        return {"state": "awaited", "file": None}
    return {"state": "kept", "file": upload_shown(parts, kept)}
