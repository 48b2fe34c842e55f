"""The phone of the measurements: it reads and writes frames as the library does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from simulations.realtime.phone import Phone
from simulations.realtime.unmasked import BINARY, TEXT, control_frame_end, spelled, whole_messages

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]
_PATIENCE_S = 30.0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("first", "opcode"), [(TEXT, Opcode.TEXT), (BINARY, Opcode.BINARY)])
def test_a_message_is_spelled_as_the_library_spells_it(
    size: int, first: int, opcode: Opcode
) -> None:
    theirs = Frame(opcode, b"x" * size).serialize(mask=True)
    ours = spelled(b"x" * size, first)
    # The key is ours, and zeros leave all as it is.
    key_at = len(ours) - size - 4
    assert ours == theirs[:key_at] + bytes(4) + b"x" * size


@given(st.lists(st.sampled_from(SIZES), max_size=5), st.data())
def test_every_whole_message_is_found(sizes: list[int], data: st.DataObject) -> None:
    frames = [Frame(Opcode.TEXT, b"x" * size).serialize(mask=False) for size in sizes]
    whole = b"".join(frames)
    cut = data.draw(st.integers(0, len(whole)))
    ends = [sum(map(len, frames[:at])) for at in range(len(frames) + 1)]
    count = max(at for at, end in enumerate(ends) if end <= cut)
    found, end = whole_messages(whole[:cut])
    assert ([len(one) for one in found], end) == (sizes[:count], ends[count])


def test_control_frames_are_told_from_the_rest() -> None:
    ping = Frame(Opcode.PING, b"abc").serialize(mask=False)
    assert control_frame_end(ping + b"more") == len(ping)
    assert all(control_frame_end(ping[:cut]) == 0 for cut in range(len(ping)))
    assert control_frame_end(Frame(Opcode.TEXT, b"abc").serialize(mask=False)) == 0


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """A server that says everything twice, with a ping between."""

    async def answer(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)
            pong = await connection.ping()
            await pong
            await connection.send(message)

    async with serve(answer, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def test_a_phone_hears_all_that_a_server_says_and_answers_its_pings() -> None:
    heard, is_all = list[bytes](), asyncio.Event()
    bodies = [bytes([97 + at]) * size for at, size in enumerate(SIZES)]

    def hear(message: bytes) -> None:
        heard.append(message)
        if len(heard) == 2 * len(bodies):
            is_all.set()

    async with echo() as port:
        phone = Phone(f"ws://127.0.0.1:{port}/", hear)
        await phone.open("127.0.0.1", port)
        phone.say_both(bodies[0], bodies[1])
        for number, body in enumerate(bodies[2:]):
            phone.say(body, binary=number % 2 == 0)
        async with asyncio.timeout(_PATIENCE_S):
            await is_all.wait()
        phone.drop()
    assert heard == [one for one in bodies for _ in range(2)]
    assert phone.received == len(heard)
