"""The WebSocket of a simulated phone: it comes back by itself, from where it left off."""

import asyncio
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from actors.chance import Chance, new_id
from engine.kernel.place import Point
from engine.kernel.timing import Instant
from simulations.diary import Diary
from simulations.people import DoorShut
from simulations.rest import Account
from simulations.views import AGAIN, Frame, Told
from simulations.witness import Said

if TYPE_CHECKING:
    from storage.live import Bookmark

_POSITION: Final = struct.Struct("<iiqHH")
_frame: Final = msgspec.json.Decoder(Frame)
_encode: Final = msgspec.json.Encoder().encode
# Real seconds: how long an answer may take before the question is sent again, and how long a phone
# stays silent before it says that it is still there.
_ANSWER_S = 6.0
_PING_S = 40.0
_EXPIRED = frozenset({4401, 4410})
_OUR_FAULT = frozenset({4400, 4403, 4413})
_FRAME_BYTES_MAX = 4 * 1024 * 1024

Sink = Callable[[Frame], None]


class AppFault(DoorShut):
    """The service closed the connection because of what this phone sent."""


class Socket:
    """One WebSocket that comes back by itself, with its subscriptions and its open questions."""

    def __init__(self, account: Account, diary: Diary, chance: Chance) -> None:
        self._account, self._diary, self._chance = account, diary, chance
        self._clock = account.edge.clock
        self._connection: ClientConnection | None = None
        self._welcome = asyncio.Event()
        self._sinks: dict[str, Sink] = {}
        # What is wrong with a channel is heard by whoever minds it.
        self._minds: dict[str, Sink] = {}
        # Channels that must be asked for, and what is said anew on each line.
        self._wanted: set[str] = set()
        self._kept: dict[str, bytes] = {}
        self._bookmarks: dict[str, Bookmark] = {}
        self._asked: dict[str, tuple[bytes, asyncio.Future[Frame]]] = {}
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and stay connected until closed."""
        if not self._account.token:
            await self._account.log_in()
        self._keeper = asyncio.create_task(self._keep())
        welcome = asyncio.create_task(self._welcome.wait())
        await asyncio.wait({welcome, self._keeper}, return_when=asyncio.FIRST_COMPLETED)
        if not welcome.done():
            welcome.cancel()
            await self._keeper

    async def close(self) -> None:
        """Close for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError, DoorShut):
                await self._keeper

    async def listen(
        self,
        channel: str,
        sink: Sink,
        *,
        subscribe: bool,
        bookmark: "Bookmark | None" = None,
        mind: Sink | None = None,
    ) -> None:
        """Hand every frame of a channel to `sink`, and what is wrong with it to `mind`.

        A courier's own channel needs no asking.
        """
        self._sinks[channel] = sink
        if mind is not None:
            self._minds[channel] = mind
        if bookmark is not None:
            self._bookmarks[channel] = bookmark
        if subscribe:
            self._wanted.add(channel)
            await self._subscribe(channel)

    async def keep_saying(self, name: str, frame: dict[str, Any]) -> None:
        """Say what is not answered, now and on each line to come; the newest of its name."""
        self._kept[name] = _encode(frame)
        await self._send(self._kept[name])

    async def leave(self, channel: str) -> None:
        """Listen no more."""
        self._sinks.pop(channel, None)
        self._bookmarks.pop(channel, None)
        self._wanted.discard(channel)
        await self._send(_encode({"type": "unsubscribe", "channel": channel}))

    async def tell(self, kind: str, fields: dict[str, Any]) -> Told:
        """Send a command until it is answered, always under one id."""
        return await self.tell_as(new_id(self._clock, self._chance), kind, fields)

    async def tell_as(self, command_id: str, kind: str, fields: dict[str, Any]) -> Told:
        """Send a command under an id that may have been used before."""
        data = _encode({"type": kind, "id": command_id, **fields})
        backoff = self._account.edge.backoff()
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        while True:
            answer = await self._ask(command_id, data)
            if answer.code not in AGAIN:
                self._diary.answers_ms.append((loop.time() - asked_at) * 1000)
                told = _told(answer)
                said = Said(kind, command_id, fields)
                self._account.edge.witness.answered(self._account.phone, said, told)
                return told
            await backoff.pause()

    async def position(self, point: Point, at: Instant) -> None:
        """Send a position if there is a connection."""
        connection = self._connection
        if connection is not None and self._welcome.is_set():
            record = _POSITION.pack(round(point.lat * 1e7), round(point.lng * 1e7), at, 50, 0)
            self._diary.positions += 1
            await _quietly(connection, record)

    async def _ask(self, command_id: str, data: bytes) -> Frame:
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._asked[command_id] = (data, answer)
        try:
            while True:
                await self._send(data)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ANSWER_S):
                        return await asyncio.shield(answer)
        finally:
            del self._asked[command_id]

    async def _send(self, data: bytes) -> None:
        """Send if there is a connection; what matters is sent again when there is one."""
        if self._keeper is not None and self._keeper.done():
            await self._keeper
        if self._connection is not None and self._welcome.is_set():
            await _quietly(self._connection, data.decode())

    async def _subscribe(self, channel: str) -> None:
        bookmark = self._bookmarks.get(channel)
        frame = {"type": "subscribe", "channel": channel, "bookmark": bookmark}
        await self._send(_encode(frame))

    async def _keep(self) -> None:
        backoff = self._account.edge.backoff()
        is_first = True
        while True:
            with suppress(OSError, TimeoutError, InvalidHandshake):
                if not is_first:
                    self._diary.reconnects += 1
                is_first = False
                async with connect(
                    self._account.edge.socket_url,
                    compression=None,
                    proxy=None,
                    close_timeout=1,
                    max_size=_FRAME_BYTES_MAX,
                ) as connection:
                    try:
                        await self._converse(connection)
                        backoff.reset()
                    finally:
                        self._connection = None
                        was_welcome = self._welcome.is_set()
                        self._welcome.clear()
                    if was_welcome:
                        backoff.reset()
                await self._after_close(connection)
            await backoff.pause()

    async def _after_close(self, connection: ClientConnection) -> None:
        if connection.close_code in _OUR_FAULT:
            what = f"{connection.close_code} {connection.close_reason}"
            self._diary.faults.append(f"{self._account.phone}: closed with {what}")
            fault = AppFault(what)
            for _, answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(fault)
            raise fault
        if connection.close_code in _EXPIRED:
            await self._account.renew()

    async def _converse(self, connection: ClientConnection) -> None:
        """Talk until the connection closes."""
        named = sorted(self._sinks)
        token = {
            "type": "authenticate",
            "token": self._account.token,
            "channels": {one: self._bookmarks.get(one) for one in named},
            "receipts": True,
        }
        with suppress(ConnectionClosed):
            await connection.send(_encode(token).decode())
            self._connection = connection
            pinging = asyncio.create_task(self._ping(connection))
            try:
                async for data in connection:
                    frame = _frame.decode(data)
                    if frame.type == "authenticated":
                        await self._resume(connection, named)
                    else:
                        self._take(frame)
                        await self._confirm(connection, frame)
            finally:
                pinging.cancel()

    async def _resume(self, connection: ClientConnection, named: list[str]) -> None:
        """Repeat what was not answered, and ask for what came up while the token was on its way."""
        self._welcome.set()
        for channel in self._wanted.difference(named):
            await self._subscribe(channel)
        for kept in list(self._kept.values()):
            await connection.send(kept.decode())
        for data, _ in list(self._asked.values()):
            await connection.send(data.decode())

    async def _ping(self, connection: ClientConnection) -> None:
        while True:
            await self._clock.sleep(_PING_S * 1000 * self._clock.speed)
            await _quietly(connection, '{"type":"ping"}')

    async def _confirm(self, connection: ClientConnection, frame: Frame) -> None:
        """Say that a state has come, and remember up to where the channel was read."""
        if frame.bookmark is not None and frame.channel in self._sinks:
            known = self._bookmarks.get(frame.channel)
            is_repeated = known is not None and known.reaches(frame.bookmark)
            if frame.type == "snapshot" or not is_repeated:
                self._bookmarks[frame.channel] = frame.bookmark
            receipt = {"type": "received", "channel": frame.channel, "bookmark": frame.bookmark}
            await _quietly(connection, _encode(receipt).decode())

    def _answered(self, frame: Frame) -> None:
        for name in (frame.id, *frame.also):
            asked = self._asked.get(name)
            if asked is not None and not asked[1].done():
                asked[1].set_result(frame)

    def _take(self, frame: Frame) -> None:
        match frame.type:
            case "reply" | "refused":
                self._answered(frame)
            case "resumed":
                for update in frame.updates:
                    self._take(update)
            case "snapshot" | "update":
                self._account.edge.witness.shown(self._account.phone, frame)
                sink = self._sinks.get(frame.channel)
                if sink is not None:
                    sink(frame)
            case "error" if frame.channel in self._minds:
                self._minds[frame.channel](frame)
            case "error":
                what = f"{frame.code} {bytes(frame.body).decode()}"
                self._diary.faults.append(f"{self._account.phone}: {what}")
            case _:
                pass


async def _quietly(connection: ClientConnection, data: str | bytes) -> None:
    """Send; a connection that just went is noticed by its reader."""
    with suppress(ConnectionClosed):
        await connection.send(data)


def _told(frame: Frame) -> Told:
    if frame.type == "refused":
        return Told(refused=frame.code)
    return Told(body=msgspec.json.decode(frame.body))
