"""E-mail as a mail server hears it, in its own protocol, with its noes and its silences."""

import asyncio
import email
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from actors.clock import SystemClock
from actors.gateways.mail import DevelopmentMail, Mail, MailFailed, MailRejected, SentMail
from actors.gateways.settings import MailProvider, MailSecurity, MailSettings
from actors.gateways.smtp import SmtpMail

MAIL = Mail(to="noura@example.com", subject="دعوتك إلى هديتي", text="أهلًا\nhttps://x.example/#t")


class Sink:
    """What came in; `says` answers at a step of the protocol instead."""

    def __init__(self, **says: str) -> None:
        self.says = says
        self.taken: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - named by the library
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "rcpt" not in self.says:
            envelope.rcpt_tos.append(address)
        return self.says.get("rcpt", "250 fine")

    async def handle_DATA(  # noqa: N802 - named by the library
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.taken.append(envelope)
        return self.says.get("data", "250 fine")


@asynccontextmanager
async def served(protocol: Callable[[], asyncio.BaseProtocol]) -> AsyncIterator[MailSettings]:
    """A mail server on a port of its own that leaves no connection open; what reaches it."""
    loop = asyncio.get_running_loop()
    talks: list[asyncio.Future[None]] = []

    def heard_out() -> asyncio.BaseProtocol:
        talks.append(gone := loop.create_future())
        made = protocol()
        lost = made.connection_lost

        def connection_lost(exc: Exception | None) -> None:
            lost(exc)
            gone.set_result(None)

        made.connection_lost = connection_lost  # type: ignore[method-assign]
        return made

    server = await loop.create_server(heard_out, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield MailSettings(
            provider=MailProvider.SMTP,
            host="127.0.0.1",
            port=port,
            security=MailSecurity.NONE,
            timeout_s=30,
        )
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*talks), timeout=30)


def heard(sink: Sink) -> Callable[[], asyncio.BaseProtocol]:
    return lambda: SMTP(sink, hostname="mail.example", enable_SMTPUTF8=False)


async def test_a_message_arrives_as_it_was_written() -> None:
    sink = Sink()
    async with served(heard(sink)) as settings:
        await SmtpMail(settings, SystemClock()).send(MAIL, "key-1")
    (envelope,) = sink.taken
    assert envelope.mail_from == "no-reply@hadiyati.example"
    assert envelope.rcpt_tos == [MAIL.to]
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii()
    message = email.message_from_bytes(envelope.content, EmailMessage, policy=default)
    assert message["Subject"] == MAIL.subject
    assert message.get_content().replace("\r\n", "\n").strip() == MAIL.text
    assert message["Message-ID"] == "<key-1@hadiyati.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"]


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ({"rcpt": "550 no such mailbox"}, MailRejected),
        ({"rcpt": "450 try later"}, MailFailed),
        ({"data": "554 spam"}, MailRejected),
        ({"data": "451 try later"}, MailFailed),
    ],
)
async def test_a_no_for_ever_is_told_from_a_no_for_now(
    says: dict[str, str], error: type[Exception]
) -> None:
    async with served(heard(Sink(**says))) as settings:
        with pytest.raises(MailFailed) as raised:
            await SmtpMail(settings, SystemClock()).send(MAIL, "key-1")
    assert type(raised.value) is error
    assert "noura" not in str(raised.value)


async def test_a_server_that_is_silent_or_away_or_hangs_up_is_tried_again_later() -> None:
    # asyncio.Protocol itself has no room for what is heard of its end.
    class Silent(asyncio.Protocol):
        pass

    class HangsUp(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            transport.close()

    settings = MailSettings()
    for protocol, patience_s in ((Silent, 0.2), (HangsUp, 30)):
        async with served(protocol) as reached:
            settings = reached.model_copy(update={"timeout_s": patience_s})
            with pytest.raises(MailFailed):
                await SmtpMail(settings, SystemClock()).send(MAIL, "key-1")
    with pytest.raises(MailFailed):
        await SmtpMail(settings, SystemClock()).send(MAIL, "key-1")


async def test_without_the_demanded_encryption_nothing_is_sent() -> None:
    sink = Sink()
    async with served(heard(sink)) as settings:
        demanding = settings.model_copy(update={"security": MailSecurity.STARTTLS})
        with pytest.raises(MailFailed):
            await SmtpMail(demanding, SystemClock()).send(MAIL, "key-1")
    assert sink.taken == []


async def test_the_development_gateway_writes_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "mail.jsonl"
    await DevelopmentMail(file).send(MAIL, "key-1")
    (line,) = file.read_bytes().splitlines()
    assert msgspec.json.decode(line, type=SentMail).text == MAIL.text
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(MailFailed):
        await DevelopmentMail(tmp_path).send(MAIL, "key-1")
