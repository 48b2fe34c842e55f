"""Bodies in JSON read at once; whatever else a body may be, the framework reads."""

from collections import deque
from typing import Final

import msgspec
from starlette.types import Message, Receive, Scope

from api.raw_headers import header

_JSON: Final = "application/json"
_decode: Final = msgspec.json.Decoder().decode


class NotPlain(Exception):
    """The framework must read this one: it knows more kinds of bodies, and names every fault."""


class ReadBody:
    """A body on its way in, which whoever is asked next can receive again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: deque[Message] = deque()

    async def again(self) -> Message:
        """As `receive`, from the beginning."""
        return self._messages.popleft() if self._messages else await self._receive()

    async def told(self, scope: Scope) -> object:
        """What the JSON says; raises `NotPlain`, and what receiving raises.

        What this takes for JSON the framework takes for the same, and more beside: other
        encodings of text, numbers beyond all bounds, halves of letters.
        """
        kind, _, _ = header(scope, b"content-type").partition(";")
        if kind.strip().lower() != _JSON:
            raise NotPlain
        try:
            return _decode(await self._whole())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise NotPlain from None

    async def _whole(self) -> bytes:
        message = await self._receive()
        self._messages.append(message)
        if message["type"] == "http.request" and not message.get("more_body"):
            return bytes(message.get("body", b""))
        while message["type"] == "http.request" and message.get("more_body"):
            message = await self._receive()
            self._messages.append(message)
        if message["type"] != "http.request":
            # Who asked has gone away.
            raise NotPlain
        return b"".join(one.get("body", b"") for one in self._messages)
