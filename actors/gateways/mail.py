"""E-mail: the port, and the stand-in that writes messages into a file."""

import asyncio
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from actors.gateways.lines import append_line


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A message in plain text to one address."""

    to: str
    subject: str
    text: str


class MailGateway(Protocol):
    """Sends e-mail."""

    async def send(self, mail: Mail, key: str) -> None:
        """Send it; the same key again is the same message. Raises `MailFailed`."""
        ...


class MailFailed(Exception):
    """The message was not taken; it may be sent again with the same key."""


class MailRejected(MailFailed):
    """The message will never be taken: there is no such mailbox, or it refuses us."""


async def deliver(gateway: MailGateway, mail: Mail, key: str) -> None:
    """Send it; of one that will never be taken only the log tells. Raises `MailFailed`."""
    try:
        await gateway.send(mail, key)
    except MailRejected as error:
        structlog.get_logger(__name__).warning("mail_rejected", why=str(error))


class SentMail(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the development gateway's file."""

    key: str
    to: str
    subject: str
    text: str


class DevelopmentMail:
    """Appends every message to a file of JSON lines that only its owner can read."""

    def __init__(self, file: Path, *, prints: bool = False) -> None:
        self._file = file
        self._prints = prints

    async def send(self, mail: Mail, key: str) -> None:
        """Write the message down."""
        sent = SentMail(key=key, to=mail.to, subject=mail.subject, text=mail.text)
        try:
            await asyncio.to_thread(append_line, self._file, msgspec.json.encode(sent))
        except OSError as error:
            raise MailFailed(str(error)) from error
        if self._prints:
            structlog.get_logger(__name__).info("mail", to=mail.to, text=mail.text)
