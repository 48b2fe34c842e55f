"""What is refused at the edge leaves a security record, with the door and whoever stood there."""

from typing import TYPE_CHECKING, Final

from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from api.raw_headers import bearer_of
from api.refusals import NOT_AUTHENTICATED
from api.tokens import Proven
from engine.kernel.refusals import Refusal

if TYPE_CHECKING:
    from actors.refused_tries import RefusedTries
    from api.gate import Gate

_TRIED: Final = "tried"


def trying(request: HTTPConnection, name: str) -> None:
    """Say by which phone or e-mail somebody tries to get in, before it is looked at."""
    request.scope.setdefault("state", {})[_TRIED] = name


def note_refusal(request: HTTPConnection, refusal: Refusal) -> None:
    """Record a refusal over HTTP, if it tells of a trespass."""
    token = bearer_of(request.scope)
    if refusal.code == NOT_AUTHENTICATED.code and not token:
        # Who shows nothing tries nothing.
        return
    gate: Gate = request.app.state.gate
    proven = gate.prove(token)
    known = proven.caller.user_id if isinstance(proven, Proven) else None
    tries: RefusedTries = request.app.state.refused_tries
    tries.note(
        refusal,
        _door(request),
        place=request.client.host if request.client else "",
        user_id=known,
        tried=request.scope.get("state", {}).get(_TRIED, ""),
        is_named=bool(request.scope.get("path_params")),
    )


def _door(request: HTTPConnection) -> str:
    """The shape of the address: what stands in it may be a secret."""
    route = request.scope.get("route")
    method = request.scope.get("method", "GET")
    return f"{method} {route.path}" if isinstance(route, APIRoute) else "socket"
