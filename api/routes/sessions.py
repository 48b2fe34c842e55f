"""Staying logged in and logging out: refresh tokens, the list of sessions, the public keys."""

from typing import Any

from fastapi import APIRouter, Request

from actors.sessions import Opened, Sessions
from api.deps import PartsDep, PathId, ProvenDep, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.gate import Gate
from api.identity_answers import KeySet, LoggedOut, SessionsShown, TokenIssued
from api.identity_bodies import LogOutBody, RefreshBody
from api.json_answer import Json
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.tokens import Tokens
from engine.identity.access import Permission
from engine.identity.ids import SessionId
from engine.identity.sessions import REFRESH_SUPERSEDED, SESSION_ENDED, UNKNOWN_SESSION, Session
from engine.kernel.messages import Caller
from engine.kernel.refusals import Refusal

router = APIRouter(tags=["identity"])
_DEVICE_MAX = 120


@router.post(
    "/v1/auth/refresh",
    responses=answers(200, TokenIssued, *WITH_BODY, *WITH_STORE, SESSION_ENDED, REFRESH_SUPERSEDED),
)
async def refresh_token(body: RefreshBody, request: Request, parts: PartsDep) -> Json:
    """Trade a refresh token for a new pair; when the answer was lost, ask again with the same."""
    sessions: Sessions = request.app.state.sessions
    gate: Gate = request.app.state.gate
    opened = await sessions.refresh(body.refresh_token)
    if isinstance(opened, Refusal):
        await gate.look()
        raise Refused(opened)
    return Json(issued(request, parts, opened))


@router.post(
    "/v1/auth/logout",
    responses=answers(200, LoggedOut, *WITH_BODY, *WITH_TOKEN, *WITH_STORE),
    dependencies=[granted(Permission.END_SESSIONS)],
)
async def log_out(request: Request, proven: ProvenDep, body: LogOutBody | None = None) -> Json:
    """End this session, all others, or all; sockets of ended sessions are closed."""
    sessions: Sessions = request.app.state.sessions
    user_id, mine = proven.caller.user_id, proven.session_id
    scope = (body or LogOutBody()).scope
    if scope == "this":
        await sessions.end_one(user_id, mine)
        return _shut(request, (mine,))
    keep = mine if scope == "others" else None
    return _shut(request, await sessions.end_all(user_id, keep=keep))


@router.get(
    "/v1/sessions",
    responses=answers(200, SessionsShown, *WITH_TOKEN, *WITH_STORE),
    dependencies=[granted(Permission.SEE_SESSIONS)],
)
async def list_sessions(request: Request, proven: ProvenDep) -> Json:
    """Where the caller is logged in."""
    sessions: Sessions = request.app.state.sessions
    found = await sessions.listed(proven.caller.user_id)
    return Json({"sessions": [_shown(one, proven.session_id) for one in found]})


@router.delete(
    "/v1/sessions/{session_id}",
    responses=answers(200, LoggedOut, INVALID_REQUEST, *WITH_TOKEN, *WITH_STORE, UNKNOWN_SESSION),
    dependencies=[granted(Permission.END_SESSIONS)],
)
async def end_session(session_id: PathId, request: Request, proven: ProvenDep) -> Json:
    """Log out on one device."""
    sessions: Sessions = request.app.state.sessions
    refusal = await sessions.end_one(proven.caller.user_id, SessionId(session_id))
    if refusal is not None:
        raise Refused(refusal)
    return _shut(request, (SessionId(session_id),))


@router.get("/.well-known/jwks.json", responses=answers(200, KeySet))
async def list_keys(parts: PartsDep) -> Json:
    """The keys with which anybody can check our access tokens."""
    return Json({"keys": parts.keys.keys.published()})


def issued(request: Request, parts: Parts, opened: Opened) -> dict[str, Any]:
    """What is answered to whoever has proven who he is."""
    tokens: Tokens = request.app.state.tokens
    session = opened.session
    caller = Caller(user_id=session.user_id, role=session.role, zones=session.zones)
    return {
        "access_token": tokens.issue(caller, session.id, now=parts.wall.now()),
        "token_type": "Bearer",
        "expires_in_s": parts.settings.identity.access_token_s,
        "refresh_token": opened.refresh_token,
        "session_id": session.id,
        "session_expires_at": session.expires_at,
        "user_id": session.user_id,
        "role": session.role.value,
    }


def device_of(request: Request, named: str) -> str:
    """What the phone calls itself, else what its program does."""
    text = named or request.headers.get("user-agent", "")
    return "".join(letter for letter in text if letter.isprintable())[:_DEVICE_MAX]


def _shown(session: Session, mine: SessionId) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "role": session.role.value,
        "device": session.device,
        "place": session.place,
        "began_at": session.began_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "is_this": session.id == mine,
    }


def _shut(request: Request, session_ids: tuple[SessionId, ...]) -> Json:
    gate: Gate = request.app.state.gate
    gate.shut(session_ids)
    return Json({"session_ids": list(session_ids)})
