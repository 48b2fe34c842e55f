"""A page of a list from PostgreSQL: a named query that says whose rows, and the asked-for rest.

What is added to the query is made of names that a `Listing` declares; values are always parameters.
The query names each column of the list as the list does, and ends in its `where`. One that puts
several lists together says `limit all` behind the `where` of each, and once more at its end.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import asyncpg

from engine.kernel.filters import Column, Condition, Kind, Operator
from engine.kernel.listing import Listing
from engine.kernel.pages import Page, Wanted, page_of
from storage.database import Database
from storage.kinds import known
from storage.queries import Query

T = TypeVar("T")

_CAST: Final = {
    Kind.INSTANT: "instant({})",
    Kind.NUMBER: "{}::bigint",
    Kind.CHOICE: "{}::text",
    Kind.ID: "{}::uuid",
    Kind.TEXT: "{}::text",
}
_SIGN: Final = {
    Operator.IS: "=",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
}
# What a page takes the place of, where it is not at the end.
_NO_LIMIT: Final = "limit all"
_Shape = tuple[tuple[str, Operator, bool], ...]


async def page_in(
    database: Database,
    query: Query,
    listing: Listing,
    wanted: Wanted,
    read: Callable[[asyncpg.Record], T],
    **scope: object,
) -> Page[T]:
    """The page, among the rows that the query finds with the values of `scope`."""
    asked, values = statement(query, listing, wanted)
    return page_of([read(row) for row in await database.rows(asked, **scope, **values)], wanted)


def statement(query: Query, listing: Listing, wanted: Wanted) -> tuple[Query, dict[str, Any]]:
    """The query for a page, and the values of what was added to it."""
    shape = tuple((one.column, one.operator, isinstance(one.value, tuple)) for one in wanted.only)
    is_inside = wanted.beyond is not None
    asked = _made(query, listing, wanted.by, shape, down=wanted.goes_down, is_inside=is_inside)
    values = {f"only_{at}": _sent(listing, one) for at, one in enumerate(wanted.only)}
    values |= {f"beyond_{at}": one for at, one in enumerate(wanted.beyond or ())}
    # One more than asked for tells whether there is another page.
    return asked, {**values, "limit": wanted.limit + 1}


def _sent(listing: Listing, condition: Condition) -> object:
    is_id = listing.column(condition.column).kind is Kind.ID
    return known(str(condition.value)) if is_id else condition.value


@lru_cache(maxsize=512)
def _made(
    query: Query, listing: Listing, by: str, shape: _Shape, *, down: bool, is_inside: bool
) -> Query:
    """Made once for each form that is asked for, and so prepared once by each connection."""
    parameters = list(query.parameters)

    def taken(name: str, column: Column) -> str:
        parameters.append(name)
        return _CAST[column.kind].format(f"${len(parameters)}")

    begin, _, end = query.sql.rstrip().rstrip(";").partition(_NO_LIMIT)
    parts = [begin]
    for at, (name, operator, is_several) in enumerate(shape):
        value = taken(f"only_{at}", listing.column(name))
        value = f"any({value}[])" if is_several else value
        parts.append(f"and {name} {_SIGN[operator]} {value}")
    standing = listing.standing(by)
    if is_inside:
        values = [taken(f"beyond_{at}", one) for at, one in enumerate(standing)]
        parts.append(f"and ({_names(standing)}) {'<' if down else '>'} ({', '.join(values)})")
    way = "desc" if down else "asc"
    parameters.append("limit")
    names = ", ".join(f"{one.name} {way}" for one in standing)
    order = f"order by {names} limit ${len(parameters)}"
    parts += [order, end.replace(_NO_LIMIT, order)]
    return Query(query.name, "\n".join(parts), tuple(parameters))


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(one.name for one in columns)
