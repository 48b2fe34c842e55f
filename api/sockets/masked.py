"""Where a phone's messages lie in the bytes that were read (RFC 6455 section 5.2)."""

from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # Where it was not compiled.
    from websockets.utils import apply_mask

Payload = str | bytes

# A whole message in one frame, without extensions.
TEXT: Final = 0x81
BINARY: Final = 0x82
_PLAIN: Final = (TEXT, BINARY)
_MASKED: Final = 0x80
# What a frame has for its size when that takes two bytes more, or eight.
IN_TWO_BYTES: Final = 126
IN_EIGHT_BYTES: Final = 127
_KEY_BYTES: Final = 4
_LEAST_BYTES: Final = 6


def whole_messages(data: bytes, at: int, *, size_max: int) -> tuple[list[Payload], int]:
    """The messages of one frame each that follow each other from `at` on, and where they end.

    What comes then is cut off, is in parts, is a control frame, or is wrong. `size_max` is in
    bytes. The library takes eight times as long for each.
    """
    found, end = list[Payload](), len(data)
    while at + _LEAST_BYTES <= end:
        first, size, key_at = data[at], data[at + 1] - _MASKED, at + 2
        if first not in _PLAIN or size < 0 or size == IN_EIGHT_BYTES:
            break
        if size == IN_TWO_BYTES:
            size, key_at = data[key_at] << 8 | data[key_at + 1], key_at + 2
        body_at = key_at + _KEY_BYTES
        if (body_ends := body_at + size) > end or size > size_max:
            break
        body = apply_mask(data[body_at:body_ends], data[key_at:body_at])
        if first == TEXT:
            try:
                found.append(body.decode())
            except UnicodeDecodeError:
                break
        else:
            found.append(body)
        at = body_ends
    return found, at


def frame_end(data: bytes, at: int) -> int | None:
    """Where the frame ends that begins at `at`, perhaps beyond the data.

    None if not even its header is whole.
    """
    if len(data) < at + 2:
        return None
    size, key_at = data[at + 1] % _MASKED, at + 2
    if size >= IN_TWO_BYTES:
        sized_to = key_at + (2 if size == IN_TWO_BYTES else 8)
        if len(data) < sized_to:
            return None
        size, key_at = int.from_bytes(data[key_at:sized_to], "big"), sized_to
    return key_at + (_KEY_BYTES if data[at + 1] & _MASKED else 0) + size
