"""A phone that does not read is let go."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.sockets.connection import Connection
from api.sockets.desk import Desk
from api.sockets.hub import Hub
from api.sockets.line import Heard
from api.sockets.presence import Presence
from api.sockets.wire import Wire
from tests.api.town import Person, Town, a_town


class Phone:
    """The server's end of a socket whose phone reads only when it is told to."""

    def __init__(self, token: str) -> None:
        self.reads = asyncio.Event()
        self.sent: list[dict[str, Any]] = []
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})
        self.says({"type": "authenticate", "token": token})

    def says(self, frame: object) -> None:
        text = msgspec.json.encode(frame).decode()
        self._said.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self) -> Any:
        return await self._said.get()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def is_full(self) -> bool:
        return not self.reads.is_set()

    def hear(self, heard: Heard | None) -> None:
        """What it says comes by `receive`, as what is said before the handshake does."""

    def say(self, *frames: bytes) -> None:
        self.sent += [msgspec.json.decode(one) for one in frames]

    async def wait_until_free(self) -> None:
        await self.reads.wait()

    def hold(self) -> None:
        pytest.fail("nobody asked for more than may begin")

    def release(self) -> None:
        """It was never held."""

    def wire(self) -> Wire:
        return Wire(self.receive, self.send, self)


def a_desk(town: Town) -> Desk:
    parts = town.parts
    presence = Presence(parts.live, parts.wall, sockets_max=10, sockets_of_one_max=2)
    hub = Hub(parts.bus, parts.live, wall=parts.wall, snapshots_at_once=4, on_notice=presence.hear)
    desk: Desk = town.app.state.desk
    return replace(desk, sources=replace(desk.sources, hub=hub), presence=presence)


async def flood(person: Person, order_id: str) -> Phone:
    """A phone that asks for more than may wait, and reads none of it."""
    phone = Phone(person.token)
    for _ in range(30):
        phone.says({"type": "subscribe", "channel": f"order:{order_id}"})
    return phone


async def test_who_does_not_read_is_asked_to_connect_again(tmp_path: Path) -> None:
    async with a_town(tmp_path, frames_waiting_max=8) as town:
        customer = await town.log_in("customer")
        phone = await flood(customer, await customer.order())
        desk = a_desk(town)
        await Connection(phone.wire(), desk).serve()
        assert phone.sent[-1]["type"] == "websocket.close"
        assert phone.sent[-1]["code"] == 4504
        await desk.presence.wait_until_empty()
