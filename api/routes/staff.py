"""How operators and admins log in: by invitation, password and authenticator."""

from typing import Annotated, Any

from fastapi import APIRouter, Request

from actors.invitations import Invitations
from actors.profiles import Profiles
from actors.sessions import Sessions
from actors.staff_login import StaffLogIn, Try
from actors.staff_proofs import NewPassword, StaffProofs
from api.deps import PartsDep, PathId, ProvenDep, granted, place_of
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers, tagged
from api.errors import Refused, prefers_arabic
from api.gate import Gate
from api.identity_answers import (
    Enrolled,
    EnrolmentShown,
    LinkSent,
    LoggedOut,
    PasswordChanged,
    ProfileShown,
    StaffTokenIssued,
)
from api.identity_bodies import (
    AcceptBody,
    EnrolmentBody,
    ForgottenBody,
    NewPasswordBody,
    PasswordBody,
    PasswordChangeBody,
    StaffStatusBody,
)
from api.json_answer import Json
from api.parts import Parts
from api.refusing import trying
from api.routes.profiles import granted_profile, shown_profile
from api.routes.sessions import device_of, issued
from api.step_up import FRESHLY, FreshDep
from engine.identity.access import Permission
from engine.identity.ids import SessionId
from engine.identity.links import BAD_LINK, LIFE_MS, LinkPurpose
from engine.identity.passwords import STOLEN_PASSWORD, WEAK_PASSWORD
from engine.identity.profiles import UNKNOWN_PROFILE, Language, Profile, ProfileStatus
from engine.identity.sessions import SessionEnd
from engine.identity.staff import TOO_MANY_TRIES, WRONG_CREDENTIALS, WRONG_PROOF
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, STALE, Refusal
from engine.kernel.timing import SECOND_MS

router = APIRouter(prefix="/v1", tags=["staff"])
_CHOOSING = (*WITH_BODY, *WITH_STORE, BAD_LINK, STOLEN_PASSWORD, WEAK_PASSWORD, STALE)


@router.post(
    "/auth/password",
    responses=answers(
        200,
        StaffTokenIssued,
        *WITH_BODY,
        *WITH_STORE,
        WRONG_CREDENTIALS,
        TOO_MANY_TRIES,
        NOT_ALLOWED,
    ),
)
async def log_in(body: PasswordBody, request: Request, parts: PartsDep) -> Json:
    """Log in with e-mail, password and code; which of them was wrong is not told."""
    host: StaffLogIn = request.app.state.staff_login
    trying(request, body.email)
    let_in = await host.log_in(
        Try(
            email=body.email,
            password=body.password,
            code=body.code,
            role=Role(body.role),
            device=body.device_token,
            place=place_of(request),
        )
    )
    if isinstance(let_in, Refusal):
        raise Refused(let_in)
    told = await _begin(request, parts, let_in.profile, body.device)
    return Json({**told, "device_token": let_in.device_token})


