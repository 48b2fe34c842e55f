"""Proving once more who one is, before what would help a thief most."""

from typing import Annotated

from fastapi import APIRouter, Request

from actors.codes import Codes
from actors.sessions import Sessions
from actors.staff_proofs import StaffProofs
from api.deps import MaybeKey, PartsDep, ProvenDep, granted, place_of
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.identity_answers import CodeSent, SteppedUp
from api.identity_bodies import StepUpBody
from api.json_answer import Json
from api.once import Asked, name_of
from api.parts import Parts
from api.refusals import INVALID_REQUEST, NOT_AUTHENTICATED
from api.routes.identity import CODE_REFUSALS, wording_of
from engine.identity.access import Permission
from engine.identity.login import WRONG_CODE, Purpose
from engine.identity.sessions import SESSION_ENDED
from engine.identity.staff import STAFF_ROLES, TOO_MANY_TRIES, WRONG_PROOF
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller
from engine.kernel.refusals import Refusal

router = APIRouter(prefix="/v1/auth/step-up", tags=["identity"])


@router.post(
    "/code",
    status_code=202,
    responses=answers(202, CodeSent, INVALID_REQUEST, *WITH_TOKEN, *WITH_STORE, *CODE_REFUSALS),
)
async def send_step_up_code(
    caller: Annotated[Caller, granted(Permission.GET_STEP_UP_CODE)],
    request: Request,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Json:
    """Send a code to the phone of this account; operators and admins have an authenticator."""
    codes: Codes = request.app.state.codes
    asked = Asked(who=caller.user_id, route="POST /v1/auth/step-up/code", key=key)
    refusal = await codes.send(
        await _phone(parts, caller.user_id),
        Purpose.STEP_UP,
        wording_of(request, parts),
        place=place_of(request),
        asked_as=name_of(parts, asked),
    )
    if refusal is not None:
        raise Refused(refusal)
    settings = parts.settings.identity
    return Json({"expires_in_s": settings.otp_life_s, "resend_in_s": settings.otp_resend_s}, 202)


@router.post(
    "",
    responses=answers(
        200,
        SteppedUp,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        WRONG_CODE,
        WRONG_PROOF,
        TOO_MANY_TRIES,
        SESSION_ENDED,
    ),
)
async def step_up(
    body: StepUpBody,
    caller: Annotated[Caller, granted(Permission.STEP_UP)],
    proven: ProvenDep,
    request: Request,
    parts: PartsDep,
) -> Json:
    """Prove by a code, of the phone or of the authenticator, that it is you; for this session."""
    refusal = await _objection(request, parts, caller, body.code)
    if refusal is not None:
        raise Refused(refusal)
    sessions: Sessions = request.app.state.sessions
    session = await sessions.step_up(proven.session_id)
    if isinstance(session, Refusal):
        raise Refused(session)
    return Json({"fresh_until": session.stepped_up_at + parts.settings.identity.step_up_s * 1000})


async def _objection(request: Request, parts: Parts, caller: Caller, code: str) -> Refusal | None:
    if caller.role in STAFF_ROLES:
        proofs: StaffProofs = request.app.state.staff_proofs
        account = await proofs.prove_code(caller.user_id, code)
        return account if isinstance(account, Refusal) else None
    codes: Codes = request.app.state.codes
    return await codes.prove(await _phone(parts, caller.user_id), code, Purpose.STEP_UP)


async def _phone(parts: Parts, user_id: UserId) -> str:
    user = await parts.identity.find_user(user_id)
    if user is None:
        raise Refused(NOT_AUTHENTICATED())
    return user.phone
