"""What channels were told lately, so that a phone that comes back is told only what it missed."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from storage.live import Bookmark

FRAMES: Final = 64
BYTES_MAX: Final = 32 * 1024 * 1024


class _History:
    """The newest frames of one channel in one epoch, without a hole."""

    def __init__(self, epoch: str, frames: int) -> None:
        self.epoch = epoch
        self.last = 0
        self.size = 0
        self._frames_max = frames
        self.frames: deque[bytes] = deque()

    def add(self, offset: int, frame: bytes) -> None:
        if offset != self.last + 1:
            self.frames.clear()
            self.size = 0
        self.last = offset
        self.frames.append(frame)
        self.size += len(frame)
        if len(self.frames) > self._frames_max:
            self.size -= len(self.frames.popleft())

    def since(self, offset: int) -> Sequence[bytes] | None:
        missed = max(0, self.last - offset)
        if missed > len(self.frames):
            return None
        return list(self.frames)[len(self.frames) - missed :]


class Histories:
    """The newest frames of each channel; the channels that changed least lately go first."""

    def __init__(self, *, frames: int = FRAMES, bytes_max: int = BYTES_MAX) -> None:
        self._frames = frames
        self._bytes_max = bytes_max
        self._size = 0
        self._histories: OrderedDict[str, _History] = OrderedDict()

    def add(self, channel: str, bookmark: Bookmark, frame: bytes) -> None:
        """A channel was told this."""
        history = self._histories.get(channel)
        if history is None or history.epoch != bookmark.epoch:
            self._drop(channel)
            history = self._histories[channel] = _History(bookmark.epoch, self._frames)
        self._size -= history.size
        history.add(bookmark.offset, frame)
        self._size += history.size
        self._histories.move_to_end(channel)
        while self._size > self._bytes_max:
            self._drop(next(iter(self._histories)))

    def since(self, channel: str, bookmark: Bookmark) -> Sequence[bytes] | None:
        """Every frame after a bookmark, in order; None when that is not certain."""
        history = self._histories.get(channel)
        if history is None or history.epoch != bookmark.epoch:
            return None
        return history.since(bookmark.offset)

    def forget(self) -> None:
        """Something may have been missed: nothing is certain any more."""
        self._histories.clear()
        self._size = 0

    def _drop(self, channel: str) -> None:
        history = self._histories.pop(channel, None)
        if history is not None:
            self._size -= history.size
