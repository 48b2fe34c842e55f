"""What one map shows of a fleet: a sample of who is within its bounds, then only what changes."""

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np

from actors.fleet import STATUSES, Fleet
from api.sockets.server_frames import FleetShown, Moving
from engine.kernel.timing import Instant

# A map has so many steps each way; who stays within one has not moved.
GRID: Final = 4096
SHOWN_MAX: Final = 2_000
KIND: Final = 1
_HEAD: Final = struct.Struct("<BBqHHH")
_GONE: Final = struct.Struct("<H")
_MOVED: Final = struct.Struct("<HhhB")
_ADDED: Final = struct.Struct("<H16sHHB")

Row = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Degrees; it does not cross the antimeridian."""

    south: float
    west: float
    north: float
    east: float


class FleetMap:
    """Remembers what its map shows, and tells the difference."""

    def __init__(self, channel: str, bounds: Bounds, *, shown_max: int = SHOWN_MAX) -> None:
        self._channel = channel
        self._bounds = bounds
        self._shown_max = shown_max
        self._shown: dict[bytes, Row] = {}
        self._numbers: dict[bytes, int] = {}
        self._free: list[int] = []
        self._is_new = True

    def binary(self, fleet: Fleet, *, now: Instant) -> bytes | None:
        """The difference as bytes; None when there is none."""
        is_whole, before, seen = self._look(fleet)
        gone = [_GONE.pack(self._release(one)) for one in before if one not in seen]
        moved, added = [], []
        for one, (x, y, status) in seen.items():
            old = before.get(one)
            if old is None:
                added.append(_ADDED.pack(self._number(one), one, x, y, status))
            elif old != (x, y, status):
                step = x - old[0], y - old[1]
                moved.append(_MOVED.pack(self._numbers[one], *step, status))
        if not is_whole and not (gone or moved or added):
            return None
        head = _HEAD.pack(KIND, is_whole, now, len(gone), len(moved), len(added))
        return b"".join((head, *gone, *moved, *added))

    def frame(self, fleet: Fleet, *, now: Instant) -> FleetShown | None:
        """The difference as a frame; None when there is none."""
        is_whole, before, seen = self._look(fleet)
        gone = tuple(str(UUID(bytes=one)) for one in before if one not in seen)
        changed = tuple(
            self._moving(one, row) for one, row in seen.items() if before.get(one) != row
        )
        if not is_whole and not (gone or changed):
            return None
        return FleetShown(
            channel=self._channel, at=now, whole=is_whole, couriers=changed, gone=gone
        )

    def _look(self, fleet: Fleet) -> tuple[bool, dict[bytes, Row], dict[bytes, Row]]:
        is_whole, before, seen = self._is_new, self._shown, self._rows(fleet)
        self._is_new = False
        self._shown = seen
        return is_whole, before, seen

    def _rows(self, fleet: Fleet) -> dict[bytes, Row]:
        bounds = self._bounds
        y = (fleet["lat"] * 1e-7 - bounds.south) / (bounds.north - bounds.south) * GRID
        x = (fleet["lng"] * 1e-7 - bounds.west) / (bounds.east - bounds.west) * GRID
        inside = np.flatnonzero((x >= 0) & (x < GRID) & (y >= 0) & (y < GRID))
        rows = {
            fleet["id"][at].tobytes(): (int(x[at]), int(y[at]), int(fleet["status"][at]))
            for at in inside
        }
        if len(rows) <= self._shown_max:
            return rows
        # The last bytes of an id are chance, and stay: a sample that does not flicker.
        sample = sorted(rows, key=lambda one: one[8:])[: self._shown_max]
        return {one: rows[one] for one in sample}

    def _moving(self, one: bytes, row: Row) -> Moving:
        bounds = self._bounds
        x, y, status = row
        return Moving(
            courier_id=str(UUID(bytes=one)),
            lat=round(bounds.south + (y + 0.5) / GRID * (bounds.north - bounds.south), 6),
            lng=round(bounds.west + (x + 0.5) / GRID * (bounds.east - bounds.west), 6),
            status=STATUSES[status].value,
        )

    def _number(self, one: bytes) -> int:
        number = self._free.pop() if self._free else len(self._numbers)
        self._numbers[one] = number
        return number

    def _release(self, one: bytes) -> int:
        number = self._numbers.pop(one)
        self._free.append(number)
        return number
