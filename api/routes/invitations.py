"""Who is invited to be an operator or an admin."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from actors.invitations import Invitations
from api.deps import MaybeKey, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.identity_answers import InvitationShown, InvitationsShown
from api.identity_bodies import InvitationBody
from api.json_answer import Json
from api.list_queries import INVITATIONS
from api.once import Asked, once
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from api.step_up import FRESHLY, FreshDep
from engine.identity.access import Permission
from engine.identity.ids import LinkId
from engine.identity.links import UNKNOWN_INVITATION, Link
from engine.identity.profiles import Language
from engine.kernel.ids import ZoneId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import STALE, Refusal

router = APIRouter(prefix="/v1/staff/invitations", tags=["staff"])
_CHANGING = (INVALID_REQUEST, *WITH_TOKEN, *WITH_STORE, UNKNOWN_INVITATION, STALE)
Inviting = Annotated[Caller, granted(Permission.INVITE_STAFF)]


@router.post(
    "",
    status_code=201,
    responses=answers(
        201, InvitationShown, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, *WITH_KEY, *FRESHLY
    ),
)
async def invite(
    body: InvitationBody,
    request: Request,
    admin: Inviting,
    _: FreshDep,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Response:
    """Invite by e-mail; whoever has an account already gets new factors and this role, too."""

    async def make() -> Json:
        link = await _host(request).invite(
            body.email,
            Role(body.role),
            zones=None if body.zones is None else tuple(ZoneId(one) for one in body.zones),
            language=Language(body.language),
            by=admin,
        )
        return Json(_shown(link), 201)

    asked = Asked(
        who=admin.user_id,
        route="POST /v1/staff/invitations",
        key=key,
        body=body.model_dump(mode="json"),
    )
    return await once(request, parts, asked, make)


@router.get("", responses=answers(200, InvitationsShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST))
async def list_invitations(
    request: Request, _: Inviting, paging: Annotated[Paging, listed(INVITATIONS)]
) -> Json:
    """The invitations that are open, newest first."""
    page = await _host(request).listed(paging.wanted)
    return paging.answer(page, "invitations", [_shown(one) for one in page.rows])


@router.post(
    "/{invitation_id}/resend", responses=answers(200, InvitationShown, *_CHANGING, *WITH_KEY)
)
async def resend(
    invitation_id: PathId,
    request: Request,
    admin: Inviting,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Response:
    """Write again; the link that was sent before is worth nothing any more."""

    async def make() -> Json:
        return _told(await _host(request).resend(LinkId(invitation_id), by=admin))

    route = f"POST /v1/staff/invitations/{invitation_id}/resend"
    return await once(request, parts, Asked(who=admin.user_id, route=route, key=key), make)


@router.delete("/{invitation_id}", responses=answers(200, InvitationShown, *_CHANGING))
async def revoke(invitation_id: PathId, request: Request, admin: Inviting) -> Json:
    """Take an invitation back."""
    return _told(await _host(request).revoke(LinkId(invitation_id), by=admin))


def _host(request: Request) -> Invitations:
    host: Invitations = request.app.state.invitations
    return host


def _told(link: Link | Refusal) -> Json:
    if isinstance(link, Refusal):
        raise Refused(link)
    return Json(_shown(link))


def _shown(link: Link) -> dict[str, Any]:
    return {
        "invitation_id": link.id,
        "email": link.email,
        "role": None if link.role is None else link.role.value,
        "zones": None if link.zones is None else list(link.zones),
        "language": link.language.value,
        "sends": link.sends,
        "sent_at": link.sent_at,
        "expires_at": link.expires_at,
    }
