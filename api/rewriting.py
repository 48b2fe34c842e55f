"""Answers that are made anew on their way out: held back until all is there, then changed."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send


class Rewritten:
    """Changes one answer of JSON, if its beginning says that it is to be changed."""

    def __init__(
        self, send: Send, change: Callable[[Any], Any], is_due: Callable[[Message], bool]
    ) -> None:
        self._send = send
        self._change = change
        self._is_due = is_due
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Pass it on, unless it belongs to an answer that is changed."""
        if message["type"] == "http.response.start":
            if self._is_due(message):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            told = msgspec.json.encode(self._change(msgspec.json.decode(self._body)))
            message = {"type": "http.response.body", "body": told}
            MutableHeaders(scope=self._start)["content-length"] = str(len(told))
            await self._send(self._start)
        await self._send(message)
