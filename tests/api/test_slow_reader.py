"""A phone that does not read is let go."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from api.sockets.connection import Connection, Desk
from api.sockets.hub import Hub
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
        self.say({"type": "authenticate", "token": token})

    def say(self, frame: object) -> None:
        text = msgspec.json.encode(frame).decode()
        self._said.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self) -> Any:
        return await self._said.get()

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            await self.reads.wait()
        self.sent.append(message)

    def wire(self) -> Wire:
        return Wire(self.receive, self.send)


def a_desk(town: Town) -> Desk:
    parts = town.parts
    presence = Presence(parts.live, parts.wall, sockets_max=10, sockets_of_one_max=2)
    hub = Hub(parts.bus, parts.live, wall=parts.wall, snapshots_at_once=4, on_notice=presence.hear)
    refused = town.app.state.refused_tries
    return Desk(parts=parts, gate=town.gate, hub=hub, presence=presence, refused=refused)


async def flood(person: Person, order_id: str) -> Phone:
    """A phone that asks for more than may wait, and reads none of it."""
    phone = Phone(person.token)
    for _ in range(30):
        phone.say({"type": "subscribe", "channel": f"order:{order_id}"})
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
