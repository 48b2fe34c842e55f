"""What must hold of every list in a store: its pages are those that its declaration promises."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import pairwise
from operator import eq, ge, gt, le, lt
from typing import Any, TypeVar

from msgspec.structs import replace

from engine.kernel.filters import Column, Condition, Kind, Operator
from engine.kernel.listing import Listing
from engine.kernel.pages import Page, Wanted

T = TypeVar("T")
Ask = Callable[[Wanted], Awaitable[Page[T]]]
_COMPARED = {
    Operator.IS: eq,
    Operator.GT: gt,
    Operator.GTE: ge,
    Operator.LT: lt,
    Operator.LTE: le,
}


async def keeps_its_word(listing: Listing, rows: Sequence[T], ask: Ask[T]) -> None:
    """In every order, by every filter, there and back, no row twice and none missed."""
    every = tuple(conditions(listing, rows))
    for only in ((), *((one,) for one in every), every):
        for order in listing.orders:
            for descending in (False, True):
                wanted = Wanted(limit=2, by=order.name, descending=descending, only=only)
                expected = expected_of(listing, rows, wanted)
                assert await walked(listing, wanted, ask) == expected, wanted


async def walked(listing: Listing, wanted: Wanted, ask: Ask[T]) -> list[T]:
    """All pages to the end; on the way back they are the same."""
    key = listing.key(wanted.by)
    pages = [await ask(wanted)]
    assert not pages[0].has_previous
    while pages[-1].has_next:
        pages.append(await ask(replace(wanted, beyond=key(pages[-1].rows[-1]))))
        assert pages[-1].rows, "a page that was promised has rows"
    for before, after in pairwise(pages):
        back = await ask(replace(wanted, backwards=True, beyond=key(after.rows[0])))
        assert (back.rows, back.has_next) == (before.rows, True)
        assert back.has_previous == (before is not pages[0])
    return [row for one in pages for row in one.rows]


def expected_of(listing: Listing, rows: Sequence[T], wanted: Wanted) -> list[T]:
    """By reading everything."""
    kept = [row for row in rows if all(_is_meant(listing, one, row) for one in wanted.only)]
    return sorted(kept, key=listing.key(wanted.by), reverse=wanted.descending)


def conditions(listing: Listing, rows: Sequence[Any]) -> Iterator[Condition]:
    """Every operator of every filter, with values that some rows have."""
    for column in listing.filters:
        values = sorted({_plain(column, row) for row in rows})
        for operator in column.operators:
            yield Condition(column.name, operator, values[len(values) // 2])
        if column.kind is Kind.CHOICE and not column.is_single:
            yield Condition(column.name, Operator.IS, tuple(sorted((values[0], values[-1]))))


def _is_meant(listing: Listing, condition: Condition, row: object) -> bool:
    found = _plain(listing.column(condition.column), row)
    if isinstance(condition.value, tuple):
        return found in condition.value
    return bool(_COMPARED[condition.operator](found, condition.value))


def _plain(column: Column, row: object) -> Any:
    found = column.value_of(row)
    return str(found.value) if column.kind is Kind.CHOICE else found
