"""What goes from one process of ours to another, as bytes."""

import pickle
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from storage.store import Answer

_encode: Final = msgspec.msgpack.Encoder().encode
_decode_answers: Final = msgspec.msgpack.Decoder(list[Answer]).decode


def pack(thing: object) -> bytes:
    """Pickle it as Python does: Ray's own way asks a function in Python for every object in it."""
    return pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Any:  # noqa: ANN401 - whatever was packed
    """What another process of ours packed."""
    return pickle.loads(packed)  # noqa: S301 - Ray would do the same with it


def pack_answers(answers: Sequence[Answer]) -> bytes:
    """They hold what JSON can say, and to pickle them takes five times as long."""
    return _encode(answers)


def unpack_answers(packed: bytes) -> list[Answer]:
    """The answers that another process of ours packed."""
    return _decode_answers(packed)
