"""Headers as they come in and go out, where building objects around them would cost too much."""

from collections.abc import Iterable
from typing import Final

from starlette.types import Message, Scope

Pair = tuple[bytes, bytes]
_SAID: Final = "said"


def header(scope: Scope, name: bytes, otherwise: str = "") -> str:
    """What a request says under a name in small letters, or otherwise."""
    for known, value in scope["headers"]:
        if known == name:
            return str(value.decode("latin-1"))
    return otherwise


def bearer_of(scope: Scope) -> str:
    """The token that a request shows; empty when it shows none."""
    kind, _, token = header(scope, b"authorization").partition(" ")
    return token if kind.lower() == "bearer" else ""


def say(scope: Scope, *pairs: Pair) -> None:
    """Have the answer say this, too, if it does not by itself; the outermost layer adds it."""
    scope["state"].setdefault(_SAID, []).extend(pairs)


def said_of(scope: Scope) -> list[Pair]:
    """What was to be said by `say`."""
    said: list[Pair] = scope["state"].get(_SAID, [])
    return said


def add_missing(start: Message, pairs: Iterable[Pair]) -> None:
    """Add to an answer's beginning what it does not say itself; names in small letters."""
    said = {name for name, _ in start["headers"]}
    start["headers"] = [*start["headers"], *(pair for pair in pairs if pair[0] not in said)]
