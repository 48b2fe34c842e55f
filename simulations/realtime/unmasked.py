"""WebSocket frames as a phone that costs little writes and reads them (RFC 6455 section 5.2)."""

from struct import pack
from typing import Final

TEXT: Final = 0x81
BINARY: Final = 0x82
_PLAIN: Final = (TEXT, BINARY)
_MASKED: Final = 0x80
_IN_TWO_BYTES: Final = 126
_IN_EIGHT_BYTES: Final = 127
_MANY: Final = 1 << 16
# Masking is for what stands between a browser and a server: a key of zeros leaves all as it is.
_KEY: Final = bytes(4)
_HEADER_BYTES: Final = 2


def spelled(message: bytes, first: int) -> bytes:
    """A message in one frame, as a phone sends it."""
    size = len(message)
    if size < _IN_TWO_BYTES:
        header = bytes((first, _MASKED | size))
    elif size < _MANY:
        header = pack(">BBH", first, _MASKED | _IN_TWO_BYTES, size)
    else:
        header = pack(">BBQ", first, _MASKED | _IN_EIGHT_BYTES, size)
    return header + _KEY + message


def whole_messages(data: bytes) -> tuple[list[bytes], int]:
    """The server's messages of one frame each at the beginning of `data`, and where they end."""
    found, at, end = list[bytes](), 0, len(data)
    while at + _HEADER_BYTES <= end and data[at] in _PLAIN:
        size, body_at = data[at + 1], at + 2
        if size == _IN_TWO_BYTES:
            size, body_at = int.from_bytes(data[body_at : body_at + 2], "big"), body_at + 2
        elif size == _IN_EIGHT_BYTES:
            size, body_at = int.from_bytes(data[body_at : body_at + 8], "big"), body_at + 8
        if (body_ends := body_at + size) > end:
            break
        found.append(data[body_at:body_ends])
        at = body_ends
    return found, at


def control_frame_end(rest: bytes) -> int:
    """Where the control frame ends that `rest` begins with; 0 if it is none, or cut off."""
    if len(rest) < _HEADER_BYTES or rest[0] in _PLAIN:
        return 0
    end = _HEADER_BYTES + rest[1]
    return end if end <= len(rest) else 0
