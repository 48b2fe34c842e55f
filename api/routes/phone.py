"""Changing one's phone: a code to each number, and a day in which the old one can undo it."""

from typing import Annotated

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import Response

from actors.phone_change import PhoneChange
from actors.sessions import Sessions
from api.deps import MaybeKey, PartsDep, ProvenDep, granted, place_of
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused, prefers_arabic
from api.gate import Gate
from api.identity_answers import CodeSent, PhoneChanged
from api.identity_bodies import CodeBody, PhoneBody, UndoBody
from api.json_answer import Json
from api.once import Asked, name_of, once
from api.parts import Parts
from api.refusals import NOT_AUTHENTICATED
from api.routes.identity import CODE_REFUSALS, phone_of, wording_of
from engine.identity.access import Permission
from engine.identity.login import WRONG_CODE, User
from engine.identity.phone import BAD_PHONE
from engine.identity.phone_change import NOTHING_TO_UNDO, PHONE_TAKEN, PHONE_WAS_CHANGED
from engine.identity.sessions import SessionEnd
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller
from engine.kernel.refusals import STALE, Refusal

router = APIRouter(prefix="/v1/phone", tags=["identity"])
_ASKING = (*WITH_BODY, *WITH_STORE, BAD_PHONE, *CODE_REFUSALS)


@router.post("/codes", status_code=202, responses=answers(202, CodeSent, *_ASKING, *WITH_TOKEN))
async def send_codes(
    body: CodeBody,
    caller: Annotated[Caller, granted(Permission.CHANGE_PHONE)],
    request: Request,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Json:
    """Send a code to the phone that I leave and one to the phone that I take."""
    changes: PhoneChange = request.app.state.phone_change
    user = await _user(changes, caller.user_id)
    asked = Asked(who=user.id, route="POST /v1/phone/codes", key=key)
    refusal = await changes.send_codes(
        user,
        phone_of(body.phone),
        wording_of(request, parts),
        place=place_of(request),
        asked_as=name_of(parts, asked),
    )
    return _sent(refusal, parts)


@router.put(
    "",
    responses=answers(
        200,
        PhoneChanged,
        *WITH_BODY,
        *WITH_STORE,
        *WITH_TOKEN,
        BAD_PHONE,
        WRONG_CODE,
        PHONE_TAKEN,
        PHONE_WAS_CHANGED,
    ),
    dependencies=[granted(Permission.CHANGE_PHONE)],
)
async def change_phone(body: PhoneBody, proven: ProvenDep, request: Request) -> Json:
    """Move to this phone; all other sessions end."""
    changes: PhoneChange = request.app.state.phone_change
    sessions: Sessions = request.app.state.sessions
    gate: Gate = request.app.state.gate
    user = await _user(changes, proven.caller.user_id)
    arabic = prefers_arabic(request.headers.get("accept-language", ""))
    moved = _granted(
        await changes.change(
            user,
            phone_of(body.phone),
            (body.old_code, body.new_code),
            arabic=arabic,
            by=replace(proven.caller, place=place_of(request)),
        )
    )
    gate.shut(
        await sessions.end_all(user.id, keep=proven.session_id, why=SessionEnd.ACCESS_CHANGED)
    )
    return Json({"user_id": moved.id, "phone": moved.phone})


@router.post("/undo/code", status_code=202, responses=answers(202, CodeSent, *_ASKING))
async def send_undo_code(
    body: CodeBody, request: Request, parts: PartsDep, key: MaybeKey = None
) -> Json:
    """Send a code to the phone that somebody moved my account away from."""
    changes: PhoneChange = request.app.state.phone_change
    phone = phone_of(body.phone)
    asked = Asked(who=phone, route="POST /v1/phone/undo/code", key=key)
    refusal = await changes.send_undo_code(
        phone,
        wording_of(request, parts),
        place=place_of(request),
        asked_as=name_of(parts, asked),
    )
    return _sent(refusal, parts)


@router.post(
    "/undo",
    responses=answers(
        200,
        PhoneChanged,
        *WITH_BODY,
        *WITH_STORE,
        *WITH_KEY,
        BAD_PHONE,
        WRONG_CODE,
        NOTHING_TO_UNDO,
        STALE,
    ),
)
async def undo_change(
    body: UndoBody, request: Request, parts: PartsDep, key: MaybeKey = None
) -> Response:
    """Take the account back to this phone; every session ends, and I log in anew."""
    phone = phone_of(body.phone)
    asked = Asked(
        who=phone, route="POST /v1/phone/undo", key=key, body=body.model_dump(mode="json")
    )
    return await once(request, parts, asked, lambda: _undo(request, phone, body.code))


async def _undo(request: Request, phone: str, code: str) -> Json:
    changes: PhoneChange = request.app.state.phone_change
    sessions: Sessions = request.app.state.sessions
    gate: Gate = request.app.state.gate
    restored = _granted(await changes.undo(phone, code, place=place_of(request)))
    gate.shut(await sessions.end_all(restored.id, why=SessionEnd.ACCESS_CHANGED))
    return Json({"user_id": restored.id, "phone": restored.phone})


async def _user(changes: PhoneChange, user_id: UserId) -> User:
    user = await changes.user(user_id)
    if user is None:
        raise Refused(NOT_AUTHENTICATED())
    return user


def _granted(told: User | Refusal) -> User:
    if isinstance(told, Refusal):
        raise Refused(told)
    return told


def _sent(refusal: Refusal | None, parts: Parts) -> Json:
    if refusal is not None:
        raise Refused(refusal)
    settings = parts.settings.identity
    return Json({"expires_in_s": settings.otp_life_s, "resend_in_s": settings.otp_resend_s}, 202)
