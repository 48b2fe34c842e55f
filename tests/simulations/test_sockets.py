"""A simulated phone on a bad line: it comes back, says everything again, and under the same id."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from actors.chance import SeededChance
from actors.clock import SystemClock
from engine.kernel.place import Point
from simulations.app_socket import AppFault
from simulations.diary import Diary
from simulations.door_socket import CourierSocketDoor, CustomerSocketDoor
from simulations.rest import Account, Backoff, Edge, SmsInbox
from simulations.views import OrderShown

Talk = Callable[[ServerConnection, int], Awaitable[None]]


class Line:
    """A server that runs `talk` for each connection and remembers what it was told."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.connections = 0
        self.heard: list[dict[str, Any]] = []
        self.records: list[bytes] = []

    async def handle(self, connection: ServerConnection) -> None:
        self.connections += 1
        await self.hear(connection)
        await say(connection, type="authenticated", user_id="me", role="courier", now=0, speed=1)
        await self._talk(connection, self.connections)

    async def hear(self, connection: ServerConnection) -> dict[str, Any]:
        while True:
            data = await connection.recv()
            if isinstance(data, bytes):
                self.records.append(data)
                continue
            frame: dict[str, Any] = msgspec.json.decode(data)
            self.heard.append(frame)
            return frame


async def say(connection: ServerConnection, **frame: object) -> None:
    await connection.send(msgspec.json.encode(frame).decode())


