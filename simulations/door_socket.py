"""A simulated phone at the real edge: REST for single questions, the WebSocket for what is live."""

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
from simulations.gateways.stc_pay import RIGHT
from simulations.people import DoorShut, Newest
from simulations.rest import Account
from simulations.views import AGAIN, Frame, OrderShown, Told, WorkShown
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
_PAGE = 100

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

    async def listen(self, channel: str, sink: Sink, *, subscribe: bool) -> None:
        """Hand every frame of a channel to `sink`; a courier's own channel needs no asking."""
        self._sinks[channel] = sink
        if subscribe:
            await self._send(_encode({"type": "subscribe", "channel": channel}))

    async def leave(self, channel: str) -> None:
        """Listen no more."""
        self._sinks.pop(channel, None)
        self._bookmarks.pop(channel, None)
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
        token = {
            "type": "authenticate",
            "token": self._account.token,
            "channels": {one: self._bookmarks.get(one) for one in sorted(self._sinks)},
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
                        await self._resume(connection)
                    else:
                        self._take(frame)
                        await self._confirm(connection, frame)
            finally:
                pinging.cancel()

    async def _resume(self, connection: ClientConnection) -> None:
        """Repeat every question that was not answered."""
        self._welcome.set()
        for data, _ in list(self._asked.values()):
            await connection.send(data.decode())

    async def _ping(self, connection: ClientConnection) -> None:
        while True:
            await self._clock.sleep(_PING_S * 1000 * self._clock.speed)
            await _quietly(connection, '{"type":"ping"}')

    async def _confirm(self, connection: ClientConnection, frame: Frame) -> None:
        """Say that a state has come, and remember up to where the channel was read."""
        if frame.bookmark is not None and frame.channel in self._sinks:
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


class CourierSocketDoor:
    """A courier's phone."""

    def __init__(self, account: Account, diary: Diary, chance: Chance) -> None:
        self._account = account
        self._clock, self._chance = account.edge.clock, chance
        self._socket = Socket(account, diary, chance)
        self._work: Newest[WorkShown] = Newest()

    @property
    def work(self) -> Newest[WorkShown]:
        """The work view."""
        return self._work

    async def open(self) -> str:
        """Connect and stay connected; the courier's id."""
        if not self._account.token:
            await self._account.log_in()
        channel = f"courier:{self._account.user_id}"
        await self._socket.listen(channel, self._show, subscribe=False)
        await self._socket.open()
        return self._account.user_id

    async def close(self) -> None:
        """Switch the phone off."""
        await self._socket.close()

    async def tell(self, kind: str, **fields: Any) -> Told:  # noqa: ANN401 - frames hold anything
        """Send a courier's command until it is answered."""
        return await self._socket.tell(kind, fields)

    async def give_back(self, order_id: str, reason: str) -> Told:
        """Give an order back before the pick-up."""
        path, key = f"/v1/orders/{order_id}/unassign", new_id(self._clock, self._chance)
        return await self._account.request("POST", path, {"reason": reason}, key=key)

    async def position(self, point: Point, at: Instant) -> None:
        """Send a position; it may get lost."""
        await self._socket.position(point, at)

    def _show(self, frame: Frame) -> None:
        if frame.kind not in {"", "state"}:
            return
        work = msgspec.json.decode(frame.body, type=WorkShown)
        seen = self._work.value
        if frame.type == "snapshot" or seen is None or work.version >= seen.version:
            self._work.put(work)


_TO_BE_PAID: Final = "payment_required"
_PHONE_MONEY: Final = {"kind": "stc_pay", "value": "0500000000"}


class CustomerSocketDoor:
    """A customer's app."""

    def __init__(self, account: Account, diary: Diary, chance: Chance) -> None:
        self._account = account
        self._clock, self._chance = account.edge.clock, chance
        self._socket = Socket(account, diary, chance)

    async def open(self) -> str:
        """Log in, connect and stay connected; the customer's id."""
        await self._socket.open()
        return self._account.user_id

    async def close(self) -> None:
        """Switch the app off."""
        await self._socket.close()

    async def quote(self, shop: Point, door: Point, preparation_s: int) -> Told:
        """Ask for a price."""
        body = {
            "shop": {"lat": shop.lat, "lng": shop.lng},
            "door": {"lat": door.lat, "lng": door.lng},
            "preparation_s": preparation_s,
        }
        key = new_id(self._clock, self._chance)
        return await self._account.request("POST", "/v1/quotes", body, key=key)

    async def place(self, key: str, order: dict[str, Any]) -> Told:
        """Place an order under an idempotency key, and pay for it where that is asked for."""
        told = await self._account.request("POST", "/v1/orders", order, key=key)
        return await self._pay(key, order) if told.refused == _TO_BE_PAID else told

    async def _pay(self, key: str, order: dict[str, Any]) -> Told:
        """Pay with what the local payment server takes without a card's form."""
        wish = {"order": order, "network": "stc_pay", "source": _PHONE_MONEY}
        told = await self._account.request("POST", "/v1/payments", wish, key=key)
        if not told.refused and told.body["challenge_url"]:
            # The code that STC Pay sends; then he comes back, as a browser would bring him.
            await self._account.tell_gateway(told.body["challenge_url"], {"otp_value": RIGHT})
            path = f"/v1/payments/{told.body['payment_id']}"
            await self._account.request("GET", f"{path}/return")
            told = await self._account.request("GET", path)
        if told.refused or told.body["is_placed"]:
            return told
        return Told(refused=str(told.body["reason"] or told.body["status"]))

    async def cancel(self, order_id: str, key: str, reason: str) -> Told:
        """Cancel an order under an idempotency key."""
        path = f"/v1/orders/{order_id}/cancel"
        return await self._account.request("POST", path, {"reason": reason}, key=key)

    async def list_orders(self) -> list[OrderShown]:
        """The customer's newest orders."""
        told = await self._account.request("GET", f"/v1/orders?limit={_PAGE}")
        return msgspec.convert(told.body.get("orders", []), list[OrderShown])

    async def watch(self, order_id: str, shown: Callable[[OrderShown], None]) -> None:
        """Be shown the order now and whenever it changes."""

        def sink(frame: Frame) -> None:
            if frame.kind in {"", "state"}:
                shown(msgspec.json.decode(frame.body, type=OrderShown))

        await self._socket.listen(f"order:{order_id}", sink, subscribe=True)

    async def unwatch(self, order_id: str) -> None:
        """Be shown it no more."""
        await self._socket.leave(f"order:{order_id}")
