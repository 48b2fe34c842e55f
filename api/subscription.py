"""One socket's interest in one channel: first how the thing stands, then every change after it."""

from api import frames
from api.outgoing import Outgoing
from storage.live import Publication


class Subscription:
    """Holds changes back while a snapshot is on its way, then passes on what the snapshot may lack.

    A change carries the whole view, so of those held back only the newest of each kind matters.
    """

    def __init__(self, channel: str, outgoing: Outgoing) -> None:
        self.channel = channel
        self._outgoing = outgoing
        self._is_waiting = True
        self._round = 0
        self._seen = 0
        self._held: dict[str, tuple[Publication, bytes]] = {}

    def begin(self) -> int:
        """A snapshot is being asked for; the number names the question."""
        self._is_waiting = True
        self._round += 1
        return self._round

    def receive(self, publication: Publication, frame: bytes) -> None:
        """A change from the stream."""
        if self._is_waiting:
            held = self._held.get(publication.kind)
            if held is None or publication.version >= held[0].version:
                self._held[publication.kind] = (publication, frame)
        else:
            self._pass_on(publication, frame)

    def settle(self, asked: int, answer: Publication | None) -> None:
        """The answer to a question; that of an older question is of no use."""
        if asked != self._round:
            return
        held, self._held = self._held, {}
        self._is_waiting = False
        # What was sent already may be newer than an answer that was long on its way.
        if answer is not None and answer.version >= self._seen:
            self._seen = answer.version
            self._outgoing.put(frames.snapshot(answer))
        for publication, frame in held.values():
            self._pass_on(publication, frame)

    def _pass_on(self, publication: Publication, frame: bytes) -> None:
        if publication.version == 0:
            self._outgoing.put_latest((self.channel, publication.kind), frame)
        elif publication.version >= self._seen:
            # The same version again is meant to be seen: an offer that nobody has acknowledged.
            self._seen = publication.version
            self._outgoing.put(frame)
