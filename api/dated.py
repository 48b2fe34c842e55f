"""Every answer as the version that is asked for has it, with word of what is going away."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from starlette.datastructures import MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Fault, problem
from api.raw_headers import header, say
from api.refusals import INVALID_REQUEST
from api.rewriting import Rewritten
from api.versions import (
    FIRST,
    HEADER,
    VERSIONS,
    AnswerChange,
    Deprecation,
    changes_since,
    deprecations_of,
)

EXPLAINED: Final = "https://hadiyati.example/docs/api/versions.md"
_VERSIONED: Final = "/v1/"
_HEADER: Final = HEADER.lower().encode()


class Dated:
    """Sits next to the routes, which know the newest version only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; one for a version that there is not is refused."""
        if scope["type"] != "http" or not scope["path"].startswith(_VERSIONED):
            await self._app(scope, receive, send)
            return
        version = header(scope, _HEADER, FIRST)
        if version not in VERSIONS:
            await _unknown_version(Request(scope))(scope, receive, send)
            return
        say(scope, (_HEADER, version.encode()))
        method, path = scope["method"], scope["path"]
        changes = changes_since(version, method, path)
        going = [*deprecations_of(method, path, _asked(scope))]
        if changes:
            send = Rewritten(send, partial(_as_before, changes), _is_good).send
        if going:
            send = _announcing(send, going)
        await self._app(scope, receive, send)


def _asked(scope: Scope) -> set[str]:
    text = scope["query_string"]
    return set(QueryParams(text)) if text else set()


def _unknown_version(request: Request) -> ASGIApp:
    message = f"must be one of {', '.join(VERSIONS)}"
    errors = [Fault(pointer=f"/header/{HEADER}", message=message)]
    return problem(request, INVALID_REQUEST(), errors=errors)


def _as_before(changes: Sequence[AnswerChange], told: Any) -> Any:  # noqa: ANN401 - any JSON
    for change in changes:
        told = change.earlier(told)
    return told


def _is_good(start: Message) -> bool:
    return 200 <= int(start["status"]) < 300


def _announcing(send: Send, going: Sequence[Deprecation]) -> Send:
    """Says in an answer's headers what of it goes, and when."""

    async def announce(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for one in going:
                for name, value in one.headers(EXPLAINED).items():
                    headers.append(name, value)
        await send(message)

    return announce
