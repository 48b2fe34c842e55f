"""Chance in compiled code: a stream of numbers from a seed (xorshift64*, Vigna 2016)."""

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled

Stream = NDArray[np.uint64]


def stream_of(seed: int) -> Stream:
    """The stream that belongs to a seed."""
    mixed = ((seed + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    return np.array([mixed or 1], dtype=np.uint64)


@compiled
def share(stream: Stream) -> float:
    """A number from 0 to less than 1."""
    x = stream[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    stream[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def below(stream: Stream, bound: int) -> int:
    """A whole number from 0 to less than the bound."""
    return int(share(stream) * bound)
