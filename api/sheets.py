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
    pages = source.pages(replace(wanted, limit=_AT_ONCE))
    # The first page is read before anything is answered, so that a fault can still be told.
    first = await anext(pages)

    async def lines() -> AsyncIterator[str]:
        yield BEGINNING + written([source.headings])
        yield written(source.rows_in(first))
        for _ in range(ROWS_MAX // _AT_ONCE - 1):
            page = await anext(pages, None)
            if page is None:
                return
            yield written(source.rows_in(page))

    return StreamingResponse(lines(), media_type=MEDIA_TYPE, headers=named(source.name))


def named(name: str) -> dict[str, str]:
    """The header that has a sheet saved under a name."""
    return {"content-disposition": f'attachment; filename="{name}.csv"'}
