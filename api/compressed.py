"""Answers compressed for whoever reads it; what is too short for that passes untouched."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.raw_headers import header

_LEVEL: Final = 4
_LENGTH: Final = b"content-length"


class Compressed:
    """Around the routes; `types` are of what is compressed already."""

    def __init__(self, app: ASGIApp, *, from_bytes: int, types: Sequence[str]) -> None:
        self._app = app
        self._from_bytes = from_bytes
        self._types = tuple(types)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            send = _Decided(self, scope, send).send
        await self._app(scope, receive, send)

    def is_short(self, start: Message) -> bool:
        """Whether an answer says at its beginning that it is not worth it."""
        said = next((value for name, value in start["headers"] if name == _LENGTH), b"")
        return bool(said) and int(said) < self._from_bytes

    def packed(self, scope: Scope, send: Send) -> Send:
        """What compresses, or notes that it might have, on the way out."""
        responder: IdentityResponder
        if "gzip" in header(scope, b"accept-encoding"):
            responder = GZipResponder(
                self._app,
                self._from_bytes,
                compresslevel=_LEVEL,
                exclude_content_types=self._types,
            )
        else:
            responder = IdentityResponder(
                self._app, self._from_bytes, exclude_content_types=self._types
            )
        responder.send = send
        return responder.send_with_compression


class _Decided:
    """One answer, of which its beginning says whether it is compressed."""

    def __init__(self, how: Compressed, scope: Scope, send: Send) -> None:
        self._how = how
        self._scope = scope
        self._send = send
        self._out: Send | None = None

    async def send(self, message: Message) -> None:
        if self._out is None:
            is_short = message["type"] == "http.response.start" and self._how.is_short(message)
            self._out = self._send if is_short else self._how.packed(self._scope, self._send)
        await self._out(message)
