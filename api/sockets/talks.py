"""Who listens to which conversation in this process, and what each has been told of it.

What is told comes from storage, by the versions of a conversation: who comes back after days is
told what he missed, and a word on the stream need only say that there is something to read.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from actors.clock import Clock
from actors.conversations import CHANGED, TYPING
from api.sockets import server_frames
from api.sockets.outgoing import Outgoing
from api.sockets.server_frames import Resumed, Snapshot, Update
from api.sockets.stale import Stale
from engine.chat.conversation import leg_of, may_converse, reader_of
from engine.chat.view import Talk, availability_view, talk_view
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Caller
from storage.chat import ChatStore
from storage.live import Bookmark, Publication
from storage.store import StoreUnavailable

KIND: Final = "conversation"
# Whether messages can be written, and until when: no part of what is numbered.
AVAILABILITY: Final = "availability"
_ORDER: Final = "order:"
# Versions count what was ever stored, so bookmarks are good for ever.
EPOCH: Final = "kept"
# Of phones that confirm nothing no more is remembered.
_TOLD_MAX: Final = 64


@dataclass(slots=True, kw_only=True, eq=False)
class _Listener:
    """`version` is up to where it was told; None before its first frame, unless it comes back.

    `available` is what it was last told of whether messages can be written.
    """

    caller: Caller
    channel: str
    outgoing: Outgoing
    version: int | None
    is_new: bool = True
    available: dict[str, Any] | None = None
    unconfirmed: deque[tuple[int, int]] = field(default_factory=partial(deque, maxlen=_TOLD_MAX))

    def show(self, talk: Talk, now: int) -> None:
        """Tell what is new to him; whoever loses the order and gets it again goes on from there."""
        available = availability_view(talk.order, self.caller, now=now)
        if may_converse(talk.order, self.caller, now):
            self._show_state(talk, available, now)
            self._show_availability(available)
        elif self.available is not None:
            self._show_availability(available)

    def _show_state(self, talk: Talk, available: dict[str, Any], now: int) -> None:
        version = talk.conversation.version
        mark = Bookmark(epoch=EPOCH, offset=version)
        if self.version is None or self.version > version or not talk.is_complete:
            body = talk_view(talk, talk.messages, now=now)
            self._put(
                talk,
                mark,
                Snapshot(channel=self.channel, version=version, bookmark=mark, body=body),
            )
            self.available = available
        elif self.is_new:
            news = (self._update(talk, mark, now),) if version > self.version else ()
            self._put(talk, mark, Resumed(channel=self.channel, bookmark=mark, updates=news))
        elif version > self.version:
            update = self._update(talk, mark, now)
            if update.body["messages"] or update.body["markers"]:
                self._put(talk, mark, update)
        self.version, self.is_new = version, False

    def _show_availability(self, available: dict[str, Any]) -> None:
        """In the lane of states, so that none overtakes it."""
        if available == self.available:
            return
        self.available = available
        update = Update(channel=self.channel, kind=AVAILABILITY, version=0, body=available)
        self.outgoing.put(server_frames.spell(update))

    def _update(self, talk: Talk, mark: Bookmark, now: int) -> Update:
        body = talk_view(talk, talk.messages, since=self.version or 0, now=now)
        return Update(
            channel=self.channel, kind="state", version=mark.offset, body=body, bookmark=mark
        )

    def _put(self, talk: Talk, mark: Bookmark, frame: Snapshot | Resumed | Update) -> None:
        # Who comes back may have said that he has them on a line that was gone by then.
        if self.is_new or any(one.author_id != self.caller.user_id for one in talk.messages):
            self.unconfirmed.append((mark.offset, talk.conversation.last_number))
        is_whole = isinstance(frame, Snapshot)
        spelled = server_frames.spell(frame)
        self.outgoing.put_state(self.channel, mark, spelled, is_whole=is_whole)


class Talks:
    """Reads conversations that changed and tells those who listen, each from where he is."""

    def __init__(self, chat: ChatStore, clock: Clock, wall: Clock, *, at_once: int) -> None:
        self._chat, self._clock = chat, clock
        self._reading = asyncio.Semaphore(at_once)
        self._listeners: dict[str, dict[Outgoing, _Listener]] = {}
        self._stale = Stale(self._tell, watched=self._listeners, wall=wall, at_once=at_once)

    async def run(self) -> None:
        """Tell until cancelled; what could not be read is read again a second later."""
        await self._stale.run()

    def subscribe(
        self, caller: Caller, channel: str, outgoing: Outgoing, bookmark: Bookmark | None
    ) -> None:
        """Tell it what it missed since its bookmark, or how the conversation stands."""
        is_known = bookmark is not None and bookmark.epoch == EPOCH
        self._listeners.setdefault(channel, {})[outgoing] = _Listener(
            caller=caller,
            channel=channel,
            outgoing=outgoing,
            version=bookmark.offset if bookmark is not None and is_known else None,
        )
        self._stale.mark([channel])

    def unsubscribe(self, channel: str, outgoing: Outgoing) -> None:
        """Tell it no more."""
        of_channel = self._listeners.get(channel, {})
        of_channel.pop(outgoing, None)
        if not of_channel:
            self._listeners.pop(channel, None)

    def received(self, channel: str, outgoing: Outgoing, bookmark: Bookmark) -> int:
        """Up to which number the phone has all messages, if it says that anew; else 0."""
        listener = self._listeners.get(channel, {}).get(outgoing)
        number = 0
        while listener and listener.unconfirmed:
            version, last = listener.unconfirmed[0]
            if bookmark.epoch != EPOCH or bookmark.offset < version:
                break
            listener.unconfirmed.popleft()
            number = last
        return number

    def hear(self, notice: Publication) -> None:
        """An edge says that something is stored, or that somebody types."""
        if notice.kind == CHANGED:
            self._stale.mark([notice.channel])
        elif notice.kind == TYPING:
            for one in list(self._listeners.get(notice.channel, {}).values()):
                _show_typing(one, notice.body)

    def follow(self, told: Publication) -> None:
        """A cell says how an order stands: perhaps it has its courier now, or has ended."""
        if told.kind == "state" and told.channel.startswith(_ORDER):
            channel = f"{KIND}:{told.channel.removeprefix(_ORDER)}"
            if channel in self._listeners:
                self._stale.mark([channel])

    def look_again(self) -> None:
        """Something may have been missed."""
        self._stale.mark(self._listeners)

    async def _tell(self, channel: str) -> bool:
        """Read for all who are at the same place at once; False when storage is away."""
        groups: dict[tuple[int | None, CourierId | None], list[_Listener]] = {}
        of_channel = self._listeners.get(channel, {})
        for one in of_channel.values():
            groups.setdefault((one.version, leg_of(one.caller)), []).append(one)
        for (version, courier_id), listeners in groups.items():
            try:
                talk = await self._read(channel, version, courier_id)
            except StoreUnavailable:
                return False
            for one in listeners:
                # Whoever left or came anew meanwhile is another's business.
                if talk is not None and of_channel.get(one.outgoing) is one:
                    one.show(talk, self._clock.now())
        return True

    async def _read(
        self, channel: str, version: int | None, courier_id: CourierId | None
    ) -> Talk | None:
        order_id = OrderId(channel.partition(":")[2])
        async with self._reading:
            talk = await self._chat.read(order_id, since=version, courier_id=courier_id)
            if talk is None or version is None:
                return talk
            if talk.is_complete and version <= talk.conversation.version:
                return talk
            # What it names is not known, or too much was missed: it begins anew, with the newest.
            return await self._chat.read(order_id, since=None, courier_id=courier_id)


def _show_typing(listener: _Listener, body: dict[str, Any]) -> None:
    """To all others; of couriers only who has the order, and none of another."""
    reader = str(body["reader"])
    side, _, courier_id = reader.partition(":")
    if reader == reader_of(listener.caller):
        return
    if (leg := leg_of(listener.caller)) and (courier_id or leg != body.get("courier_id")):
        return
    shown = {"side": side, "courier_id": courier_id or None, "until": body["until"]}
    update = Update(channel=listener.channel, kind=TYPING, version=0, body=shown)
    key = (listener.channel, TYPING, reader)
    listener.outgoing.put_latest(key, server_frames.spell(update))
