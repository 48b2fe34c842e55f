"""Files that people send, and the addresses at which they are seen."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from actors.uploads import Sent, Uploads
from api.deps import IdText, Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.file_links import read_file_link, upload_shown
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK
from api.order_views import find_visible
from api.parts import Parts
from api.refusals import INVALID_REQUEST, OVERLOADED
from api.sending import id_of_command
from api.upload_answers import UploadShown
from engine.chat.conversation import leg_of, may_converse
from engine.identity.access import Permission
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import KEY_REUSED, NOT_ALLOWED, Refusal
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from engine.orders.proof import NO_PHOTO_CONSENT
from engine.uploads import (
    INFECTED_FILE,
    NOT_A_FILE_FOR_THIS,
    OF_A_DELIVERY,
    TOO_MANY_UPLOADS,
    UNKNOWN_UPLOAD,
    UNREADABLE_FILE,
    MediaType,
    Upload,
    UploadId,
    UploadPurpose,
    may_upload,
    object_key,
    upload_id_of,
)

router = APIRouter(prefix="/v1", tags=["files"])
PATH: Final = "/v1/uploads"
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/uploads",
    status_code=201,
    responses=answers(
        201,
        UploadShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        KEY_REUSED,
        UNKNOWN_ORDER,
        NO_PHOTO_CONSENT,
        NOT_A_FILE_FOR_THIS,
        UNREADABLE_FILE,
        INFECTED_FILE,
        TOO_MANY_UPLOADS,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file itself. What it is is known by its content.",
            "content": {kind.value: _BINARY for kind in MediaType},
        }
    },
)
async def send_file(
    request: Request,
    key: Key,
    *,
    purpose: Annotated[UploadPurpose, Query(description="What it is for.")],
    order_id: Annotated[IdText | None, Query(description="The order that it is about.")] = None,
    caller: Annotated[Caller, granted(Permission.SEND_FILES)],
    parts: PartsDep,
) -> Json:
    """Send a photo or a document; it is made anew, without what a camera writes into it."""
    if not may_upload(caller, purpose):
        raise Refused(NOT_ALLOWED(role=caller.role.value))
    if order_id is not None or purpose in OF_A_DELIVERY:
        order = await _order_about(parts, caller, order_id or "")
        if purpose is UploadPurpose.PROOF_PHOTO and not order.gift.photo_consent:
            raise Refused(NO_PHOTO_CONSENT())
    uploads: Uploads = request.app.state.uploads
    with uploads.place() as has_place:
        if not has_place:
            raise Refused(OVERLOADED())
        sent = Sent(
            upload_id=upload_id_of(id_of_command(caller, f"POST {PATH}", key)),
            owner_id=caller.user_id,
            purpose=purpose,
            order_id=None if order_id is None else OrderId(order_id),
            content=await request.body(),
        )
        taken = await uploads.take(sent)
    if isinstance(taken, Refusal):
        raise Refused(taken)
    return Json(upload_shown(parts, taken), 201)


@router.get(
    "/uploads/{upload_id}",
    responses=answers(200, UploadShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_UPLOAD, INVALID_REQUEST),
)
async def show_upload(
    upload_id: PathId, caller: Annotated[Caller, granted(Permission.SEND_FILES)], parts: PartsDep
) -> Json:
    """A file of one's own or of a message to oneself, or any for an operator, with its address."""
    upload = await parts.uploads.find(UploadId(upload_id))
    if upload is None or not await _may_see(parts, caller, upload):
        raise Refused(UNKNOWN_UPLOAD())
    return Json(upload_shown(parts, upload))


@router.get(
    "/files/{token}",
    response_class=Response,
    responses={
        **answers(200, UploadShown, INVALID_REQUEST, *WITH_STORE, UNKNOWN_LINK, LINK_EXPIRED),
        200: {
            "description": "The file.",
            "content": {kind.value: {} for kind in (MediaType.JPEG, MediaType.PNG, MediaType.PDF)},
        },
        307: {"description": "The file is at this address of the object store, for a moment."},
    },
)
async def get_file(token: Annotated[str, Path(max_length=200)], parts: PartsDep) -> Response:
    """A file by its signed address."""
    upload_id = read_file_link(parts, token)
    if isinstance(upload_id, Refusal):
        raise Refused(upload_id)
    upload = await parts.uploads.find(upload_id)
    if upload is None:
        raise Refused(UNKNOWN_LINK())
    key = object_key(upload.id)
    elsewhere = await parts.objects.sign(key, parts.settings.objects.link_s)
    if elsewhere is not None:
        return RedirectResponse(elsewhere, headers=_NOT_KEPT)
    content = await parts.objects.get(key)
    if content is None:
        raise Refused(UNKNOWN_LINK())
    return Response(content, media_type=upload.media_type.value, headers=_headers(upload))


_NOT_KEPT: Final = {"cache-control": "private, no-store"}


def _headers(upload: Upload) -> dict[str, str]:
    """A browser shows pictures and keeps documents, and runs nothing that it finds in either."""
    ending = upload.media_type.value.rpartition("/")[2]
    how = "attachment" if upload.media_type is MediaType.PDF else "inline"
    return {
        **_NOT_KEPT,
        "content-disposition": f'{how}; filename="{upload.id}.{ending}"',
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }


async def _order_about(parts: Parts, caller: Caller, order_id: str) -> Order:
    """The order, if he has to do with it; a courier has, from his yes on."""
    if caller.role is not Role.COURIER:
        return await find_visible(parts, caller, order_id)
    order = await parts.store.find_order(OrderId(order_id))
    if order is None or order.courier_id != caller.user_id:
        raise Refused(UNKNOWN_ORDER(order_id=order_id))
    return order


async def _may_see(parts: Parts, caller: Caller, upload: Upload) -> bool:
    if caller.role is not Role.OPERATOR:
        return upload.owner_id == caller.user_id or await _was_sent_to(parts, caller, upload)
    if caller.zones is None:
        return True
    order = await parts.store.find_order(upload.order_id) if upload.order_id else None
    return order is not None and caller.may_act_in(order.zone_id)


async def _was_sent_to(parts: Parts, caller: Caller, upload: Upload) -> bool:
    """Whether it came with a message that he may read."""
    if upload.purpose is not UploadPurpose.CHAT_ATTACHMENT or upload.order_id is None:
        return False
    order = await parts.store.find_order(upload.order_id)
    if order is None or not may_converse(order, caller, parts.clock.now()):
        return False
    return await parts.chat.is_attached(order.id, upload.id, leg_of(caller))
