"""What goes from one process of ours to another, as bytes."""

import pickle
from typing import Any


def pack(thing: object) -> bytes:
    """Pickle it as Python does: Ray's own way asks a function in Python for every object in it."""
    return pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Any:  # noqa: ANN401 - whatever was packed
    """What another process of ours packed."""
    return pickle.loads(packed)  # noqa: S301 - Ray would do the same with it
