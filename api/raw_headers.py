"""Headers as they come in and go out, where building objects around them would cost too much."""

from collections.abc import Iterable

from starlette.types import Message, Scope

Pair = tuple[bytes, bytes]


def header(scope: Scope, name: bytes) -> str:
    """What a request says under a name in small letters; empty when it says nothing."""
    for known, value in scope["headers"]:
        if known == name:
            return str(value.decode("latin-1"))
    return ""


def add_missing(start: Message, pairs: Iterable[Pair]) -> None:
    """Add to an answer's beginning what it does not say itself; names in small letters."""
    said = {name for name, _ in start["headers"]}
    start["headers"] = [*start["headers"], *(pair for pair in pairs if pair[0] not in said)]
