"""Parameters as somebody sent them: checked by the types that the rules use."""

from typing import Any

import msgspec
from msgspec import to_builtins

from api.errors import Invalid
from engine.geo.parameters import ZoneParameters


def parameters_in(given: dict[str, Any], base: ZoneParameters) -> ZoneParameters:
    """The base with what was given in its place; a fault is told by its JSON pointer."""
    for name in given:
        if name not in ZoneParameters.__struct_fields__:
            raise Invalid(f"/parameters/{name}", "is not known")
    try:
        return msgspec.convert({**to_builtins(base), **given}, ZoneParameters, strict=True)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        pointer = "/parameters" + place.rstrip("`").replace(".", "/").replace("[", "/")
        raise Invalid(pointer.replace("]", ""), message) from error
