"""What an app keeps of one conversation, by the protocol, and what was wrong with what it heard."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from simulations.views import Frame

if TYPE_CHECKING:
    from storage.live import Bookmark


class MessageShown(Struct, frozen=True, kw_only=True):
    """A message as its readers see it."""

    message_id: str
    number: int
    side: str
    courier_id: str
    text: str
    at: int


class MarkerShown(Struct, frozen=True, kw_only=True):
    """How far a side has come."""

    side: str
    courier_id: str | None = None
    delivered: int
    read: int


class TalkShown(Struct, frozen=True, kw_only=True):
    """A conversation, or what is new in it."""

    is_open: bool
    closes_at: int | None = None
    messages: tuple[MessageShown, ...] = ()
    markers: tuple[MarkerShown, ...] = ()


class TalkPage:
    """Adds messages by their id and replaces markers; `faults` is what no app should be told.

    Each message comes once in the order of its number, none that was shown is another or gone,
    and no marker goes back.
    """

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.bookmark: Bookmark | None = None
        self.messages: dict[str, MessageShown] = {}
        self.markers: dict[tuple[str, str | None], MarkerShown] = {}
        self.closes_at: int | None = None
        self.faults: list[str] = []

    @property
    def last_number(self) -> int:
        """The number of the newest message; 0 without one."""
        return max((one.number for one in self.messages.values()), default=0)

    def take(self, frame: Frame) -> tuple[MessageShown, ...]:
        """Keep what a state tells; which messages are new to the app."""
        if self._is_repeated(frame):
            return ()
        if frame.type == "resumed":
            new = tuple(one for update in frame.updates for one in self.take(update))
            self.bookmark = frame.bookmark
            return new
        if frame.kind not in {"", "state", "availability"}:
            return ()
        shown = msgspec.json.decode(frame.body, type=TalkShown)
        self.closes_at = shown.closes_at
        if frame.kind == "availability":
            return ()
        self.bookmark = frame.bookmark
        if frame.type == "snapshot":
            new = self._begin_anew(shown)
        else:
            new = shown.messages
            for one in new:
                self._add(one)
        for marker in shown.markers:
            self._move(marker)
        return new

    def _is_repeated(self, frame: Frame) -> bool:
        known, told = self.bookmark, frame.bookmark
        if frame.type == "snapshot" or known is None or told is None:
            return False
        return known.reaches(told)

    def _begin_anew(self, shown: TalkShown) -> tuple[MessageShown, ...]:
        """A snapshot replaces what the app has; it may reach less far back, but not be another."""
        before, self.messages = self.messages, {}
        for one in shown.messages:
            self._add(one)
        for known in before.values():
            again = self.messages.get(known.message_id)
            if again is not None and again != known:
                self._fault(f"message {known.number} was {known}, and then {again}")
        return tuple(one for one in shown.messages if one.message_id not in before)

    def _add(self, message: MessageShown) -> None:
        if message.message_id in self.messages:
            self._fault(f"message {message.number} was shown twice")
        elif message.number <= self.last_number:
            self._fault(f"message {message.number} was shown after {self.last_number}")
        self.messages[message.message_id] = message

    def _move(self, marker: MarkerShown) -> None:
        key = (marker.side, marker.courier_id)
        before = self.markers.get(key)
        if before and (marker.read < before.read or marker.delivered < before.delivered):
            self._fault(f"a marker went back from {before} to {marker}")
        self.markers[key] = marker

    def _fault(self, what: str) -> None:
        self.faults.append(f"conversation {self.order_id}: {what}")
