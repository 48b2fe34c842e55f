"""What channels were told lately, so that a phone that comes back is told only what it missed."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from storage.live import Bookmark, Publication

FRAMES: Final = 64
BYTES_MAX: Final = 32 * 1024 * 1024
# What a channel takes beside its frames; it is remembered when nothing of it is certain, too.
CHANNEL_BYTES: Final = 1024


class Missed(NamedTuple):
    """Every frame after a bookmark, in order, and the version that the channel has then."""

    frames: Sequence[bytes]
    version: int


class _History:
    """The newest frames of one channel in one epoch, without a hole.

    A channel that went to another cell has a word of each: the older one may come late.
    """

    __slots__ = ("_epoch", "_frames", "_frames_max", "_last", "_version", "size")

    def __init__(self, frames_max: int) -> None:
        self._epoch: str | None = None
        self._version = 0
        self.size = CHANNEL_BYTES
        self._last = 0
        self._frames_max = frames_max
        self._frames: deque[bytes] = deque()

    def add(self, version: int, bookmark: Bookmark, frame: bytes) -> None:
        if version < self._version:
            return
        if bookmark.epoch != self._epoch or bookmark.offset != self._last + 1:
            self.forget()
        self._epoch, self._version, self._last = bookmark.epoch, version, bookmark.offset
        self._frames.append(frame)
        self.size += len(frame)
        if len(self._frames) > self._frames_max:
            self.size -= len(self._frames.popleft())

    def forget(self) -> None:
        """Nothing is certain any more but that all that is older is of no use."""
        self._epoch = None
        self._frames.clear()
        self.size = CHANNEL_BYTES

    def since(self, bookmark: Bookmark) -> Missed | None:
        missed = self._last - bookmark.offset
        # Whoever was shown more than was heard here knows a version that is not known here.
        if bookmark.epoch != self._epoch or not 0 <= missed <= len(self._frames):
            return None
        return Missed(list(self._frames)[len(self._frames) - missed :], self._version)


class Histories:
    """The newest frames of each channel; the channels that changed least lately go first."""

    def __init__(self, *, frames: int = FRAMES, bytes_max: int = BYTES_MAX) -> None:
        self._frames = frames
        self._bytes_max = bytes_max
        self._size = 0
        self._histories: OrderedDict[str, _History] = OrderedDict()

    def add(self, publication: Publication, frame: bytes) -> None:
        """A channel was told this state, which has a bookmark; one older than the newest is not."""
        assert publication.bookmark is not None
        history = self._histories.get(publication.channel)
        if history is None:
            history = self._histories[publication.channel] = _History(self._frames)
        else:
            self._size -= history.size
            self._histories.move_to_end(publication.channel)
        history.add(publication.version, publication.bookmark, frame)
        self._size += history.size
        while self._size > self._bytes_max:
            _, oldest = self._histories.popitem(last=False)
            self._size -= oldest.size

    def since(self, channel: str, bookmark: Bookmark) -> Missed | None:
        """All that was told after a bookmark; None when that is not certain."""
        history = self._histories.get(channel)
        return None if history is None else history.since(bookmark)

    def forget(self) -> None:
        """Something may have been missed: of no channel is it certain what was told."""
        for history in self._histories.values():
            history.forget()
        self._size = CHANNEL_BYTES * len(self._histories)
