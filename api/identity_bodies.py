"""What may be sent to log in, stay logged in and log out."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from api.bodies import Body, Phone, Storable


class CodeBody(Body):
    """Send me a code."""

    phone: Phone


class TokenBody(Body):
    """This is the code, and this is what I want to be."""

    phone: Phone
    code: Annotated[str, StringConstraints(min_length=1, max_length=16), Storable]
    role: Literal["customer", "courier", "operator"]
    device: Annotated[str, StringConstraints(max_length=120), Storable] = ""


class RefreshBody(Body):
    """The refresh token that I was given last."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]


class LogOutBody(Body):
    """Where I no longer want to be logged in."""

    scope: Literal["this", "others", "all"] = "this"
