"""A courier's phone as the measurements need it: it says where it is and accepts every offer."""

import asyncio
import struct
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.kernel.timing import Instant
from simulations.day import DayCourier
from simulations.realtime.phone import Phone
from simulations.views import Frame, WorkShown

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.live import Bookmark

_POSITION: Final = struct.Struct("<iiqHH")
_STEP_DEG: Final = 0.0001
PATIENCE_S: Final = 60.0
_decode: Final = msgspec.json.Decoder(Frame).decode
_encode: Final = msgspec.json.Encoder().encode
PING: Final = b'{"type":"ping"}'
PONG: Final = b'"pong"'


class Refused(Exception):
    """The service said no to what a measurement depends on; the text is its code."""


class CourierPhone:
    """One courier; his socket may be opened again and again."""

    def __init__(self, courier_id: str, token: str, day: DayCourier, socket_url: str) -> None:
        self.id, self.day = courier_id, day
        self.channel = f"courier:{courier_id}"
        self.phone: Phone | None = None
        self.bookmark: Bookmark | None = None
        self.work: WorkShown | None = None
        self.on_shown: Callable[[], None] | None = None
        self._token, self._url = token, socket_url
        self._asked: dict[str, asyncio.Future[Frame]] = {}
        self._number = 0
        self._north = round(day.start.lat * 1e7)
        self._welcome, self._shown = asyncio.Event(), asyncio.Event()

    async def open(self, host: str, port: int) -> None:
        """Connect, say who it is, and return when all that there is to know was told.

        Of somebody who was never on duty that is nothing.
        """
        told = self._welcome if self.bookmark is None else self._shown
        told.clear()
        self.phone = Phone(self._url, self._hear)
        await self.phone.open(host, port)
        channels = {self.channel: self.bookmark}
        greeting = {"type": "authenticate", "token": self._token, "channels": channels}
        self.phone.say(_encode(greeting))
        async with asyncio.timeout(PATIENCE_S):
            await told.wait()

    async def go_on_duty(self, zone_id: str) -> None:
        """Begin to work."""
        day = self.day
        await self.ask(
            "duty",
            duty="on",
            zone_id=zone_id,
            name=day.name,
            vehicle=day.vehicle.value,
            capacity_units=day.capacity_units,
            lat=day.start.lat,
            lng=day.start.lng,
        )

    async def ask(self, kind: str, **fields: Any) -> Frame:  # noqa: ANN401 - frames hold anything
        """A command and its answer; raises Refused."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.ask_untimed(kind, **fields)

    async def ask_untimed(self, kind: str, **fields: Any) -> Frame:  # noqa: ANN401 - as above
        """The same, for whoever minds the time of many himself: a timer for each costs as much."""
        assert self.phone is not None
        self._number += 1
        name = f"{kind}-{self._number}-{self.id}"
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._asked[name] = answer
        self.phone.say(_encode({"type": kind, "id": name, **fields}))
        frame = await answer
        if frame.type == "refused":
            raise Refused(f"{kind}: {frame.code}")
        return frame

    def record(self, at: Instant) -> bytes:
        """Where he is now, a few metres further north, as it goes over the socket."""
        self._north += round(_STEP_DEG * 1e7)
        return _POSITION.pack(self._north, round(self.day.start.lng * 1e7), at, 50, 0)

    def report(self, at: Instant) -> None:
        """Say where he is."""
        assert self.phone is not None
        self.phone.say(self.record(at), binary=True)

    def _hear(self, message: bytes) -> None:
        frame = _decode(message)
        match frame.type:
            case "authenticated":
                self._welcome.set()
            case "reply" | "refused":
                for name in (frame.id, *frame.also):
                    answer = self._asked.pop(name, None)
                    if answer is not None and not answer.done():
                        answer.set_result(frame)
            case "resumed" | "snapshot" | "update" if frame.channel == self.channel:
                self._see(frame)

    def _see(self, frame: Frame) -> None:
        self.bookmark = frame.bookmark or self.bookmark
        for state in frame.updates or (frame,):
            if state.type != "resumed":
                self._take(msgspec.json.decode(state.body, type=WorkShown))
        self._shown.set()
        if self.on_shown is not None:
            self.on_shown()

    def _take(self, work: WorkShown) -> None:
        had = self.work.offer if self.work is not None else None
        self.work = work
        offer = work.offer
        if offer is not None and (had is None or had.offer_id != offer.offer_id):
            assert self.phone is not None
            name = f"accept-{offer.offer_id}"
            self.phone.say(_encode({"type": "accept", "id": name, "offer_id": offer.offer_id}))
