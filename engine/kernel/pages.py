"""Pages of a list in a fixed order: where one begins, and whether there is more on either side."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from engine.kernel.filters import Condition
from engine.kernel.timing import Instant

T = TypeVar("T")
Key = tuple[int | str, ...]
# Every instant that we can tell lies between them, and every id between these.
FIRST_INSTANT: Instant = 0
LAST_INSTANT: Instant = 253_402_300_799_999
FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Wanted(Struct, frozen=True, kw_only=True):
    """At most `limit` rows beyond the row with a key, or from an end of the list.

    `descending` is the order of the list, `by` the column that it is in ("" as it is declared), and
    all of `only` hold of its rows; backwards, the rows wanted are those before the key.
    """

    limit: int
    by: str = ""
    descending: bool = True
    only: tuple[Condition, ...] = ()
    beyond: Key | None = None
    backwards: bool = False

    @property
    def goes_down(self) -> bool:
        """Whether keys fall on the way away from `beyond`."""
        return self.descending != self.backwards


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """Rows in the order of the list, however they were reached."""

    rows: tuple[T, ...] = ()
    has_previous: bool = False
    has_next: bool = False


def page_of(found: Sequence[T], wanted: Wanted) -> Page[T]:
    """The page, from what was found on the way away from the key: one row more if there are."""
    has_more, rows = len(found) > wanted.limit, tuple(found[: wanted.limit])
    if wanted.backwards:
        return Page(rows=rows[::-1], has_previous=has_more, has_next=bool(rows))
    has_previous = wanted.beyond is not None and bool(rows)
    return Page(rows=rows, has_previous=has_previous, has_next=has_more)


def slice_of(rows: Iterable[T], key: Callable[[T], Key], wanted: Wanted) -> Page[T]:
    """The page of a list that is at hand as a whole."""
    beyond, down = wanted.beyond, wanted.goes_down
    found = [
        one for one in rows if beyond is None or (key(one) < beyond if down else key(one) > beyond)
    ]
    found.sort(key=key, reverse=down)
    return page_of(found[: wanted.limit + 1], wanted)
