"""What is answered to who logs in and asks about himself."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class CodeSent(_Answer):
    """A code is on its way; the same for known and unknown phones."""

    expires_in_s: int
    resend_in_s: int


class TokenIssued(_Answer):
    """Send it as `Authorization: Bearer …`."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in_s: int
    refresh_token: str
    session_id: str
    session_expires_at: int
    user_id: str
    role: str


class KeySet(_Answer):
    """The public keys (RFC 7517) that access tokens are signed with, also those of tomorrow."""

    keys: list[dict[str, str]]


class SessionShown(_Answer):
    """One log-in on one device; `seen_at` is when it was refreshed last."""

    session_id: str
    role: str
    device: str
    place: str
    began_at: int
    seen_at: int
    expires_at: int
    is_this: bool


class SessionsShown(_Answer):
    """Where you are logged in, the last seen first."""

    sessions: list[SessionShown]


class LoggedOut(_Answer):
    """These sessions have ended."""

    session_ids: list[str]


class Me(_Answer):
    """Who you are."""

    user_id: str
    phone: str
    role: str


class ProfileShown(_Answer):
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
    birth_date: str
    zones: list[str] | None
    missing: list[str]


class PhoneChanged(_Answer):
    """The account has this phone now."""

    user_id: str
    phone: str
