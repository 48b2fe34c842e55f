"""The way out of a cell: what changes while a batch is on its way, or just left, goes together."""

import asyncio

from msgspec.structs import replace

from actors.clock import Clock
from engine.kernel.ids import CellId
from storage.live import Batch, Bookmark, LiveStream, LiveUnavailable, Publication

WAITING_MAX = 10_000
CHANNELS_MAX = 50_000
_AGAIN_MS = 300
# The same version once more, or the next one.
_NOTHING_BETWEEN = (0, 1)


class Publisher:
    """Publishes in order, one batch at a time, the first at once and the next a little later.

    What cannot be sent leaves a gap in the sequence; the next batch shows it, and so one is sent
    even when there is nothing else to say. States are numbered, channel by channel, and a number is
    left out where a version is: another cell may have told that. When too many channels are
    remembered a new epoch begins.
    """

    def __init__(self, cell: CellId, incarnation: str, live: LiveStream, clock: Clock) -> None:
        self._cell = cell
        self._incarnation = incarnation
        self._live = live
        self._clock = clock
        self._waiting: list[Publication] = []
        self._something = asyncio.Event()
        self._sequence = 0
        self._told: dict[str, tuple[int, int]] = {}
        self._epochs = 0
        self._epoch = f"{incarnation}.0"

    def publish(self, publication: Publication) -> None:
        """Send it with the next batch; when too many wait, they are lost and the gap shows."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.clear()
            self._sequence += 1
        self._waiting.append(self._numbered(publication) if publication.version else publication)
        self._something.set()

    def bookmark(self, channel: str) -> Bookmark:
        """Up to where a channel was told."""
        offset, _ = self._told.get(channel, (0, 0))
        return Bookmark(epoch=self._epoch, offset=offset)

    def _numbered(self, publication: Publication) -> Publication:
        channel, version = publication.channel, publication.version
        if channel not in self._told and len(self._told) >= CHANNELS_MAX:
            self._told.clear()
            self._epochs += 1
            self._epoch = f"{self._incarnation}.{self._epochs}"
        offset, told = self._told.get(channel, (0, 0))
        offset += 1 if version - told in _NOTHING_BETWEEN else 2
        self._told[channel] = (offset, version)
        return replace(publication, bookmark=Bookmark(epoch=self._epoch, offset=offset))

    async def run(self) -> None:
        """Send batches until cancelled."""
        while True:
            await self._something.wait()
            self._something.clear()
            try:
                await self._live.publish(self._next_batch())
                pause_ms = self._live.gap_ms
            except LiveUnavailable:
                self._something.set()
                pause_ms = _AGAIN_MS
            if pause_ms:
                await self._clock.sleep(pause_ms * self._clock.speed)

    def _next_batch(self) -> Batch:
        waiting, self._waiting = self._waiting, []
        self._sequence += 1
        return Batch(
            cell=self._cell,
            incarnation=self._incarnation,
            sequence=self._sequence,
            at=self._clock.now(),
            publications=tuple(waiting),
        )
