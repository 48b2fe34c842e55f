"""Zone parameters as TOML files that name only what differs from a base."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import to_builtins

from engine.geo.bounds import bounds_of, faults_in
from engine.geo.parameters import ZoneParameters


class BadParameters(Exception):
    """Some parameters cannot be; the message names each with what it may be."""

    def __init__(self, where: str, faults: list[str]) -> None:
        super().__init__(f"{where}: " + "; ".join(faults))
        self.faults = faults


Given = Mapping[str, Any]


def read(path: Path) -> dict[str, Any]:
    """What the file sets, checked; raises BadParameters."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadParameters(str(path), [error.strerror or str(error)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadParameters(str(path), [f"is not TOML: {error}"]) from None
    faults = faults_of(given)
    if faults:
        raise BadParameters(str(path), faults)
    return given


def faults_of(given: Given) -> list[str]:
    """What is unknown, of a wrong type or out of bounds, each with what it may be."""
    return [fault for name, value in given.items() for fault in _faults(name, value)]


def applied(base: ZoneParameters, given: Given) -> ZoneParameters:
    """The base with what is given in its place; `given` was checked."""
    return msgspec.convert(_merged(to_builtins(base), given), ZoneParameters, strict=True)


def merged(base: Given, given: Given) -> dict[str, Any]:
    """What two files set together; the second wins."""
    return _merged(dict(base), given)


def toml_of(given: Given) -> str:
    """The file that sets these parameters: numbers, and tables of numbers."""
    plain = {name: value for name, value in given.items() if not isinstance(value, Mapping)}
    lines = [f"{name} = {_written(value)}" for name, value in plain.items()]
    for name, table in given.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]", *(f"{key} = {_written(one)}" for key, one in table.items())]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:  # noqa: ANN401 - whatever a parameter is
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_written(one)}" for key, one in value.items()) + " }"
    # JSON's numbers, texts, truths and lists are TOML's, too.
    return msgspec.json.encode(value).decode()


def _merged(base: dict[str, Any], given: Given) -> dict[str, Any]:
    together = dict(base)
    for name, value in given.items():
        before = together.get(name)
        both_tables = isinstance(before, Mapping) and isinstance(value, Mapping)
        together[name] = _merged(dict(before), value) if both_tables and before else value
    return together


def _faults(name: str, value: Any) -> list[str]:  # noqa: ANN401 - whatever stands in the file
    known = ZoneParameters.__struct_fields__
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        return [f"{name} is not known" + (f" (did you mean {near[0]}?)" if near else "")]
    try:
        with_it = applied(ZoneParameters(), {name: value})
    except msgspec.ValidationError as error:
        bounds = bounds_of(name)
        if bounds is None or bounds.ge is None:
            return [f"{name} cannot be {value!r}: {error}"]
        return [f"{name} must be {bounds.ge} to {bounds.le}; given is {value!r}"]
    return [f"{fault}; given is {value!r}" for fault in faults_in(with_it)]
