"""Messages over the server's own line: whatever their size, whenever they come."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from api.sockets.line import LINE, Line
from api.sockets.masked import Payload
from api.sockets.outgoing import Packed
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
        self._is_closed = False

    def get_extra_info(self, _: str) -> None:
        """It has no address."""

    def is_closing(self) -> bool:
        return self._is_closed

    def close(self) -> None:
        self._is_closed = True

    def pause_reading(self) -> None:
        """Nothing is read of itself."""

    def resume_reading(self) -> None:
        """Nothing is read of itself."""

    def write(self, data: bytes) -> None:
        self.written += data


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_message_is_spelled_as_the_library_spells_it(size: int, opcode: Opcode) -> None:
    line, message = Line.__new__(Line), b"x" * size
    line.disconnected = line.close_sent = False
    line.transport = kept = Kept()  # type: ignore[assignment]
    said = message if opcode is Opcode.TEXT else Packed(message)
    line.say(said)
    assert kept.written == (spelled := Frame(opcode, message).serialize(mask=False))
    line.say(said, b"more", said)
    more = Frame(Opcode.TEXT, b"more").serialize(mask=False)
    assert kept.written == spelled * 2 + more + spelled


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


async def heard_of(
    chunks: Sequence[bytes],
    *,
    before_it_is_let_in: bytes = b"",
    size_max: int = 100_000,
    by_asgi: bool = False,
) -> tuple[list[Payload], bytes]:
    """What a line passes on of these, as they are read one after another, and what it writes."""
    heard, transport, is_let_in = list[Payload](), Kept(), asyncio.Event()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        line: Line = scope["extensions"].pop(LINE)
        await receive()
        await send({"type": "websocket.accept", "headers": []})
        if not by_asgi:
            line.hear(heard.extend)
        is_let_in.set()
        while (message := await receive())["type"] != "websocket.disconnect":
            heard.append(message.get("text") or message["bytes"])

    config = Config(serve, ws_max_size=size_max, ws_ping_interval=None, log_config=None)
    config.load()
    line = Line(config, ServerState(), {})
    line.connection_made(transport)  # type: ignore[arg-type]
    client = ClientProtocol(parse_uri("ws://here/"))
    client.send_request(client.connect())
    line.data_received(b"".join(client.data_to_send()) + before_it_is_let_in)
    await is_let_in.wait()
    answered = len(transport.written)
    for chunk in chunks:
        line.data_received(chunk)
    line.connection_lost(None)
    await asyncio.gather(*line.tasks)
    assert not vars(line), "a name that the server's class has besides takes 1.2 KB a socket"
    return heard, transport.written[answered:]


KINDS = st.sampled_from([Opcode.TEXT, Opcode.BINARY])
SIZES = st.one_of(st.integers(1, 200), st.sampled_from([65_535, 65_536]))
# A message: its kind and size, in how many parts it comes, and whether pings come between them.
SAID = st.lists(st.tuples(KINDS, SIZES, st.integers(1, 3), st.booleans()), max_size=8)
PING = Frame(Opcode.PING, b"!").serialize(mask=True)


def spelled(kind: Opcode, body: bytes, parts: int, *, pings: bool) -> bytes:
    """A message as a phone sends it."""
    step = -(-len(body) // parts)
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    frames = [
        Frame(Opcode.CONT if at else kind, piece, fin=at == len(pieces) - 1).serialize(mask=True)
        for at, piece in enumerate(pieces)
    ]
    return b"".join(PING + one if pings else one for one in frames)


@given(SAID, st.data())
def test_all_is_heard_once_and_in_order_however_it_is_cut(
    said: list[tuple[Opcode, int, int, bool]], data: st.DataObject
) -> None:
    bodies = [bytes([97 + at]) * size for at, (_, size, _, _) in enumerate(said)]
    frames = [
        spelled(kind, body, parts, pings=pings)
        for body, (kind, _, parts, pings) in zip(bodies, said, strict=True)
    ]
    whole = b"".join(frames)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=12))
    if len(whole) < 500 and data.draw(st.booleans()):
        cuts = list(range(len(whole)))
    chunks = [whole[a:b] for a, b in pairwise(sorted({0, *cuts, len(whole)}))]
    heard, written = asyncio.run(heard_of(chunks))
    assert heard == [
        body.decode() if kind is Opcode.TEXT else body
        for body, (kind, *_) in zip(bodies, said, strict=True)
    ]
    assert written == Frame(Opcode.PONG, b"!").serialize(mask=False) * whole.count(PING)


async def test_who_speaks_before_he_is_let_in_is_heard_too() -> None:
    inner = b"\x81\x85" + bytes(4) + b"inner"
    header = bytes((0x82, 0x80 + len(inner))) + bytes(4)
    late = spelled(Opcode.TEXT, b"late", 1, pings=False)
    # What is left of the first looks like a message of its own.
    heard, _ = await heard_of([inner + late], before_it_is_let_in=header)
    assert heard == [inner, "late"]


async def test_after_a_goodbye_nothing_is_heard() -> None:
    plain = spelled(Opcode.TEXT, b"yes", 1, pings=False)
    heard, _ = await heard_of([plain + Frame(Opcode.CLOSE, b"").serialize(mask=True) + plain])
    assert heard == ["yes"]


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (Frame(Opcode.TEXT, b"not masked").serialize(mask=False), 1002),
        (b"\xc1" + Frame(Opcode.TEXT, b"zipped").serialize(mask=True)[1:], 1002),
        (Frame(Opcode.CONT, b"of nothing").serialize(mask=True), 1002),
        (Frame(Opcode.BINARY, b"x" * 1001).serialize(mask=True), 1009),
        (Frame(Opcode.BINARY, b"x" * 70_000).serialize(mask=True)[:20], 1009),
        (Frame(Opcode.TEXT, b"\xff").serialize(mask=True), 1007),
    ],
    ids=["unmasked", "extended", "no beginning", "large", "larger, not all here", "no text"],
)
async def test_after_what_is_wrong_nothing_is_heard(odd: bytes, code: int) -> None:
    plain = spelled(Opcode.TEXT, b"yes", 1, pings=False)
    heard, written = await heard_of([plain + odd + plain, plain], size_max=1000)
    assert heard == ["yes"]
    assert written[2:4] == code.to_bytes(2, "big")


async def test_a_new_message_within_another_is_wrong() -> None:
    begun = Frame(Opcode.TEXT, b"be", fin=False).serialize(mask=True)
    plain = spelled(Opcode.TEXT, b"yes", 1, pings=False)
    heard, written = await heard_of([begun + plain])
    assert heard == []
    assert written[2:4] == (1002).to_bytes(2, "big")


async def test_who_does_not_hear_is_told_as_asgi_has_it() -> None:
    frames = [spelled(Opcode.TEXT, body, 1, pings=True) for body in (b"one", b"two")]
    heard, _ = await heard_of(frames, by_asgi=True)
    assert heard == ["one", "two"]
