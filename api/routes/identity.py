"""Who is calling: log-in by a code, and what the service's clock shows."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from actors.codes import Wording
from actors.login import LogIn
from actors.profiles import Profiles
from actors.sessions import Sessions
from api.answers import ClockShown
from api.deps import MaybeKey, PartsDep, granted, place_of
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused, prefers_arabic
from api.identity_answers import CodeSent, Me, TokenIssued
from api.identity_bodies import CodeBody, TokenBody
from api.json_answer import Json
from api.once import Asked, name_of, once
from api.parts import Parts
from api.refusals import NOT_AUTHENTICATED
from api.refusing import trying
from api.routes.sessions import device_of, issued
from engine.identity.access import Permission
from engine.identity.budgets import TOO_MANY_CODES
from engine.identity.login import CODE_TOO_SOON, WRONG_CODE
from engine.identity.phone import BAD_PHONE, mobile_in_e164
from engine.identity.phone_change import PHONE_WAS_CHANGED
from engine.identity.profiles import SUSPENDED, ProfileStatus
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, Refusal

router = APIRouter(prefix="/v1", tags=["identity"])
CODE_REFUSALS = (CODE_TOO_SOON, TOO_MANY_CODES)


def phone_of(written: str) -> str:
    """The number in E.164, before anything is counted; raises what says that it is none."""
    phone = mobile_in_e164(written)
    if phone is None:
        raise Refused(BAD_PHONE(pointer="/phone"))
    return phone


def wording_of(request: Request, parts: Parts) -> Wording:
    """How a message to this caller is put."""
    settings = parts.settings.identity
    return Wording(
        domain=settings.otp_domain,
        arabic=prefers_arabic(request.headers.get("accept-language", "")),
        app_hash=settings.otp_app_hash,
    )


@router.post(
    "/auth/otp",
    status_code=202,
    responses=answers(202, CodeSent, *WITH_BODY, *WITH_STORE, BAD_PHONE, *CODE_REFUSALS),
)
async def send_code(
    body: CodeBody, request: Request, parts: PartsDep, key: MaybeKey = None
) -> Json:
    """Send a code to this phone."""
    login: LogIn = request.app.state.login
    settings = parts.settings.identity
    phone = phone_of(body.phone)
    trying(request, phone)
    asked = Asked(who=phone, route="POST /v1/auth/otp", key=key)
    refusal = await login.send_code(
        phone,
        wording_of(request, parts),
        place=place_of(request),
        asked_as=name_of(parts, asked),
    )
    if refusal is not None:
        raise Refused(refusal)
    return Json({"expires_in_s": settings.otp_life_s, "resend_in_s": settings.otp_resend_s}, 202)


@router.post(
    "/auth/token",
    responses=answers(
        200,
        TokenIssued,
        *WITH_BODY,
        *WITH_STORE,
        *WITH_KEY,
        BAD_PHONE,
        WRONG_CODE,
        NOT_ALLOWED,
        SUSPENDED,
        PHONE_WAS_CHANGED,
    ),
)
async def issue_token(
    body: TokenBody, request: Request, parts: PartsDep, key: MaybeKey = None
) -> Response:
    """Trade the code for an access token; a phone's first one makes its user."""
    phone = phone_of(body.phone)
    trying(request, phone)
    asked = Asked(
        who=phone, route="POST /v1/auth/token", key=key, body=body.model_dump(mode="json")
    )
    return await once(request, parts, asked, lambda: _log_in(request, parts, phone, body))


async def _log_in(request: Request, parts: Parts, phone: str, body: TokenBody) -> Json:
    login: LogIn = request.app.state.login
    settings = parts.settings.identity
    sessions: Sessions = request.app.state.sessions
    user = await login.try_code(phone, body.code)
    if isinstance(user, Refusal):
        raise Refused(user)
    role = Role(body.role)
    if role is Role.OPERATOR and user.phone not in settings.operators:
        raise Refused(NOT_ALLOWED(role=role.value))
    profiles: Profiles = request.app.state.profiles
    profile = await profiles.begin(user.id, role)
    if profile.status is ProfileStatus.SUSPENDED:
        raise Refused(SUSPENDED())
    caller = Caller(user_id=user.id, role=role, zones=profile.zones)
    opened = await sessions.begin(
        caller, device=device_of(request, body.device), place=place_of(request)
    )
    return Json(issued(request, parts, opened))


@router.get("/me", responses=answers(200, Me, *WITH_TOKEN, *WITH_STORE))
async def get_me(
    caller: Annotated[Caller, granted(Permission.SEE_ONESELF)], parts: PartsDep
) -> Json:
    """Who the token speaks for."""
    user = await parts.identity.find_user(caller.user_id)
    if user is None:
        account = await parts.staff.find_account_of(caller.user_id)
        if account is None:
            raise Refused(NOT_AUTHENTICATED())
        told = {"user_id": account.user_id, "phone": "", "email": account.email}
        return Json({**told, "role": caller.role.value})
    return Json({"user_id": user.id, "phone": user.phone, "role": caller.role.value})


@router.get("/clock", responses=answers(200, ClockShown))
async def get_clock(parts: PartsDep) -> Json:
    """What time it is for the service."""
    return Json({"now": parts.clock.now(), "speed": parts.clock.speed})
