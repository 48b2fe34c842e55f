"""The trials of a sweep that are finished, in a file, so that a sweep can be taken up again."""

from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from simulations.trials import Lived

FILE: Final = "trials.jsonl"


class OtherSweep(Exception):
    """The folder holds trials of other days; the message says what to do."""


class Line(Struct, frozen=True, kw_only=True):
    """One finished trial, and what its parameter set sets."""

    given: dict[str, Any]
    lived: Lived


class Finished:
    """Trials by what they set and by day; `made_by` tells the days of one sweep from another's."""

    def __init__(self, folder: Path, made_by: str) -> None:
        self._path = folder / FILE
        self._lived: dict[tuple[str, int], Lived] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._read(made_by)
        else:
            self._path.write_bytes(msgspec.json.encode(made_by) + b"\n")

    def find(self, given: dict[str, Any], number: int) -> Lived | None:
        """How this day went under this set, if it was lived."""
        return self._lived.get((key_of(given), number))

    def add(self, given: dict[str, Any], lived: Lived) -> None:
        """Keep it."""
        self._lived[key_of(given), lived.number] = lived
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(Line(given=given, lived=lived)) + b"\n")

    def _read(self, made_by: str) -> None:
        content = self._path.read_bytes()
        # A process that is killed while it writes leaves half a line.
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            self._path.write_bytes(whole)
        first, *rest = whole.splitlines() or [b'""']
        if msgspec.json.decode(first) != made_by:
            raise OtherSweep(
                f"{self._path} was made by other days or parameters: "
                "choose another --out, or remove it"
            )
        for line in rest:
            found = msgspec.json.decode(line, type=Line)
            self._lived[key_of(found.given), found.lived.number] = found.lived


def key_of(given: dict[str, Any]) -> str:
    """The same for the same parameters."""
    return msgspec.json.encode(given, order="sorted").decode()
