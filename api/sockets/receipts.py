"""What one phone was told and has not confirmed: told again until it is."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from engine.kernel.timing import Instant
from storage.live import Bookmark

TIMES_MAX: Final = 3
WAITING_MAX: Final = 256


@dataclass(slots=True, kw_only=True)
class _Told:
    bookmark: Bookmark
    frame: bytes
    at: Instant
    times: int = 1


class Receipts:
    """A receipt confirms all that was told on its channel up to its bookmark.

    The phone knows a repetition by its bookmark. With what is told again comes all that came after
    it on its channel, so that a snapshot that is repeated leaves nobody behind what it replaces.
    `is_deaf` is what it seems to be when it confirms nothing although it was told `TIMES_MAX`
    times, or was told too much.
    """

    def __init__(self, *, again_ms: int) -> None:
        self._again_ms = again_ms
        self._told: dict[str, deque[_Told]] = {}
        self._count = 0
        self.is_deaf = False

    def told(self, channel: str, bookmark: Bookmark, frame: bytes, *, now: Instant) -> None:
        """It is on its way."""
        told = _Told(bookmark=bookmark, frame=frame, at=now)
        self._told.setdefault(channel, deque()).append(told)
        self._count += 1
        self.is_deaf |= self._count > WAITING_MAX

    def replace(self, channel: str) -> None:
        """What comes next replaces all that the channel was told, so that need not be confirmed."""
        self._count -= len(self._told.pop(channel, ()))

    def received(self, channel: str, bookmark: Bookmark) -> None:
        """The phone has it, and all before it."""
        waiting = self._told.get(channel, deque())
        confirmed = 0
        for count, told in enumerate(waiting, 1):
            if bookmark.reaches(told.bookmark):
                confirmed = count
        for _ in range(confirmed):
            waiting.popleft()
        self._count -= confirmed
        if not waiting:
            self._told.pop(channel, None)

    def due(self, now: Instant) -> list[bytes]:
        """What is to be told again now, in order."""
        found = []
        for waiting in self._told.values():
            # None was told before the first.
            if now - waiting[0].at < self._again_ms:
                continue
            self.is_deaf |= waiting[0].times >= TIMES_MAX
            for told in waiting:
                told.at = now
                told.times += 1
                found.append(told.frame)
        return found
