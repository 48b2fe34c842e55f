"""How far each parameter of a zone may be turned, and what was turned between two sets."""

from collections.abc import Iterator
from typing import Any, Final, get_args, get_type_hints

from msgspec import Meta, to_builtins

from engine.geo.parameters import ZoneParameters

_HINTS: Final[dict[str, Any]] = get_type_hints(ZoneParameters, include_extras=True)


def bounds_of(name: str) -> Meta | None:
    """The declared bounds and description of a parameter."""
    return next((one for one in get_args(_HINTS[name]) if isinstance(one, Meta)), None)


def faults_in(parameters: ZoneParameters) -> list[str]:
    """The names of the parameters that are out of bounds, each with its bounds."""
    faults = []
    for name in ZoneParameters.__struct_fields__:
        meta = bounds_of(name)
        if meta is None or meta.ge is None or meta.le is None:
            continue
        if not meta.ge <= getattr(parameters, name) <= meta.le:
            faults.append(f"{name} must be {meta.ge} to {meta.le}")
    return [*faults, *parameters.travel.faults()]


def differences(before: ZoneParameters, after: ZoneParameters) -> dict[str, tuple[Any, Any]]:
    """What is turned, by name, from what to what; of the travel profile by `travel.name`."""
    old, new = dict(_flat(to_builtins(before))), dict(_flat(to_builtins(after)))
    return {name: (old[name], new[name]) for name in new if old[name] != new[name]}


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
