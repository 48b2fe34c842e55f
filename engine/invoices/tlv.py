"""The content of an invoice's QR code: tagged values, as ZATCA defines them.

Security Features Implementation Standards 1.2, section 4: a tag and a length of one byte each, the
length in bytes of UTF-8, and the whole in Base64.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Final

VALUE_BYTES_MAX: Final = 255


def encode(values: Iterable[bytes]) -> str:
    """The values under the tags 1, 2 and so on; each must be 255 bytes at most."""
    whole = bytearray()
    for tag, value in enumerate(values, start=1):
        assert len(value) <= VALUE_BYTES_MAX, f"tag {tag} has {len(value)} bytes"
        whole += bytes((tag, len(value))) + value
    return base64.b64encode(whole).decode()


def decode(text: str) -> dict[int, bytes]:
    """The values by their tags; raises ValueError for what `encode` cannot have written."""
    return dict(_fields(base64.b64decode(text, validate=True)))


def fitting(text: str) -> bytes:
    """As many whole letters of a text as a value has room for."""
    return text.encode()[:VALUE_BYTES_MAX].decode(errors="ignore").encode()


def _fields(whole: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(whole):
        if at + 2 > len(whole) or at + 2 + whole[at + 1] > len(whole):
            raise ValueError("the last value is cut off")
        length = whole[at + 1]
        yield whole[at], whole[at + 2 : at + 2 + length]
        at += 2 + length
