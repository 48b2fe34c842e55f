"""Long work in slices, between which whoever does it lets others be served."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def slices(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """At most `size` at once."""
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
