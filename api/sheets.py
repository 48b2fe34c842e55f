"""Rows of a list as CSV over HTTP, page after page."""

from collections.abc import AsyncIterator
from typing import Any, Final

from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.answer import Answer
from api.csv_rows import BEGINNING, written
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.refusals import INVALID_REQUEST
from api.sheet_sources import SheetSource
from engine.kernel.pages import Wanted

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
ROWS_MAX: Final = 10_000
_AT_ONCE: Final = 200


def sheet_answers(what: str) -> dict[int | str, dict[str, Any]]:
    """How a sheet is described."""
    return {
        **answers(200, Answer, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
        200: {"description": what, "content": {"text/csv": {}}},
    }


SHEET_OF_ORDERS: Final = sheet_answers("A row for each order, newest first; at most 10,000.")


async def sheet(source: SheetSource, wanted: Wanted) -> Response:
    """What the pages of a list hold, at most `ROWS_MAX` of it, under its headings."""
    wanted = replace(wanted, limit=_AT_ONCE)
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await source.read(wanted)

    async def lines() -> AsyncIterator[str]:
        yield BEGINNING + written([source.headings])
        asked, page = wanted, first
        for _ in range(ROWS_MAX // _AT_ONCE):
            yield written(row for one in page.rows for row in source.rows_of(one))
            if not page.has_next:
                return
            asked = replace(asked, beyond=source.listing.key(asked.by)(page.rows[-1]))
            page = await source.read(asked)

    return StreamingResponse(lines(), media_type=MEDIA_TYPE, headers=named(source.name))


def named(name: str) -> dict[str, str]:
    """The header that has a sheet saved under a name."""
    return {"content-disposition": f'attachment; filename="{name}.csv"'}
