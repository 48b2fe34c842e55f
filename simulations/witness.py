"""Everything that any client was ever told, written down as it is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from simulations.views import Frame, Told


class Request(NamedTuple):
    """A command over REST, under the key that it may be repeated with."""

    method: str
    path: str
    body: object
    key: str


class Said(NamedTuple):
    """A command over a socket, under its id."""

    kind: str
    command_id: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody (by his phone) was answered."""

    phone: str
    asked: Request | Said
    told: Told


class Witness:
    """Hears everything and forgets it."""

    def answered(self, phone: str, asked: Request | Said, told: Told) -> None:
        """Somebody's command was answered for good."""

    def shown(self, phone: str, frame: Frame) -> None:
        """Somebody was shown how a thing stands."""


class Chronicle(Witness):
    """Appends a JSON line to a file for everything that is told, and remembers the answers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: list[Answered] = []
        self.lines = 0
        self._file = path.open("ab")

    def answered(self, phone: str, asked: Request | Said, told: Told) -> None:
        self.answers.append(Answered(phone, asked, told))
        self._append({"to": phone, "asked": asked, "body": told.body, "refused": told.refused})

    def shown(self, phone: str, frame: Frame) -> None:
        self._append({"to": phone, "shown": frame})

    def close(self) -> None:
        """Write what is still in memory."""
        self._file.close()

    def _append(self, told: object) -> None:
        self._file.write(msgspec.json.encode(told) + b"\n")
        self.lines += 1
