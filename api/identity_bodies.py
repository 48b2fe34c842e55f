"""What may be sent to log in, stay logged in and log out."""

import re
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from api.bodies import Body, Phone, Reason, Storable
from api.deps import IdText

CodeText = Annotated[str, StringConstraints(min_length=1, max_length=16), Storable]


class CodeBody(Body):
    """Send me a code."""

    phone: Phone


class TokenBody(Body):
    """This is the code, and this is what I want to be."""

    phone: Phone
    code: CodeText
    role: Literal["customer", "courier", "operator"]
    device: Annotated[str, StringConstraints(max_length=120), Storable] = ""


class PhoneBody(Body):
    """The phone that I take, with what was sent to the old one and to the new one."""

    phone: Phone
    old_code: CodeText
    new_code: CodeText


class UndoBody(Body):
    """The phone that I had, and what was sent to it."""

    phone: Phone
    code: CodeText


class RefreshBody(Body):
    """The refresh token that I was given last."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]


class LogOutBody(Body):
    """Where I no longer want to be logged in."""

    scope: Literal["this", "others", "all"] = "this"


def _plain(text: str) -> str:
    """In the form in which the same word is the same letters, without what is not seen."""
    composed = unicodedata.normalize("NFC", text)
    seen = (one for one in composed if unicodedata.category(one) not in {"Cc", "Cf"})
    return " ".join("".join(seen).split())


def _email(text: str) -> str:
    """Lower case; an address that no mail could reach is refused."""
    if not _EMAIL.fullmatch(text):
        raise ValueError("is no e-mail address")
    return text.lower()


_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{4,190}$)(?:[a-zA-Z0-9-]{1,63}\.)+[a-zA-Z]{2,63}"
)
Name = Annotated[str, StringConstraints(max_length=120), Storable, AfterValidator(_plain)]


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]


class ProfileBody(Body):
    """What I change of my profile; what is left out stays as it was."""

    language: Literal["ar", "en"] | None = None
    name_ar: Name | None = None
    name_en: Name | None = None
    email: Email | None = None
    birth_date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class StatusBody(Body):
    """What is decided about somebody, and why."""

    status: Literal["active", "suspended"]
    reason: Reason


class ZonesBody(Body):
    """The zones in which an operator may act; null is every zone."""

    zones: Annotated[list[IdText], Field(max_length=100)] | None


LinkToken = Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]
# As typed: a password may begin or end with a space, so nothing is stripped.
Password = Annotated[str, StringConstraints(max_length=256, strip_whitespace=False), Storable]
SecondFactor = Annotated[str, StringConstraints(min_length=1, max_length=64), Storable]
DeviceName = Annotated[str, StringConstraints(max_length=120), Storable]


class PasswordBody(Body):
    """Who I am: what I know, and what I hold (six digits, or a recovery code)."""

    model_config = ConfigDict(str_strip_whitespace=False)

    email: Email
    password: Password
    code: SecondFactor
    role: Literal["operator", "admin"]
    device: DeviceName = ""
    device_token: Annotated[str, StringConstraints(max_length=200), Storable] = ""


class ForgottenBody(Body):
    """I do not know my password any more."""

    email: Email


class NewPasswordBody(Body):
    """The token of the link that I was sent, and the password that I choose."""

    model_config = ConfigDict(str_strip_whitespace=False)

    token: LinkToken
    password: Password


class StepUpBody(Body):
    """The code that was sent to my phone, or that my authenticator shows."""

    code: SecondFactor


class PasswordChangeBody(Body):
    """What I know and hold by now, and the password that I choose."""

    model_config = ConfigDict(str_strip_whitespace=False)

    current_password: Password
    code: SecondFactor
    password: Password


class EnrolmentBody(Body):
    """The token of the link with which I was invited."""

    token: LinkToken


class AcceptBody(NewPasswordBody):
    """I have put the secret into my authenticator, which shows this code."""

    code: SecondFactor
    device: DeviceName = ""


class InvitationBody(Body):
    """Whom I invite, into which role, and where."""

    email: Email
    role: Literal["operator", "admin"]
    zones: Annotated[list[IdText], Field(max_length=100)] | None = None
    language: Literal["ar", "en"] = "ar"


class StaffStatusBody(StatusBody):
    """What is decided about an operator or admin in one of his roles, and why."""

    role: Literal["operator", "admin"]
