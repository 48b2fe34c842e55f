"""One reader of the live stream for all sockets of this process, and its answer to a gap."""

import asyncio
from collections.abc import Callable

import structlog

from actors.bus import Bus, CellUnavailable
from actors.clock import Clock
from api.sockets import server_frames as frames
from api.sockets.fleets import Fleets
from api.sockets.histories import Histories
from api.sockets.outgoing import Outgoing
from api.sockets.stale import Stale
from api.sockets.subscription import Subscription
from engine.kernel.timing import SECOND_MS
from storage.live import ASK_ANEW, EDGE, Batch, Bookmark, LiveStream, LiveUnavailable, Publication
from storage.store import StoreUnavailable

_WAIT_MS = 5_000


class Hub:
    """Passes publications on; asks for snapshots whenever something may have been missed.

    `on_notice` hears what edges tell each other, `on_told` what cells tell, `on_miss` that
    something of a cell or of them may have been missed, `on_look` that the stream was found, or
    found again.

    While the stream is away it asks every second: slower, never wrong.
    """

    def __init__(
        self,
        bus: Bus,
        live: LiveStream,
        *,
        wall: Clock,
        snapshots_at_once: int,
        on_notice: Callable[[Publication], None],
        on_told: Callable[[Publication], None] | None = None,
        on_miss: Callable[[], None] | None = None,
        on_look: Callable[[], None] | None = None,
        histories: Histories | None = None,
    ) -> None:
        self._bus = bus
        self._live = live
        self._wall = wall
        self._on_notice, self._on_told = on_notice, on_told
        self._on_miss, self._on_look = on_miss, on_look
        self._asking = asyncio.Semaphore(snapshots_at_once)
        self._subscriptions: dict[str, dict[Outgoing, Subscription]] = {}
        self._last: dict[str, tuple[str, int]] = {}
        self._stale = Stale(
            self._refresh, watched=self._subscriptions, wall=wall, at_once=snapshots_at_once
        )
        self._has_looked = asyncio.Event()
        self._histories = histories or Histories()
        self._repeating: dict[Outgoing, None] = {}
        self.fleets = Fleets(bus, wall)

    async def run(self) -> None:
        """Read until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._stale.run())
            tasks.create_task(self._repeat())
            tasks.create_task(self.fleets.run())

    async def wait_until_reading(self) -> None:
        """Return once the stream was found, or found to be away."""
        await self._has_looked.wait()

    async def subscribe(
        self, channel: str, outgoing: Outgoing, bookmark: Bookmark | None = None
    ) -> None:
        """Tell what was missed since the bookmark, or else how it stands, and then every change.

        It is registered first and asked afterwards: a change in between is held back, not lost.
        """
        subscription = Subscription(channel, outgoing, bookmark)
        self._subscriptions.setdefault(channel, {})[outgoing] = subscription
        missed = None if bookmark is None else self._histories.since(channel, bookmark)
        if bookmark is not None and missed is not None:
            subscription.resume(bookmark, missed)
            return
        async with self._asking:
            is_answered = await self._ask([subscription])
        if not is_answered:
            self._stale.mark([channel])

    def unsubscribe(self, channel: str, outgoing: Outgoing) -> None:
        """Forget a subscription, if there is one."""
        of_channel = self._subscriptions.get(channel, {})
        of_channel.pop(outgoing, None)
        if not of_channel:
            self._subscriptions.pop(channel, None)

    def repeat_to(self, outgoing: Outgoing) -> None:
        """Look every second whether something is to be told again."""
        self._repeating[outgoing] = None

    def repeat_no_more(self, outgoing: Outgoing) -> None:
        """Its socket is closed."""
        self._repeating.pop(outgoing, None)

    async def _repeat(self) -> None:
        while True:
            await self._wall.sleep(SECOND_MS)
            for outgoing in list(self._repeating):
                outgoing.repeat()

    async def _read(self) -> None:
        log = structlog.get_logger(__name__)
        # What was told before this process began is read too, for phones that come from another.
        look = self._live.head
        while True:
            try:
                position = await look()
                look = self._live.tail
                # Whatever happened before this position was not seen.
                self._miss()
                if self._on_look is not None:
                    self._on_look()
                self._has_looked.set()
                while True:
                    position, batches = await self._live.read(position, wait_ms=_WAIT_MS)
                    for batch in batches:
                        self._take(batch)
            except LiveUnavailable as error:
                log.warning("live_stream_away", why=str(error))
                self._has_looked.set()
                self._miss()
                await self._wall.sleep(SECOND_MS)

    def _take(self, batch: Batch) -> None:
        if batch.cell == EDGE:
            for publication in batch.publications:
                self._on_notice(publication)
            return
        last = self._last.get(batch.cell)
        self._last[batch.cell] = (batch.incarnation, batch.sequence)
        if last is not None and last != (batch.incarnation, batch.sequence - 1):
            self._miss()
        for publication in batch.publications:
            self._pass_on(publication)
            if self._on_told is not None:
                self._on_told(publication)

    def _pass_on(self, publication: Publication) -> None:
        subscriptions = self._subscriptions.get(publication.channel, {})
        if publication.kind == ASK_ANEW:
            if subscriptions:
                self._stale.mark([publication.channel])
            return
        is_state = publication.bookmark is not None
        if not subscriptions and not is_state:
            return
        frame = frames.update(publication)
        if is_state:
            self._histories.add(publication, frame)
        for subscription in subscriptions.values():
            subscription.receive(publication, frame)

    def _miss(self) -> None:
        self._histories.forget()
        self._stale.mark(self._subscriptions)
        if self._on_miss is not None:
            self._on_miss()

    async def _refresh(self, channel: str) -> bool:
        async with self._asking:
            return await self._ask(list(self._subscriptions.get(channel, {}).values()))

    async def _ask(self, subscriptions: list[Subscription]) -> bool:
        """Ask for one channel's snapshot and hand it to these; False when nobody answers."""
        if not subscriptions:
            return True
        rounds = [one.begin() for one in subscriptions]
        try:
            answer = await self._bus.snapshot(subscriptions[0].channel)
        except (CellUnavailable, StoreUnavailable):
            return False
        for subscription, asked in zip(subscriptions, rounds, strict=True):
            subscription.settle(asked, answer)
        return True
