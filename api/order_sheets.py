"""Orders of a list as CSV."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.responses import Response

from api.sheets import sheet, sheet_answers
from engine.kernel.listing import Listing
from engine.kernel.pages import Page, Wanted
from engine.orders.order import Order
from engine.orders.sheet import row_of

SHEET: Final = sheet_answers("A row for each order, newest first; at most 10,000.")


async def order_sheet(
    read: Callable[[Wanted], Awaitable[Page[Order]]],
    wanted: Wanted,
    *,
    listing: Listing,
    headings: Sequence[str],
    is_meant: Callable[[Order], bool] = lambda _: True,
) -> Response:
    """The orders of the pages of a list that are meant, with these columns of a sheet."""
    return await sheet(
        read,
        wanted,
        listing=listing,
        headings=headings,
        rows_of=lambda one: [row_of(one, headings)] if is_meant(one) else [],
        name="orders",
    )
