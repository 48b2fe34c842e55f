"""What wraps every request: its id, the limit of its size, an answer when the fault is ours."""

from collections.abc import Callable

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.refusals import INTERNAL_ERROR, TOO_LARGE
from api.sockets.endpoint import PATH, serve_socket

_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}

# A caller who is cut off while he still sends does not see why; so that much is let run out.
_READ_AND_DROPPED_MAX = 16 * 1024 * 1024


class Outermost:
    """Sits around the whole application, so that no answer is without a request id.

    Sockets are served from here.
    """

    def __init__(self, app: ASGIApp, *, body_bytes_max: int, new_id: Callable[[], str]) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max
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
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if (length := _length(scope)) > self._body_bytes_max:
                    answer.is_hopeless = length > _READ_AND_DROPPED_MAX
                    await problem(Request(scope), TOO_LARGE())(scope, receive, answer.send)
                else:
                    await self._app(scope, _Counted(receive, self._body_bytes_max), answer.send)
            except Exception:
                structlog.get_logger(__name__).exception("internal_error", path=scope["path"])
                if answer.has_started:
                    raise
                await problem(Request(scope), INTERNAL_ERROR())(scope, receive, answer.send)


class _Answer:
    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.has_started = False
        self.is_hopeless = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self._request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self.is_hopeless:
                headers["connection"] = "close"
        await self._send(message)


def _length(scope: Scope) -> int:
    """What the request says of its own length; 0 when it says nothing."""
    said = Request(scope).headers.get("content-length", "")
    return int(said) if said.isdecimal() else 0


class _Counted:
    """A body that did not say how long it is may not become longer than allowed either."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive = receive
        self._left = bytes_max

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        return message
