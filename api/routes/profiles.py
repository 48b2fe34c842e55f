"""What somebody tells of himself in his role, and what operators decide about couriers."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from msgspec import convert
from starlette.responses import Response

from actors.email_verification import EmailVerification
from actors.profiles import Profiles
from actors.sessions import Sessions
from api.deps import IfMatch, PathId, ProvenDep, granted, place_of, version_in
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers, tagged
from api.errors import Invalid, Refused
from api.gate import Gate
from api.identity_answers import EmailVerified, LinkSent, ProfileShown
from api.identity_bodies import EnrolmentBody, ProfileBody, StatusBody, ZonesBody
from api.json_answer import Json
from api.refusals import IF_MATCH_MISSING, INVALID_REQUEST
from api.step_up import FRESHLY, FreshDep, demand_proof
from engine.identity.access import Permission
from engine.identity.links import BAD_LINK, LIFE_MS, LinkPurpose
from engine.identity.profiles import (
    BAD_BIRTH_DATE,
    NO_EMAIL,
    STALE_PROFILE,
    UNKNOWN_PROFILE,
    Edit,
    Profile,
    ProfileStatus,
    missing,
)
from engine.identity.sessions import SessionEnd
from engine.identity.staff import TOO_MANY_TRIES
from engine.kernel.ids import UserId, ZoneId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, STALE, Refusal
from engine.kernel.timing import SECOND_MS

router = APIRouter(prefix="/v1", tags=["identity"])
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match")]


@router.get(
    "/profile",
    responses=tagged(
        answers(200, ProfileShown, INVALID_REQUEST, *WITH_TOKEN, *WITH_STORE), is_conditional=True
    ),
)
async def get_profile(
    caller: Annotated[Caller, granted(Permission.SEE_ONESELF)],
    request: Request,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The caller's profile in his role, with what is still to be told."""
    profiles: Profiles = request.app.state.profiles
    profile = await profiles.begin(caller.user_id, caller.role)
    if if_none_match is not None and _version(if_none_match) == profile.version:
        return Response(status_code=304, headers={"etag": _etag(profile)})
    return shown_profile(profile)


@router.patch(
    "/profile",
    responses=tagged(
        answers(
            200,
            ProfileShown,
            *WITH_BODY,
            *WITH_TOKEN,
            *WITH_STORE,
            STALE_PROFILE,
            BAD_BIRTH_DATE,
            IF_MATCH_MISSING,
            *FRESHLY,
        )
    ),
)
async def edit_profile(
    body: ProfileBody,
    caller: Annotated[Caller, granted(Permission.EDIT_PROFILE)],
    proven: ProvenDep,
    request: Request,
    if_match: IfMatch = None,
) -> Json:
    """Change some of it; what is left out stays as it was. Another e-mail asks for a proof."""
    profiles: Profiles = request.app.state.profiles
    if if_match is None:
        raise Refused(IF_MATCH_MISSING())
    seen = _version(if_match)
    if seen is None:
        raise Invalid("/header/If-Match", "must be a version that an ETag told")
    wish = convert(body.model_dump(exclude_unset=True), Edit)
    if wish.email is not None:
        before = await profiles.begin(caller.user_id, caller.role)
        if before.email not in {"", wish.email}:
            await demand_proof(request, proven)
    return shown_profile(
        granted_profile(await profiles.edit(caller.user_id, caller.role, wish, seen=seen))
    )


