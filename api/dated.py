"""Every answer as the version that is asked for has it, with word of what is going away."""

from typing import Final

import msgspec
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Fault, problem
from api.raw_headers import header, say
from api.refusals import INVALID_REQUEST
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
        if changes or going:
            send = _Answer(send, changes, going).send
        await self._app(scope, receive, send)


def _asked(scope: Scope) -> set[str]:
    text = scope["query_string"]
    return set(QueryParams(text)) if text else set()


def _unknown_version(request: Request) -> ASGIApp:
    message = f"must be one of {', '.join(VERSIONS)}"
    errors = [Fault(pointer=f"/header/{HEADER}", message=message)]
    return problem(request, INVALID_REQUEST(), errors=errors)


class _Answer:
    """Holds an answer back while it must be made anew, and only then."""

    def __init__(self, send: Send, changes: list[AnswerChange], going: list[Deprecation]) -> None:
        self._send = send
        self._changes = changes
        self._going = going
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for one in self._going:
                for name, value in one.headers(EXPLAINED).items():
                    headers.append(name, value)
            if self._changes and 200 <= message["status"] < 300:
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            message = {"type": "http.response.body", "body": self._as_before()}
            MutableHeaders(scope=self._start)["content-length"] = str(len(message["body"]))
            await self._send(self._start)
        await self._send(message)

    def _as_before(self) -> bytes:
        told = msgspec.json.decode(self._body)
        for change in self._changes:
            told = change.earlier(told)
        return msgspec.json.encode(told)
