"""One socket's interest in one channel: first how the thing stands, then every change after it."""

from typing import Final

from api.sockets import server_frames as frames
from api.sockets.histories import Missed
from api.sockets.outgoing import Outgoing
from storage.live import Bookmark, Publication

HELD_MAX: Final = 64


class Subscription:
    """Holds changes back while a snapshot is on its way, then passes on what the snapshot may lack.

    `wanted` is where the phone left off. It is told either every state since then or a snapshot,
    never some of the states.
    """

    def __init__(self, channel: str, outgoing: Outgoing, wanted: Bookmark | None = None) -> None:
        self.channel = channel
        self._outgoing = outgoing
        self._wanted = wanted
        self._is_waiting = True
        self._round = 0
        self._seen = 0
        self._read: Bookmark | None = None
        self._held: list[tuple[Publication, bytes]] = []
        self._latest: dict[str, tuple[Publication, bytes]] = {}

    def begin(self) -> int:
        """A snapshot is being asked for; the number names the question."""
        self._is_waiting = True
        self._round += 1
        return self._round

    def resume(self, bookmark: Bookmark, missed: Missed) -> None:
        """All that was missed since the bookmark is known."""
        self._is_waiting = False
        self._wanted = None
        self._seen = missed.version
        self._read = Bookmark(epoch=bookmark.epoch, offset=bookmark.offset + len(missed.frames))
        self._outgoing.put_state(
            self.channel, self._read, frames.resumed(self.channel, self._read, missed.frames)
        )

    def receive(self, publication: Publication, frame: bytes) -> None:
        """A change from the stream."""
        if not self._is_waiting:
            self._pass_on(publication, frame)
        elif publication.version == 0:
            self._latest[publication.kind] = (publication, frame)
        else:
            self._held.append((publication, frame))
            if len(self._held) > HELD_MAX:
                # A change carries the whole view: behind a snapshot the newest ones are enough.
                self._wanted = None
                del self._held[0]

    def settle(self, asked: int, answer: Publication | None) -> None:
        """The answer to a question; that of an older question is of no use."""
        if asked != self._round:
            return
        held, self._held = [*self._held, *self._latest.values()], []
        self._latest = {}
        self._is_waiting = False
        # What was sent already may be newer than an answer that was long on its way.
        if answer is not None and answer.version >= self._seen:
            self._seen = answer.version
            self._read = answer.bookmark
            self._show(answer)
        self._wanted = None
        for publication, frame in held:
            self._pass_on(publication, frame)

    def _show(self, answer: Publication) -> None:
        bookmark = answer.bookmark
        if bookmark is not None and bookmark == self._wanted:
            self._outgoing.put_state(
                self.channel, bookmark, frames.resumed(self.channel, bookmark, ())
            )
        else:
            self._outgoing.put_state(self.channel, bookmark, frames.snapshot(answer), is_whole=True)

    def _pass_on(self, publication: Publication, frame: bytes) -> None:
        if publication.version == 0:
            self._outgoing.put_latest((self.channel, publication.kind), frame)
        elif publication.version >= self._seen and not self._has_read(publication.bookmark):
            # The same version again is meant to be seen: an offer that nobody has acknowledged.
            self._seen = publication.version
            self._read = publication.bookmark
            self._outgoing.put_state(self.channel, publication.bookmark, frame)

    def _has_read(self, bookmark: Bookmark | None) -> bool:
        return self._read is not None and bookmark is not None and self._read.reaches(bookmark)