@router.post(
    "/profile/email/verification",
    status_code=202,
    responses=answers(202, LinkSent, *WITH_TOKEN, *WITH_STORE, NO_EMAIL, TOO_MANY_TRIES),
)
async def ask_email_verification(
    caller: Annotated[Caller, granted(Permission.EDIT_PROFILE)], request: Request
) -> Json:
    """Have a link sent to the e-mail of the profile; opening it proves that it is yours."""
    host: EmailVerification = request.app.state.email_verification
    refusal = await host.ask(caller.user_id, caller.role, place=place_of(request))
    if refusal is not None:
        raise Refused(refusal)
    return Json({"expires_in_s": LIFE_MS[LinkPurpose.VERIFY_EMAIL] // SECOND_MS}, 202)


@router.post(
    "/auth/email",
    responses=answers(200, EmailVerified, *WITH_BODY, *WITH_STORE, BAD_LINK, NO_EMAIL, STALE),
)
async def verify_email(body: EnrolmentBody, request: Request) -> Json:
    """Whoever has the token of the link has read the mail; no log-in is needed."""
    host: EmailVerification = request.app.state.email_verification
    profile = granted_profile(await host.verify(body.token))
    return Json({"email": profile.email, "role": profile.role.value})


@router.put(
    "/couriers/{courier_id}/status",
    responses=tagged(
        answers(200, ProfileShown, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, UNKNOWN_PROFILE)
    ),
)
async def judge_courier(
    courier_id: PathId,
    body: StatusBody,
    request: Request,
    operator: Annotated[Caller, granted(Permission.JUDGE_COURIERS)],
) -> Json:
    """Verify a courier, or suspend him: then he is logged out everywhere."""
    profiles: Profiles = request.app.state.profiles
    status = ProfileStatus(body.status)
    user_id = UserId(courier_id)
    told = await profiles.judge(user_id, Role.COURIER, status, body.reason, by=operator)
    profile = granted_profile(told)
    if status is ProfileStatus.SUSPENDED:
        sessions: Sessions = request.app.state.sessions
        gate: Gate = request.app.state.gate
        gate.shut(await sessions.end_all(user_id, role=Role.COURIER, why=SessionEnd.ACCESS_CHANGED))
    return shown_profile(profile)


@router.put(
    "/operators/{operator_id}/zones",
    responses=tagged(
        answers(200, ProfileShown, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, UNKNOWN_PROFILE, *FRESHLY)
    ),
)
async def limit_operator(
    operator_id: PathId,
    body: ZonesBody,
    request: Request,
    admin: Annotated[Caller, granted(Permission.LIMIT_STAFF)],
    _: FreshDep,
) -> Json:
    """Limit an operator to some zones; he is logged out, and acts there from then on."""
    if admin.user_id == operator_id:
        raise Refused(NOT_ALLOWED(role=admin.role.value))
    profiles: Profiles = request.app.state.profiles
    sessions: Sessions = request.app.state.sessions
    gate: Gate = request.app.state.gate
    user_id = UserId(operator_id)
    zones = None if body.zones is None else tuple(ZoneId(one) for one in body.zones)
    profile = granted_profile(await profiles.limit(user_id, zones, by=admin))
    gate.shut(await sessions.end_all(user_id, role=Role.OPERATOR, why=SessionEnd.ACCESS_CHANGED))
    return shown_profile(profile)


def granted_profile(told: Profile | Refusal) -> Profile:
    """The profile; raises the refusal."""
    if isinstance(told, Refusal):
        raise Refused(told)
    return told


def shown_profile(profile: Profile) -> Json:
    """A profile as it is shown, with its version as ETag."""
    body: dict[str, Any] = {
        "user_id": profile.user_id,
        "role": profile.role.value,
        "version": profile.version,
        "status": profile.status.value,
        "status_reason": profile.status_reason,
        "language": profile.language.value,
        "name_ar": profile.name_ar,
        "name_en": profile.name_en,
        "email": profile.email,
        "is_email_verified": profile.is_email_verified,
        "birth_date": profile.birth_date,
        "zones": None if profile.zones is None else list(profile.zones),
        "missing": list(missing(profile)),
    }
    return Json(body, headers={"etag": _etag(profile)})


def _etag(profile: Profile) -> str:
    return f'"{profile.version}"'


def _version(tag: str) -> int | None:
    text = version_in(tag)
    return int(text) if text.isdecimal() and len(text) < 10 else None