@asynccontextmanager
async def phone(line: Line) -> AsyncIterator[tuple[CourierSocketDoor, Diary]]:
    async with serve(line.handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        account, diary = an_account(port), Diary()
        door = CourierSocketDoor(account, diary, SeededChance(1))
        try:
            yield door, diary
        finally:
            await door.close()
            await account.edge.close()


def an_account(port: int) -> Account:
    clock = SystemClock()
    edge = Edge(
        f"http://127.0.0.1:{port}", Path("no-messages"), clock=clock, chance=random.Random(1)
    )
    account = Account(edge, phone="+966550000001", role="courier")
    account.token, account.user_id = "token", "me"
    return account


async def test_an_unanswered_command_is_sent_again_on_the_next_connection() -> None:
    async def talk(connection: ServerConnection, number: int) -> None:
        asked = await line.hear(connection)
        if number < 3:
            await connection.close(4503)
            return
        await say(connection, type="reply", id=asked["id"], body={"duty": "on"})
        await connection.wait_closed()

    line = Line(talk)
    async with phone(line) as (door, diary):
        assert await door.open() == "me"
        told = await door.tell("duty", duty="on")
    asked = [one for one in line.heard if one["type"] == "duty"]
    assert told.body == {"duty": "on"}
    assert len({one["id"] for one in asked}) == 1
    assert line.connections == 3
    assert diary.reconnects == 2
    assert diary.faults == []


async def test_an_unavailable_service_is_asked_again_under_the_same_id() -> None:
    async def talk(connection: ServerConnection, _number: int) -> None:
        first = await line.hear(connection)
        await say(
            connection, type="refused", id=first["id"], code="temporarily_unavailable", detail={}
        )
        second = await line.hear(connection)
        await say(connection, type="refused", id=second["id"], code="offer_expired", detail={})
        await connection.wait_closed()

    line = Line(talk)
    async with phone(line) as (door, _):
        await door.open()
        told = await door.tell("accept", offer_id="o")
    assert told.refused == "offer_expired"
    assert line.heard[1] == line.heard[2]


async def test_an_older_view_is_dropped_and_a_snapshot_replaces() -> None:
    async def talk(connection: ServerConnection, _number: int) -> None:
        for kind, version in (("update", 5), ("update", 4), ("snapshot", 3)):
            body = {"courier_id": "me", "version": version, "duty": "on"}
            frame = {"type": kind, "channel": "courier:me", "version": version, "body": body}
            await say(connection, **frame, **({"kind": "state"} if kind == "update" else {}))
        await connection.wait_closed()

    line = Line(talk)
    async with phone(line) as (door, _):
        seen: list[int] = []
        await door.open()
        number = 0
        while not seen or seen[-1] != 3:
            number = await door.work.after(number)
            assert door.work.value is not None
            seen.append(door.work.value.version)
    assert 4 not in seen


async def test_positions_are_small_binary_records() -> None:
    done = asyncio.Event()

    async def talk(connection: ServerConnection, _number: int) -> None:
        await line.hear(connection)
        done.set()
        await connection.wait_closed()

    line = Line(talk)
    async with phone(line) as (door, diary):
        await door.open()
        await door.position(Point(lat=24.5, lng=-46.25), 1234567890123)
        asking = asyncio.create_task(door.tell("duty", duty="off"))
        await done.wait()
        asking.cancel()
        assert diary.positions == 1
    (record,) = line.records
    assert len(record) == 20
    assert int.from_bytes(record[:4], "little", signed=True) == 245_000_000
    assert int.from_bytes(record[4:8], "little", signed=True) == -462_500_000
    assert int.from_bytes(record[8:16], "little") == 1234567890123


async def test_a_phone_that_is_put_out_for_what_it_sent_says_so() -> None:
    async def talk(connection: ServerConnection, _number: int) -> None:
        await line.hear(connection)
        await connection.close(4400, "malformed")

    line = Line(talk)
    async with phone(line) as (door, diary):
        await door.open()
        with pytest.raises(AppFault, match="4400 malformed"):
            await door.tell("duty", duty="on")
    assert diary.faults == ["+966550000001: closed with 4400 malformed"]


async def test_subscriptions_go_on_where_they_were_left_on_the_next_connection() -> None:
    pin = asyncio.Event()
    pins: list[str] = []

    place = {"lat": 0.0, "lng": 0.0}
    body = {
        "order_id": "o", "version": 1, "status": "waiting", "public_status": "pending",
        "pin": "1234", "shop": place, "door": place, "placed_at": 0, "ready_at": 0,
    }  # fmt: skip
    state = {"channel": "order:o", "kind": "state", "version": 1, "body": body}
    marks = [{"epoch": "a", "offset": offset} for offset in (1, 2)]

    async def talk(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await line.hear(connection)
            await say(connection, type="snapshot", **state | {"bookmark": marks[0]})
            await line.hear(connection)
            await connection.close(4503)
            return
        missed = {"type": "update", **state, "body": {**body, "pin": "5678"}}
        await say(
            connection, type="resumed", channel="order:o", bookmark=marks[1], updates=[missed]
        )
        await connection.wait_closed()

    line = Line(talk)

    def shown(order: OrderShown) -> None:
        pins.append(order.pin)
        if order.pin == "5678":
            pin.set()

    async with serve(line.handle, "127.0.0.1", 0) as server:
        account = an_account(server.sockets[0].getsockname()[1])
        door = CustomerSocketDoor(account, Diary(), SeededChance(1))
        await door.open()
        await door.watch("o", shown)
        await pin.wait()
        await door.close()
        await account.edge.close()
    assert pins == ["1234", "5678"]
    assert [one["type"] for one in line.heard[:4]] == [
        "authenticate",
        "subscribe",
        "received",
        "authenticate",
    ]
    assert line.heard[2]["bookmark"] == marks[0]
    assert line.heard[3]["channels"] == {"order:o": marks[0]}


async def test_the_inbox_hands_each_phone_its_own_newest_code(tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl"
    file.write_text('{"phone":"+1","text":"old\\n\\n@x #111111"}\n')
    inbox = SmsInbox(file, SystemClock())
    waiting = asyncio.gather(inbox.code_for("+1"), inbox.code_for("+2"))
    with file.open("a") as log:
        log.write('{"phone":"+2","text":"two\\n\\n@x #222222"}\n{"phone":"+3","text":"a gift"}\n')
        log.write('{"phone":"+1","text":"one\\n\\n@x #333333"}\n{"phone":"+1"')
    assert list(await waiting) == ["333333", "222222"]


async def test_pauses_double_up_to_a_bound() -> None:
    pauses: list[float] = []

    class Recording:
        speed = 2.0

        def now(self) -> int:
            return 0

        async def sleep(self, ms: float) -> None:
            pauses.append(ms / self.speed / 1000)

    backoff = Backoff(Recording(), random.Random(1), most_s=1.0)
    for _ in range(8):
        await backoff.pause()
    assert all(0.5 <= pause / most <= 1.0 for pause, most in zip(pauses, _DOUBLING, strict=True))
    await backoff.pause(at_least_s=5.0)
    assert pauses[-1] == 5.0


_DOUBLING = (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0)
