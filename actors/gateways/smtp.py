"""E-mail over SMTP (RFC 5321), to the mail server of the settings."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

import aiosmtplib
import structlog

from actors.clock import Clock
from actors.gateways.mail import Mail, MailFailed, MailRejected
from actors.gateways.settings import MailSecurity, MailSettings
from engine.kernel.timing import SECOND_MS

_FOR_EVER = 500


class SmtpMail:
    """One connection for each message: there are few, and none that is idle is lost."""

    def __init__(self, settings: MailSettings, wall: Clock) -> None:
        self._settings = settings
        self._wall = wall

    async def send(self, mail: Mail, key: str) -> None:
        """See `MailGateway.send`; by the key as Message-ID servers know repetitions."""
        settings = self._settings
        try:
            await aiosmtplib.send(
                self._message(mail, key),
                sender=parseaddr(settings.sender)[1],
                recipients=[mail.to],
                hostname=settings.host,
                port=settings.port,
                username=settings.user or None,
                password=settings.password.get_secret_value() or None,
                use_tls=settings.security is MailSecurity.TLS,
                start_tls=settings.security is MailSecurity.STARTTLS,
                timeout=settings.timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = all(one.code >= _FOR_EVER for one in error.recipients)
            kind = MailRejected if refused else MailFailed
            raise kind(f"recipient refused: {[one.code for one in error.recipients]}") from None
        except aiosmtplib.SMTPDataError as error:
            kind = MailRejected if error.code >= _FOR_EVER else MailFailed
            raise kind(f"message refused: {error.code}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            # What a server says may name the recipient, so only the kind of fault is told.
            raise MailFailed(f"not sent: {type(error).__name__}") from None
        structlog.get_logger(__name__).info("mail_taken", key=key)

    def _message(self, mail: Mail, key: str) -> EmailMessage:
        message = EmailMessage()
        sender = self._settings.sender
        message["From"] = sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(self._wall.now() / SECOND_MS, UTC))
        message["Message-ID"] = f"<{key}@{parseaddr(sender)[1].partition('@')[2] or 'localhost'}>"
        message["Auto-Submitted"] = "auto-generated"
        # Not every server on the way takes eight bits.
        message.set_content(mail.text, cte="quoted-printable")
        return message
