"""A list as it is declared, once: its order, its filters, and a page of rows that are at hand."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import Struct

from engine.kernel.filters import Column, Condition, Kind, Operator
from engine.kernel.pages import Key, Page, Wanted, slice_of

T = TypeVar("T")
ID = Column(name="id", kind=Kind.ID)


class Listing(Struct, frozen=True, kw_only=True, cache_hash=True):
    """A list's filters, and what it may be sorted by: the first column is what it is if not asked.

    Each order is carried by an index, together with `tie`, by which rows stand that are alike in
    it; None where no two are. A column in `orders` need not be one of `filters`.
    """

    name: str
    orders: tuple[Column, ...]
    filters: tuple[Column, ...] = ()
    tie: Column | None = ID
    descending: bool = True

    def column(self, name: str) -> Column:
        """One of its columns; "" is the first order."""
        known = {one.name: one for one in (*self.orders, *self.filters)}
        return known[name] if name else self.orders[0]

    def standing(self, by: str = "") -> tuple[Column, ...]:
        """The columns that say where a row stands in the order of one of them."""
        first = self.column(by)
        return (first,) if self.tie in {None, first} else (first, self.tie)

    def key(self, by: str = "") -> Callable[[Any], Key]:
        """Where a row stands."""
        reads = [one.value_of for one in self.standing(by)]
        return lambda row: tuple(read(row) for read in reads)

    def page(self, rows: Iterable[T], wanted: Wanted) -> Page[T]:
        """What a store must answer, of rows that are at hand as a whole."""
        only = [(self.column(one.column).value_of, one) for one in wanted.only]
        kept = (row for row in rows if all(one.holds(read(row)) for read, one in only))
        return slice_of(kept, self.key(wanted.by), wanted)


def one_of(column: str, *values: str) -> Condition:
    """That a column holds one of these; of one value, as it is asked for, that it is this."""
    return Condition(column, Operator.IS, values[0] if len(values) == 1 else values)
