"""What is answered to who logs in and asks about himself."""

from typing import Literal

from api.answer import Answer, PageAnswer


class CodeSent(Answer):
    """A code is on its way; the same for known and unknown phones."""

    expires_in_s: int
    resend_in_s: int


class TokenIssued(Answer):
    """Send it as `Authorization: Bearer …`."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in_s: int
    refresh_token: str
    session_id: str
    session_expires_at: int
    user_id: str
    role: str


class KeySet(Answer):
    """The public keys (RFC 7517) that access tokens are signed with, also those of tomorrow."""

    keys: list[dict[str, str]]


class SessionShown(Answer):
    """One log-in on one device; `seen_at` is when it was refreshed last."""

    session_id: str
    role: str
    device: str
    place: str
    began_at: int
    seen_at: int
    expires_at: int
    is_this: bool


class SessionsShown(Answer):
    """Where you are logged in, the last seen first."""

    sessions: list[SessionShown]


class SteppedUp(Answer):
    """Until then this session may do what asks for a fresh proof."""

    fresh_until: int


class LoggedOut(Answer):
    """These sessions have ended."""

    session_ids: list[str]


class Me(Answer):
    """Who you are."""

    user_id: str
    phone: str
    role: str


class ProfileShown(Answer):
    """What somebody told of himself in a role; `missing` is what is still to be told."""

    user_id: str
    role: str
    version: int
    status: str
    status_reason: str
    language: str
    name_ar: str
    name_en: str
    email: str
    is_email_verified: bool
    birth_date: str
    zones: list[str] | None
    missing: list[str]


class EmailVerified(Answer):
    """This e-mail was proven to be that of a profile."""

    email: str
    role: str


class PhoneChanged(Answer):
    """The account has this phone now."""

    user_id: str
    phone: str


class StaffTokenIssued(TokenIssued):
    """Show the `device_token` at the next log-in: then nobody else's tries can lock you out."""

    device_token: str


class Enrolled(StaffTokenIssued):
    """You are in; write the recovery codes down, for they are shown once."""

    recovery_codes: list[str]


class EnrolmentShown(Answer):
    """What to put into the authenticator, by hand or as a QR code."""

    email: str
    role: str
    secret: str
    otpauth_uri: str


class LinkSent(Answer):
    """If this is somebody's e-mail, a link is on its way to it."""

    expires_in_s: int


class PasswordChanged(Answer):
    """The password is another one and all sessions have ended; log in with it."""

    device_token: str


class InvitationShown(Answer):
    """Who is invited to what, and until when."""

    invitation_id: str
    email: str
    role: str
    zones: list[str] | None
    language: str
    sends: int
    sent_at: int
    expires_at: int


class InvitationsShown(PageAnswer):
    """The invitations that can still be accepted, the newest first."""

    invitations: list[InvitationShown]