@router.post(
    "/auth/password/forgotten",
    status_code=202,
    responses=answers(202, LinkSent, *WITH_BODY, *WITH_STORE, TOO_MANY_TRIES),
)
async def forget_password(body: ForgottenBody, request: Request) -> Json:
    """Have a link sent by which another password can be chosen."""
    host: StaffLogIn = request.app.state.staff_login
    trying(request, body.email)
    arabic = prefers_arabic(request.headers.get("accept-language", ""))
    language = Language.ARABIC if arabic else Language.ENGLISH
    refusal = await host.forget_password(body.email, language, place=place_of(request))
    if refusal is not None:
        raise Refused(refusal)
    return Json({"expires_in_s": LIFE_MS[LinkPurpose.RESET_PASSWORD] // SECOND_MS}, 202)


@router.post("/auth/password/reset", responses=answers(200, PasswordChanged, *_CHOOSING))
async def reset_password(body: NewPasswordBody, request: Request) -> Json:
    """Choose another password; every session of the account ends."""
    host: StaffLogIn = request.app.state.staff_login
    account = await host.reset_password(body.token, body.password, place=place_of(request))
    if isinstance(account, Refusal):
        raise Refused(account)
    await _end_sessions(request, account.user_id, role=None)
    # Who reads the account's mail may log in also while strangers use up its tries.
    return Json({"device_token": host.device_token(account.email)})


@router.post(
    "/auth/password/change",
    responses=answers(
        200,
        LoggedOut,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        WRONG_PROOF,
        STOLEN_PASSWORD,
        WEAK_PASSWORD,
        TOO_MANY_TRIES,
    ),
)
async def change_password(
    body: PasswordChangeBody,
    caller: Annotated[Caller, granted(Permission.CHANGE_PASSWORD)],
    proven: ProvenDep,
    request: Request,
) -> Json:
    """Choose another password by the old one and a code; every other session of yours ends."""
    host: StaffProofs = request.app.state.staff_proofs
    wish = NewPassword(current=body.current_password, code=body.code, password=body.password)
    account = await host.change_password(caller, wish)
    if isinstance(account, Refusal):
        raise Refused(account)
    ended = await _end_sessions(request, account.user_id, role=None, keep=proven.session_id)
    return Json({"session_ids": list(ended)})


@router.post(
    "/auth/enrolment", responses=answers(200, EnrolmentShown, *WITH_BODY, *WITH_STORE, BAD_LINK)
)
async def begin_enrolment(body: EnrolmentBody, request: Request) -> Json:
    """What who was invited puts into his authenticator."""
    host: Invitations = request.app.state.invitations
    enrolment = await host.begin(body.token)
    if isinstance(enrolment, Refusal):
        raise Refused(enrolment)
    return Json(
        {
            "email": enrolment.email,
            "role": enrolment.role.value,
            "secret": enrolment.totp_secret,
            "otpauth_uri": enrolment.otpauth_uri,
        }
    )


@router.post(
    "/auth/enrolment/accept", responses=answers(200, Enrolled, *_CHOOSING, WRONG_CREDENTIALS)
)
async def accept_invitation(body: AcceptBody, request: Request, parts: PartsDep) -> Json:
    """Take an invitation up with a password and the first code of the authenticator."""
    host: Invitations = request.app.state.invitations
    login: StaffLogIn = request.app.state.staff_login
    enrolled = await host.accept(body.token, body.password, body.code, place=place_of(request))
    if isinstance(enrolled, Refusal):
        raise Refused(enrolled)
    # Who had an account has other factors now: what was opened with those before ends.
    await _end_sessions(request, enrolled.profile.user_id, role=None)
    told = await _begin(request, parts, enrolled.profile, body.device)
    device_token = login.device_token(enrolled.email)
    codes = list(enrolled.recovery_codes)
    return Json({**told, "device_token": device_token, "recovery_codes": codes})


@router.put(
    "/staff/{user_id}/status",
    responses=tagged(
        answers(200, ProfileShown, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, UNKNOWN_PROFILE, *FRESHLY)
    ),
)
async def judge_staff(
    user_id: PathId,
    body: StaffStatusBody,
    request: Request,
    admin: Annotated[Caller, granted(Permission.LIMIT_STAFF)],
    _: FreshDep,
) -> Json:
    """Suspend another operator or admin in a role, who is out at once, or let him in again."""
    if admin.user_id == user_id:
        raise Refused(NOT_ALLOWED(role=admin.role.value))
    profiles: Profiles = request.app.state.profiles
    role, status = Role(body.role), ProfileStatus(body.status)
    told = await profiles.judge(UserId(user_id), role, status, body.reason, by=admin)
    profile = granted_profile(told)
    if status is ProfileStatus.SUSPENDED:
        await _end_sessions(request, profile.user_id, role=role)
    return shown_profile(profile)


async def _begin(request: Request, parts: Parts, profile: Profile, device: str) -> dict[str, Any]:
    sessions: Sessions = request.app.state.sessions
    caller = Caller(user_id=profile.user_id, role=profile.role, zones=profile.zones)
    opened = await sessions.begin(
        caller, device=device_of(request, device), place=place_of(request)
    )
    return issued(request, parts, opened)


async def _end_sessions(
    request: Request, user_id: UserId, *, role: Role | None, keep: SessionId | None = None
) -> tuple[SessionId, ...]:
    sessions: Sessions = request.app.state.sessions
    gate: Gate = request.app.state.gate
    ended = await sessions.end_all(user_id, role=role, keep=keep, why=SessionEnd.ACCESS_CHANGED)
    gate.shut(ended)
    return ended
