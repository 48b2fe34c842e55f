"""When Python looks for cycles of garbage, in processes that hold very many things for long.

Nearly everything is freed without, when its last user lets go of it. A look at all things takes a
tenth of a second in a big zone, and with the usual thresholds one of a hundred ticks waited for it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# New things that outlive their makers until the young are looked at, then how many such looks
# until one at the older ones, and how many of those until one at all.
_THRESHOLDS: Final = (200_000, 50, 100)


def collect_seldom() -> None:
    """Look for cycles seldom from now on."""
    gc.set_threshold(*_THRESHOLDS)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for cycles seldom meanwhile."""
    before = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
