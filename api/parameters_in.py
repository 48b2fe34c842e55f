"""Parameters and guards as somebody sent them: checked by the types that the rules use."""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct, to_builtins

from api.errors import Invalid
from engine.geo.guard import Guard
from engine.geo.parameters import ZoneParameters

S = TypeVar("S", bound=Struct)


def parameters_in(given: dict[str, Any], base: ZoneParameters) -> ZoneParameters:
    """The base with what was given in its place; a fault is told by its JSON pointer."""
    return _converted({**to_builtins(base), **given}, ZoneParameters, "/parameters")


def guard_in(given: dict[str, Any] | None) -> Guard | None:
    """The guard that was given, if there is one."""
    return None if given is None else _converted(given, Guard, "/guard")


def _converted(given: dict[str, Any], kind: type[S], pointer: str) -> S:
    for name in given:
        if name not in kind.__struct_fields__:
            raise Invalid(f"{pointer}/{name}", "is not known")
    try:
        return msgspec.convert(given, kind, strict=True)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        pointer += place.rstrip("`").replace(".", "/").replace("[", "/")
        raise Invalid(pointer.replace("]", ""), message) from error
