"""Orders of a list as CSV over HTTP, page after page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.csv_rows import BEGINNING, written
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.order_answers import CardsShown
from api.refusals import INVALID_REQUEST
from engine.kernel.listing import Listing
from engine.kernel.pages import Page, Wanted
from engine.orders.order import Order
from engine.orders.sheet import row_of

ROWS_MAX: Final = 10_000
_AT_ONCE: Final = 200
SHEET: Final[dict[int | str, dict[str, Any]]] = {
    **answers(200, CardsShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
    200: {
        "description": "A row for each order, newest first; at most 10,000.",
        "content": {"text/csv": {}},
    },
}


async def order_sheet(
    read: Callable[[Wanted], Awaitable[Page[Order]]],
    wanted: Wanted,
    *,
    listing: Listing,
    headings: Sequence[str],
    is_meant: Callable[[Order], bool] = lambda _: True,
) -> Response:
    """The orders of the pages of a list that are meant, with these columns of a sheet."""
    wanted = replace(wanted, limit=_AT_ONCE)
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await read(wanted)

    async def lines() -> AsyncIterator[str]:
        yield BEGINNING + written([headings])
        asked, page = wanted, first
        for _ in range(ROWS_MAX // _AT_ONCE):
            yield written(row_of(one, headings) for one in page.rows if is_meant(one))
            if not page.has_next:
                return
            asked = replace(asked, beyond=listing.key()(page.rows[-1]))
            page = await read(asked)

    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="orders.csv"'},
    )
