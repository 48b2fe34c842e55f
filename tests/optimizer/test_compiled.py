"""What is compiled is compiled once, whatever whole numbers it is handed."""

import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher

from optimizer.arrays import Ints, Numbers
from optimizer.compiled import compiled, compiled_entry


@compiled
def _twice(number: int) -> int:
    return number + number


@compiled_entry
def _added(short: Numbers, long: Ints) -> int:
    return _twice(short[0]) + _twice(long[0]) + _twice(number=7)


def test_short_numbers_long_ones_and_known_ones_meet_the_same_form() -> None:
    largest = 2**31 - 1
    short, long = np.array([largest], dtype=np.int32), np.array([3])
    assert _added(short, long) == 2 * (largest + 3 + 7)
    assert isinstance(_twice, Dispatcher)
    for kind in (types.int32, types.int64, types.IntegerLiteral(7)):
        _twice.get_call_template((kind,), {})
    assert _twice.signatures == [(types.int64,)]
