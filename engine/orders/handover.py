"""How a gift changed hands at the door: to whom, where, when, and what shows it."""

from enum import StrEnum

from msgspec import Struct

from engine.kernel.place import Point
from engine.kernel.timing import Instant


class HandedTo(StrEnum):
    """Who took the gift."""

    RECIPIENT = "recipient"
    NEIGHBOUR = "neighbour"


class ProofKind(StrEnum):
    """What shows that a gift changed hands."""

    PIN = "pin"
    NAME = "name"
    SIGNATURE = "signature"
    PHOTO = "photo"


class HandoverTold(Struct, frozen=True, kw_only=True):
    """What the courier's phone says of a handover, perhaps long after it.

    `photo` and `signature` are the SHA-256, in hexadecimal, of files that were sent or will be;
    the place is the phone's, `fix_at` and the place's accuracy (metres) too. `cash_halalas` is
    what he took for it.
    """

    to: HandedTo = HandedTo.RECIPIENT
    taken_by: str = ""
    photo: str = ""
    signature: str = ""
    point: Point | None = None
    accuracy_m: float | None = None
    fix_at: Instant | None = None
    cash_halalas: int = 0

    @property
    def left_with(self) -> str:
        """Who next door has it; nobody when its recipient does."""
        return self.taken_by if self.to is HandedTo.NEIGHBOUR else ""


class Handover(Struct, frozen=True, kw_only=True):
    """What is kept of it: what was told and checked, by both clocks, and how far from the door.

    `at` is the server's clock when it was told, `device_at` the phone's when it happened.
    """

    told: HandoverTold
    proved_by: tuple[ProofKind, ...]
    distance_m: float | None = None
    at: Instant
    device_at: Instant | None = None
