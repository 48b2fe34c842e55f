"""What one socket listens to: asked for, allowed, told, and left again."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from actors.clock import Clock
from api.refusals import INVALID_REQUEST, TOO_MANY_CHANNELS
from api.sockets import server_frames
from api.sockets.channels import Channels
from api.sockets.fleet_map import Bounds, FleetMap
from api.sockets.frames import Look, Received, Subscribe, Unsubscribe
from api.sockets.hub import Hub
from api.sockets.outgoing import Outgoing
from api.sockets.talks import KIND, Talks
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller
from engine.kernel.refusals import UNAVAILABLE, Refusal
from engine.kernel.timing import SECOND_MS
from storage.live import Bookmark
from storage.store import Store, StoreUnavailable

Spawn = Callable[[Coroutine[Any, Any, None]], None]
Note = Callable[[Refusal, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What sockets listen to, and what says who may; one socket has `channels_max` at most."""

    hub: Hub
    talks: Talks
    channels: Channels
    store: Store
    clock: Clock
    wall: Clock
    channels_max: int


class Listening:
    """The channels of one socket; `spawn` begins work that ends with it, `note` tells of a no.

    `have` hears up to which number the phone has others' messages.
    """

    def __init__(
        self,
        sources: Sources,
        outgoing: Outgoing,
        *,
        spawn: Spawn,
        note: Note,
        have: Callable[[Caller, OrderId, int], None],
    ) -> None:
        self._sources = sources
        self._outgoing = outgoing
        self._spawn = spawn
        self._note = note
        self._have = have
        self._names: set[str] = set()

    def mind(self, caller: Caller, frame: Subscribe | Unsubscribe | Received | Look) -> None:
        """Do what a frame says of a channel."""
        match frame:
            case Subscribe():
                self.subscribe(caller, frame.channel, frame.bookmark)
            case Unsubscribe():
                self._leave(frame.channel)
            case Received():
                self._outgoing.received(frame.channel, frame.bookmark)
                if _is_conversation(frame.channel):
                    self._confirm(caller, frame)
            case Look():
                self._spawn(self._look(caller, frame))

    def subscribe(self, caller: Caller, channel: str, bookmark: Bookmark | None) -> None:
        """Listen from the bookmark on, or from how the thing stands now, if the caller may."""
        limit = self._sources.channels_max
        if channel not in self._names and len(self._names) >= limit:
            self._outgoing.put(server_frames.error(TOO_MANY_CHANNELS(), channel=channel))
        else:
            self._names.add(channel)
            self._spawn(self._admit(caller, channel, bookmark))

    def end(self) -> None:
        """The socket is closed."""
        self._sources.hub.repeat_no_more(self._outgoing)
        self._sources.hub.fleets.look_away(self._outgoing)
        for channel in self._names:
            self._source(channel).unsubscribe(channel, self._outgoing)

    def _leave(self, channel: str) -> None:
        self._names.discard(channel)
        if channel.startswith("fleet:"):
            self._sources.hub.fleets.look_away(self._outgoing)
        self._source(channel).unsubscribe(channel, self._outgoing)
        self._outgoing.leave(channel)

    def _source(self, channel: str) -> Hub | Talks:
        return self._sources.talks if _is_conversation(channel) else self._sources.hub

    def _confirm(self, caller: Caller, frame: Received) -> None:
        number = self._sources.talks.received(frame.channel, self._outgoing, frame.bookmark)
        if number:
            self._have(caller, OrderId(frame.channel.partition(":")[2]), number)

    async def _admit(self, caller: Caller, channel: str, bookmark: Bookmark | None) -> None:
        """Subscribe who may; while the database is away he waits, as he would for a snapshot."""
        while channel in self._names:
            try:
                refusal = await self._sources.channels.objection(
                    self._sources.store, caller, channel, now=self._sources.clock.now()
                )
            except StoreUnavailable:
                await self._sources.wall.sleep(SECOND_MS)
                continue
            if refusal is not None:
                self._note(refusal, "subscribe")
                self._names.discard(channel)
                self._outgoing.put(server_frames.error(refusal, channel=channel))
            elif channel in self._names and _is_conversation(channel):
                self._sources.talks.subscribe(caller, channel, self._outgoing, bookmark)
            elif channel in self._names:
                await self._sources.hub.subscribe(channel, self._outgoing, bookmark)
            return

    async def _look(self, caller: Caller, frame: Look) -> None:
        """Show an operator a fleet; while the database is away he asks again."""
        refusal = await self._why_not_look(caller, frame)
        if refusal is not None:
            self._note(refusal, "look")
            self._outgoing.put(server_frames.error(refusal, channel=frame.channel))
            return
        bounds = Bounds(south=frame.south, west=frame.west, north=frame.north, east=frame.east)
        self._sources.hub.fleets.look(
            frame.channel,
            self._outgoing,
            FleetMap(frame.channel, bounds),
            is_binary=frame.form == "binary",
        )

    async def _why_not_look(self, caller: Caller, frame: Look) -> Refusal | None:
        kind, _, zone_id = frame.channel.partition(":")
        if kind != "fleet" or frame.south >= frame.north or frame.west >= frame.east:
            return INVALID_REQUEST(
                message="look at fleet:<zone>, from south to north and from west to east"
            )
        try:
            return await self._sources.channels.objection(
                self._sources.store, caller, f"zone:{zone_id}", now=self._sources.clock.now()
            )
        except StoreUnavailable:
            return UNAVAILABLE()


def _is_conversation(channel: str) -> bool:
    return channel.startswith(f"{KIND}:")
