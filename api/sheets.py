"""Rows of a list as CSV over HTTP, page after page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.answer import Answer
from api.csv_rows import BEGINNING, written
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.refusals import INVALID_REQUEST
from engine.kernel.listing import Listing
from engine.kernel.pages import Page, Wanted

T = TypeVar("T")
ROWS_MAX: Final = 10_000
_AT_ONCE: Final = 200


def sheet_answers(what: str) -> dict[int | str, dict[str, Any]]:
    """How a sheet is described."""
    return {
        **answers(200, Answer, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
        200: {"description": what, "content": {"text/csv": {}}},
    }


async def sheet(
    read: Callable[[Wanted], Awaitable[Page[T]]],
    wanted: Wanted,
    *,
    listing: Listing,
    headings: Sequence[str],
    rows_of: Callable[[T], Iterable[Sequence[str]]],
    name: str,
) -> Response:
    """What the pages of a list hold, at most `ROWS_MAX` of it, under these headings."""
    wanted = replace(wanted, limit=_AT_ONCE)
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await read(wanted)

    async def lines() -> AsyncIterator[str]:
        yield BEGINNING + written([headings])
        asked, page = wanted, first
        for _ in range(ROWS_MAX // _AT_ONCE):
            yield written(row for one in page.rows for row in rows_of(one))
            if not page.has_next:
                return
            asked = replace(asked, beyond=listing.key()(page.rows[-1]))
            page = await read(asked)

    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )
