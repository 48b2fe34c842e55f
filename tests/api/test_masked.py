"""A phone's messages in the bytes that were read: found as the library finds them."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from api.sockets.masked import Payload, frame_end, whole_messages

SIZE_MAX = 100_000
# Around every size from which on a header is longer, and the largest that may come.
SIZES = st.one_of(
    st.integers(0, 200), st.sampled_from([65_534, 65_535, 65_536, SIZE_MAX, SIZE_MAX + 1])
)
KINDS = st.sampled_from([Opcode.TEXT, Opcode.BINARY])
MESSAGES = st.lists(st.tuples(KINDS, SIZES), max_size=6)


def spelled(kind: Opcode, body: bytes, *, fin: bool = True) -> bytes:
    return Frame(kind, body, fin=fin).serialize(mask=True)


def meant(kind: Opcode, body: bytes) -> Payload:
    return body.decode() if kind is Opcode.TEXT else body


@given(MESSAGES, st.data())
def test_every_whole_message_is_found_in_order_and_no_more(
    messages: list[tuple[Opcode, int]], data: st.DataObject
) -> None:
    bodies = [(kind, bytes([97 + at]) * size) for at, (kind, size) in enumerate(messages)]
    frames = [spelled(*one) for one in bodies]
    whole = b"".join(frames)
    cut = data.draw(st.integers(0, len(whole)))
    expected, end = [], 0
    for (kind, body), frame in zip(bodies, frames, strict=True):
        # Above 65,535 bytes the library reads it, which says no where it is too large.
        if end + len(frame) > cut or len(body) > 65_535:
            break
        expected.append(meant(kind, body))
        end += len(frame)
    assert whole_messages(whole[:cut], 0, size_max=SIZE_MAX) == (expected, end)


@given(KINDS, SIZES, st.booleans(), st.integers(0, 20))
def test_the_end_of_a_frame_is_known_as_soon_as_its_header_is_whole(
    kind: Opcode, size: int, is_masked: bool, more: int
) -> None:
    frame = Frame(kind, b"x" * size).serialize(mask=is_masked)
    header = len(frame) - size - (4 if is_masked else 0)
    assert all(frame_end(b"??" + frame[:some], 2) is None for some in range(header))
    for some in (header, len(frame)):
        assert frame_end(b"??" + frame[:some] + b"?" * more * (some == len(frame)), 2) == (
            2 + len(frame)
        )


def test_what_is_no_whole_plain_message_is_left() -> None:
    plain = spelled(Opcode.TEXT, b"yes")
    for odd in (
        spelled(Opcode.PING, b"p"),
        spelled(Opcode.CLOSE, b"\x03\xe8"),
        spelled(Opcode.TEXT, b"par", fin=False),
        spelled(Opcode.CONT, b"t"),
        Frame(Opcode.TEXT, b"bare").serialize(mask=False),
        b"\xc1" + spelled(Opcode.TEXT, b"zipped")[1:],
        spelled(Opcode.TEXT, b"\xff"),
        spelled(Opcode.BINARY, b"x" * 11),
    ):
        assert whole_messages(plain + odd + plain, 0, size_max=10) == (["yes"], len(plain))
