"""Arrays of integers, and the numbers that stand for never and impossible."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.int32]

NEVER = 2**40
INFEASIBLE = 2**50


def or_never(limit: int | None) -> int:
    """The limit, or never where there is none."""
    return NEVER if limit is None else limit


def ints(values: Sequence[int]) -> Ints:
    """The values as an array, also when there are none."""
    return np.array(values, dtype=np.int64)
