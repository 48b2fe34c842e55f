"""An edge without sockets that has conversations and nothing else, for days under faults."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from api.sockets.channels import Channels
from api.sockets.frames import (
    Message,
    Read,
    Received,
    Subscribe,
    Typing,
    Unsubscribe,
    read_frame,
)
from api.sockets.hub import Hub
from api.sockets.listening import Listening, Sources
from api.sockets.outgoing import Outgoing
from api.sockets.speaking import Speaking
from api.sockets.talks import Talks
from engine.kernel.messages import Caller
from engine.kernel.refusals import Refusal
from simulations.faults.chat.means import Means
from storage.live import Bookmark

_AT_ONCE = 8
_CHANNELS_MAX = 128
_FRAMES_WAITING_MAX = 1_000
_RECEIPT_MS = 5_000


class TalkingEdge:
    """Satisfies `ChatEdge` by what real sockets are made of, all but their lines."""

    def __init__(self, means: Means) -> None:
        self._means = means
        talks = Talks(means.chat, means.clock, means.clock, at_once=_AT_ONCE)
        hub = Hub(
            means.bus,
            means.live,
            wall=means.clock,
            snapshots_at_once=_AT_ONCE,
            on_notice=talks.hear,
            on_told=talks.follow,
            on_miss=talks.look_again,
        )
        self._sources = Sources(
            hub=hub,
            talks=talks,
            channels=Channels(),
            store=means.orders,
            clock=means.clock,
            wall=means.clock,
            channels_max=_CHANNELS_MAX,
        )

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sources.hub.run())
            tasks.create_task(self._sources.talks.run())

    def connect(self, caller: Caller, channels: Mapping[str, Bookmark | None]) -> "TalkingLine":
        """A line for somebody who hears these channels from where he left off."""
        return TalkingLine(self._means, self._sources, caller, channels)


class TalkingLine:
    """Satisfies `Line`: one phone's words and what it hears, as `Connection` has them."""

    def __init__(
        self,
        means: Means,
        sources: Sources,
        caller: Caller,
        channels: Mapping[str, Bookmark | None],
    ) -> None:
        self._caller, self._hub, self._failed = caller, sources.hub, means.failed
        self._closed = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._something = asyncio.Event()
        self._outgoing = Outgoing(_FRAMES_WAITING_MAX, self.close, on_waiting=self._something.set)
        self._outgoing.want_receipts(means.clock, again_ms=_RECEIPT_MS)
        self._hub.repeat_to(self._outgoing)
        self._speaking = Speaking(
            means.conversations,
            self._outgoing,
            means.clock,
            guard=self._guarded,
            note=_not_noted,
        )
        self._listening = Listening(
            sources,
            self._outgoing,
            spawn=self._spawn,
            note=_not_noted,
            have=self._speaking.have,
        )
        for channel, bookmark in channels.items():
            self._listening.subscribe(caller, channel, bookmark)

    def say(self, frame: bytes) -> None:
        """Do what it says."""
        if self._closed.done():
            return
        match read_frame(frame.decode()):
            case Subscribe() | Unsubscribe() | Received() as word:
                self._listening.mind(self._caller, word)
            case Message() | Read() | Typing() as word:
                self._speaking.mind(self._caller, word)
            case other:
                raise AssertionError(f"nobody says {other} here")

    async def hear(self) -> list[bytes]:
        """What is said next; nothing once it is closed."""
        something = asyncio.ensure_future(self._something.wait())
        try:
            await asyncio.wait({something, self._closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            something.cancel()
        self._something.clear()
        return [] if self._closed.done() else self._outgoing.take()

    def close(self) -> None:
        """Whatever was begun for it ends; what it said is carried out."""
        if self._closed.done():
            return
        self._closed.set_result(None)
        for task in list(self._tasks):
            task.cancel()
        self._listening.end()
        self._speaking.end()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a bug of the edge
            self._failed(error)


def _not_noted(_refusal: Refusal, _word: str) -> None:
    """Refused tries are another test's business."""
