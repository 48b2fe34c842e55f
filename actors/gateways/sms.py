"""Text messages: the port, and the stand-in that writes them into a file."""

import asyncio
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from actors.gateways.lines import append_line


class SmsGateway(Protocol):
    """Sends text messages."""

    async def send(self, phone: str, text: str, key: str) -> None:
        """Send to a phone in E.164; the same key again is the same message. Raises `SmsFailed`."""
        ...


class SmsFailed(Exception):
    """The message was not taken; it may be sent again with the same key."""


class SmsRejected(SmsFailed):
    """The message will never be taken: the number is not reachable, or we are not allowed to."""


class SmsUncertain(SmsFailed):
    """Nobody knows whether the message was taken: to send it again may send it twice."""


class SentSms(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the development gateway's file."""

    key: str
    phone: str
    text: str


class DevelopmentSms:
    """Appends every message to a file of JSON lines that only its owner can read."""

    def __init__(self, file: Path, *, prints: bool = False) -> None:
        self._file = file
        self._prints = prints

    async def send(self, phone: str, text: str, key: str) -> None:
        """Write the message down."""
        line = msgspec.json.encode(SentSms(key=key, phone=phone, text=text))
        try:
            await asyncio.to_thread(self._append, line)
        except OSError as error:
            raise SmsFailed(str(error)) from error
        if self._prints:
            structlog.get_logger(__name__).info("sms", phone=phone, text=text)

    def _append(self, line: bytes) -> None:
        append_line(self._file, line)
