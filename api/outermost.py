"""What wraps every request: its id, its limits, its headers, an answer when the fault is ours."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.logs import REQUEST, RequestNames
from api.raw_headers import Pair, add_missing, header, said_of
from api.refusals import INTERNAL_ERROR, TOO_LARGE
from api.sockets.endpoint import PATH, serve_socket
from api.trace import Trace, trace_of

_POLICY = b"content-security-policy"
_FIXED: tuple[Pair, ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"cross-origin-resource-policy", b"same-site"),
)
_OF_ANY = (*_FIXED, (_POLICY, b"default-src 'none'; frame-ancestors 'none'"))
# The page that shows the description of the interface loads what draws it.
_OF_DOCUMENTS = (
    *_FIXED,
    (
        _POLICY,
        (
            b"default-src 'none'; frame-ancestors 'none'; connect-src 'self'; "
            b"img-src https://fastapi.tiangolo.com data:; style-src https://cdn.jsdelivr.net "
            b"'unsafe-inline'; script-src https://cdn.jsdelivr.net 'unsafe-inline'"
        ),
    ),
)
_DOCUMENTS = "/docs"

# A caller who is cut off while he still sends does not see why; so that much is let run out.
_READ_AND_DROPPED_MAX = 16 * 1024 * 1024


class BodyLimit(NamedTuple):
    """How much a body may be, and how long it may take to arrive."""

    bytes_max: int
    s_max: float


class Outermost:
    """Sits around the whole application, so that no answer is without a request id.

    Sockets are served from here.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        body: BodyLimit,
        bodies: Mapping[str, BodyLimit],
        new_id: Callable[[], str],
    ) -> None:
        self._app = app
        self._body = body
        self._bodies = bodies
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket" and scope["path"] == PATH:
            await serve_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_id()
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        trace = trace_of(header(scope, b"traceparent"))
        answer = _Answer(scope, send, request_id, trace)
        before = REQUEST.set(RequestNames(request_id, trace.trace_id))
        try:
            limit = self._bodies.get(scope["path"], self._body)
            if (length := _length(scope)) > limit.bytes_max:
                answer.is_hopeless = length > _READ_AND_DROPPED_MAX
                await problem(Request(scope), TOO_LARGE())(scope, receive, answer.send)
            else:
                await self._app(scope, _counted(receive, limit), answer.send)
        except Exception:
            structlog.get_logger(__name__).exception("internal_error", path=scope["path"])
            if answer.has_started:
                raise
            await problem(Request(scope), INTERNAL_ERROR())(scope, receive, answer.send)
        finally:
            REQUEST.reset(before)


class _Answer:
    def __init__(self, scope: Scope, send: Send, request_id: str, trace: Trace) -> None:
        self._scope = scope
        self._send = send
        self._request_id = request_id
        self._trace = trace
        self.has_started = False
        self.is_hopeless = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            own = [
                (b"x-request-id", self._request_id.encode()),
                (b"traceparent", self._trace.header.encode()),
            ]
            if self.is_hopeless:
                own.append((b"connection", b"close"))
            fixed = _OF_DOCUMENTS if self._scope["path"] == _DOCUMENTS else _OF_ANY
            add_missing(message, [*own, *said_of(self._scope), *fixed])
        await self._send(message)


def _counted(receive: Receive, limit: BodyLimit) -> "_Counted":
    return _Counted(receive, limit.bytes_max, asyncio.get_running_loop().time() + limit.s_max)


def _length(scope: Scope) -> int:
    """What the request says of its own length; 0 when it says nothing."""
    said = header(scope, b"content-length")
    return int(said) if said.isdecimal() else 0


class _Counted:
    """A body may not become longer than allowed, whatever it said, nor take longer."""

    def __init__(self, receive: Receive, bytes_max: int, until: float) -> None:
        self._receive = receive
        self._left = bytes_max
        self._until: float | None = until

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408) from None
        if not message.get("more_body"):
            # All of it is here; what comes now is the caller's going away.
            self._until = None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        return message
