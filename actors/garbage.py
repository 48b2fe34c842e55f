"""When Python looks for cycles of garbage, in processes that hold very many things for long.

Nearly everything is freed without, when its last user lets go of it. A look at all things takes a
tenth of a second in a big zone, and with the usual thresholds one of a hundred ticks waited for it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# New things that outlive their makers until the young are looked at, until the older ones are, and
# how many looks at those until one at all.
_YOUNG: Final = 200_000
YOUNG_OF_SOCKETS: Final = 20_000
_OLDER: Final = 10_000_000
_LOOKS_UNTIL_ALL: Final = 100


def collect_seldom(*, young: int = _YOUNG) -> None:
    """Look for cycles seldom from now on: at the new things whenever there are so many.

    A look at 200,000 takes a tenth of a second. That is seldom where most are gone before; where
    thousands of sockets come at once, they are more quickly looked at a few at a time.
    """
    gc.set_threshold(young, _OLDER // young, _LOOKS_UNTIL_ALL)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for cycles seldom meanwhile."""
    before = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
