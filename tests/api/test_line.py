"""Messages over the server's own line: whatever their size, whenever they come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.frames import Frame, Opcode

from api.sockets.line import Line
from tests.api.town import Town, a_town

_PATIENCE_S = 30.0


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with a_town(tmp_path) as town:
        yield town


class Kept:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.written += data


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_message_is_spelled_as_the_library_spells_it(size: int, opcode: Opcode) -> None:
    line, message = Line.__new__(Line), b"x" * size
    line.disconnected = line.close_sent = False
    line.transport = kept = Kept()  # type: ignore[assignment]
    line.say(message, is_text=opcode is Opcode.TEXT)
    assert kept.written == Frame(opcode, message).serialize(mask=False)


async def test_a_message_in_parts_is_heard_whole(town: Town) -> None:
    _, socket = await town.courier()
    await socket.connection.send(['{"type":', '"ping"', "}"])
    assert (await socket.next("pong"))["type"] == "pong"


async def test_what_is_no_text_ends_the_socket(town: Town) -> None:
    _, socket = await town.courier()
    await socket.connection.send(b'{"type":"ping\xff"}', text=True)
    async with asyncio.timeout(_PATIENCE_S):
        await socket.connection.wait_closed()
    assert socket.connection.close_code == 1007
