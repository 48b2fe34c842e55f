"""One's own data: have it told, have it go, and what one has agreed to."""

from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Request
from msgspec import to_builtins
from msgspec.structs import replace
from starlette.responses import Response

from actors.privacy import PrivacyDesk
from api.deps import PartsDep, PathId, granted, place_of
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link, sign_link
from api.list_queries import CONSENTS, OPEN_PRIVACY_REQUESTS, PRIVACY_REQUESTS
from api.paging import Paging, listed
from api.parts import Parts
from api.privacy_answers import (
    AskForBody,
    ConsentBody,
    ConsentShown,
    ConsentsShown,
    PrivacyRequestShown,
    PrivacyRequestsShown,
)
from api.refusals import INVALID_REQUEST
from api.step_up import FRESHLY, FreshDep
from engine.audit.record import Action, acted_on_oneself
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE, mobile_in_e164
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller
from engine.kernel.refusals import STALE, Refusal
from engine.kernel.timing import Instant
from engine.privacy import consents
from engine.privacy.consents import CONSENT_NEEDED, NO_CONSENT, Consent, ConsentPurpose
from engine.privacy.requests import (
    EXPORT_GONE,
    NO_OPEN_REQUEST,
    UNKNOWN_PERSON,
    PrivacyRequest,
    PrivacyRequestId,
    RequestKind,
)

router = APIRouter(prefix="/v1", tags=["privacy"])
PURPOSE: Final = "export links"
T = TypeVar("T")

_Oneself = Annotated[Caller, granted(Permission.ASK_FOR_ONESELF)]
_ForOthers = Annotated[Caller, granted(Permission.ASK_FOR_OTHERS)]
_ASKING = (*WITH_TOKEN, *WITH_STORE)


@router.post(
    "/privacy/exports", status_code=202, responses=answers(202, PrivacyRequestShown, *_ASKING)
)
async def ask_export(caller: _Oneself, parts: PartsDep, request: Request) -> Json:
    """Have all that is known of you put into a file; one at a time."""
    asked = await _desk(request).ask(RequestKind.EXPORT, by=_seen(caller, request))
    return Json(_shown(parts, asked), 202)


@router.post(
    "/privacy/erasure",
    status_code=202,
    responses=answers(202, PrivacyRequestShown, *_ASKING, *FRESHLY),
)
async def ask_erasure(caller: _Oneself, _: FreshDep, parts: PartsDep, request: Request) -> Json:
    """Have your account erased; until `due_at` you can think better of it."""
    asked = await _desk(request).ask(RequestKind.ERASURE, by=_seen(caller, request))
    return Json(_shown(parts, asked), 202)


@router.delete(
    "/privacy/erasure",
    responses=answers(200, PrivacyRequestShown, *_ASKING, NO_OPEN_REQUEST, STALE),
)
async def withdraw_erasure(caller: _Oneself, parts: PartsDep, request: Request) -> Json:
    """Keep your account after all."""
    told = await _desk(request).withdraw_erasure(by=_seen(caller, request))
    return Json(_shown(parts, _granted(told)))


@router.get(
    "/privacy/requests", responses=answers(200, PrivacyRequestsShown, *_ASKING, INVALID_REQUEST)
)
async def list_privacy_requests(
    caller: _Oneself, parts: PartsDep, paging: Annotated[Paging, listed(PRIVACY_REQUESTS)]
) -> Json:
    """What you asked for, the newest first, with the address of the export that is there."""
    page = await parts.privacy.list_requests_of(caller.user_id, paging.wanted)
    files = await parts.privacy.list_exports_of(caller.user_id, now=parts.wall.now())
    shown = [_shown(parts, one, files.get(one.id)) for one in page.rows]
    return paging.answer(page, "requests", shown)


@router.get(
    "/privacy-files/{token}",
    response_class=Response,
    responses={
        **answers(
            200,
            PrivacyRequestShown,
            INVALID_REQUEST,
            *WITH_STORE,
            UNKNOWN_LINK,
            LINK_EXPIRED,
            EXPORT_GONE,
        ),
        200: {"description": "A zip of JSON files.", "content": {"application/zip": {}}},
    },
)
async def get_privacy_file(
    token: Annotated[str, Path(max_length=200)], parts: PartsDep, request: Request
) -> Response:
    """The file of an export; that it was fetched, and from where, is recorded."""
    now = parts.wall.now()
    read = read_link(token, key=_key(parts), now=now)
    request_id = PrivacyRequestId(_granted(read)[0])
    export = await parts.privacy.find_export(request_id, now=now)
    asked = await parts.privacy.find_request(request_id)
    if export is None or asked is None:
        raise Refused(EXPORT_GONE())
    record = acted_on_oneself(
        asked.user_id, Action.FETCH_EXPORT, role=None, place=place_of(request), at=now
    )
    await parts.audit.record([record])
    headers = {
        "content-disposition": 'attachment; filename="hadiyati.zip"',
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(export, media_type="application/zip", headers=headers)


@router.get("/privacy/consents", responses=answers(200, ConsentsShown, *_ASKING, INVALID_REQUEST))
async def list_consents(
    caller: _Oneself, parts: PartsDep, paging: Annotated[Paging, listed(CONSENTS)]
) -> Json:
    """What you agreed to, the newest first."""
    page = await parts.privacy.list_consents(caller.user_id, paging.wanted)
    return paging.answer(page, "consents", [_consent(one) for one in page.rows])


@router.put(
    "/privacy/consents/{purpose}",
    responses=answers(200, ConsentShown, *WITH_BODY, *_ASKING, STALE),
)
async def give_consent(
    purpose: ConsentPurpose, body: ConsentBody, caller: _Oneself, parts: PartsDep
) -> Json:
    """Agree to the wording that you were shown; one that you agreed to before is replaced."""
    before = await parts.privacy.find_consent(caller.user_id, purpose)
    now = parts.wall.now()
    given = consents.give(before, caller.user_id, purpose, body.wording, now=now)
    await parts.privacy.save_consents(given)
    found = await parts.privacy.find_consent(caller.user_id, purpose)
    if found is None or found.wording != body.wording:
        raise Refused(STALE())
    return Json(_consent(found))


@router.delete(
    "/privacy/consents/{purpose}",
    responses=answers(200, ConsentShown, INVALID_REQUEST, *_ASKING, NO_CONSENT, CONSENT_NEEDED),
)
async def withdraw_consent(purpose: ConsentPurpose, caller: _Oneself, parts: PartsDep) -> Json:
    """Take a consent back, as easily as it was given."""
    before = await parts.privacy.find_consent(caller.user_id, purpose)
    withdrawn = _granted(consents.withdraw(before, purpose, now=parts.wall.now()))
    await parts.privacy.save_consents((withdrawn,))
    return Json(_consent(withdrawn))


@router.post(
    "/privacy-requests",
    status_code=202,
    responses=answers(
        202, PrivacyRequestShown, *WITH_BODY, *_ASKING, UNKNOWN_PERSON, BAD_PHONE, *FRESHLY
    ),
)
async def ask_for_somebody(
    body: AskForBody, admin: _ForOthers, _: FreshDep, parts: PartsDep, request: Request
) -> Json:
    """Ask for somebody who has proven in another way who he is, also for a recipient."""
    phone = mobile_in_e164(body.phone) if body.phone else ""
    if phone is None:
        raise Refused(BAD_PHONE(pointer="/phone"))
    asked = await _desk(request).ask_for(
        RequestKind(body.kind),
        user_id=None if body.user_id is None else UserId(body.user_id),
        phone=phone,
        by=admin,
        reason=body.reason,
    )
    return Json(_shown(parts, _granted(asked)), 202)


@router.get(
    "/privacy-requests", responses=answers(200, PrivacyRequestsShown, *_ASKING, INVALID_REQUEST)
)
async def list_open_privacy_requests(
    _: _ForOthers, parts: PartsDep, paging: Annotated[Paging, listed(OPEN_PRIVACY_REQUESTS)]
) -> Json:
    """What is still to be carried out, the oldest first: each has a month by law."""
    page = await parts.privacy.list_open_requests(paging.wanted)
    return paging.answer(page, "requests", [_shown(parts, one) for one in page.rows])


@router.get(
    "/privacy-requests/{request_id}",
    responses=answers(200, PrivacyRequestShown, INVALID_REQUEST, *_ASKING, NO_OPEN_REQUEST),
)
async def get_privacy_request(request_id: PathId, admin: _ForOthers, parts: PartsDep) -> Json:
    """A request; whoever asked it for somebody is told where its file is, to hand it over."""
    found = await parts.privacy.find_request(PrivacyRequestId(request_id))
    if found is None:
        raise Refused(NO_OPEN_REQUEST())
    files = await parts.privacy.list_exports_of(found.user_id, now=parts.wall.now())
    is_his = found.asked_by == admin.user_id
    return Json(_shown(parts, found, files.get(found.id) if is_his else None))


def _seen(caller: Caller, request: Request) -> Caller:
    """Of who asks this it is recorded from where."""
    return replace(caller, place=place_of(request))


def _granted(told: T | Refusal) -> T:
    if isinstance(told, Refusal):
        raise Refused(told)
    return told


def _shown(parts: Parts, one: PrivacyRequest, until: Instant | None = None) -> dict[str, Any]:
    token = None if until is None else sign_link(one.id, 0, until, key=_key(parts))
    return {
        "request_id": one.id,
        "user_id": one.user_id,
        "kind": one.kind.value,
        "status": one.status.value,
        "asked_at": one.asked_at,
        "due_at": one.due_at,
        "answer_by": one.answer_by,
        "waits_for": [each.value for each in one.waits_for],
        "ended_at": one.ended_at,
        "file": None if token is None else f"/v1/privacy-files/{token}",
        "file_expires_at": until,
    }


def _consent(one: Consent) -> dict[str, Any]:
    told: dict[str, Any] = to_builtins(one)
    del told["user_id"]
    return told


def _desk(request: Request) -> PrivacyDesk:
    desk: PrivacyDesk = request.app.state.privacy
    return desk


def _key(parts: Parts) -> bytes:
    return parts.keys.keys.secret(PURPOSE)
