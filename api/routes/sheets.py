"""Lists written into files meanwhile: asked for, watched, fetched."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response, StreamingResponse

from api.answer import Answer, PageAnswer
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link, sign_link
from api.list_queries import (
    ORDER_SEARCH_SHEET,
    ORDERS_SHEET,
    PAST_WORK_SHEET,
    PAYMENT_HISTORY_SHEET,
    PAYMENT_SEARCH_SHEET,
    PAYMENTS_SHEET,
    SHEETS,
)
from api.paging import Paging, listed
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from api.sheet_sources import source_of
from api.sheet_writing import SheetWriter, unpacked
from api.sheets import MEDIA_TYPE, named
from engine import sheets as rules
from engine.identity.access import Permission
from engine.kernel.ids import derived_id
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.sheets import AskedSheet, Sheet, SheetId, SheetKind, SheetStatus

router = APIRouter(prefix="/v1", tags=["sheets"])
PURPOSE: Final = "sheet links"
_SEEING: Final = (*WITH_TOKEN, *WITH_STORE, INVALID_REQUEST)


class SheetShown(Answer):
    """How far it is: `rows` are written, `percent` of the way; 0 to 99 until it is done.

    `file` is where it can be fetched until `expires_at`. `is_whole` is false of one that ends at
    200,000 rows: narrow it by filters. `problem` says why it failed.
    """

    sheet_id: str
    kind: SheetKind
    status: SheetStatus
    rows: int
    percent: int
    is_whole: bool
    asked_at: int
    ended_at: int | None
    expires_at: int | None
    problem: str
    file: str | None


class SheetsShown(PageAnswer):
    """A page of one's own, newest first."""

    sheets: list[SheetShown]


async def _writer(request: Request) -> SheetWriter:
    found: SheetWriter = request.app.state.sheets
    return found


WriterDep = Annotated[SheetWriter, Depends(_writer)]
Keeper = Annotated[Caller, granted(Permission.KEEP_SHEETS)]
_MADE: Final = answers(202, SheetShown, *_SEEING, KEY_REUSED, rules.TOO_MANY_SHEETS)


@router.post("/sheets/orders", status_code=202, responses=_MADE)
async def write_orders(
    caller: Annotated[Caller, granted(Permission.LIST_ORDERS)],
    key: Key,
    parts: PartsDep,
    writer: WriterDep,
    paging: Annotated[Paging, listed(ORDERS_SHEET)],
) -> Json:
    """Have your own orders written into a file, with the filters of the list."""
    return await _ask(SheetKind.ORDERS, caller, key, parts, writer=writer, paging=paging)


@router.post("/sheets/order-search", status_code=202, responses=_MADE)
async def write_found_orders(
    caller: Annotated[Caller, granted(Permission.SEARCH_ORDERS)],
    key: Key,
    parts: PartsDep,
    writer: WriterDep,
    paging: Annotated[Paging, listed(ORDER_SEARCH_SHEET)],
) -> Json:
    """Have written what the search finds in your zones."""
    return await _ask(SheetKind.ORDER_SEARCH, caller, key, parts, writer=writer, paging=paging)


@router.post("/sheets/past-work", status_code=202, responses=_MADE)
async def write_past_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)],
    key: Key,
    parts: PartsDep,
    writer: WriterDep,
    paging: Annotated[Paging, listed(PAST_WORK_SHEET)],
) -> Json:
    """Have written what you have carried."""
    return await _ask(SheetKind.PAST_WORK, caller, key, parts, writer=writer, paging=paging)


@router.post("/sheets/payments", status_code=202, responses=_MADE)
async def write_payments(
    caller: Annotated[Caller, granted(Permission.PAY)],
    key: Key,
    parts: PartsDep,
    writer: WriterDep,
    paging: Annotated[Paging, listed(PAYMENTS_SHEET)],
) -> Json:
    """Have your own payments and their refunds written."""
    return await _ask(SheetKind.PAYMENTS, caller, key, parts, writer=writer, paging=paging)


@router.post("/sheets/payment-search", status_code=202, responses=_MADE)
async def write_found_payments(
    caller: Annotated[Caller, granted(Permission.SEE_BOOKS)],
    key: Key,
    parts: PartsDep,
    writer: WriterDep,
    paging: Annotated[Paging, listed(PAYMENT_SEARCH_SHEET)],
) -> Json:
    """Have everybody's payments written, with the filters of the search."""
    return await _ask(SheetKind.PAYMENT_SEARCH, caller, key, parts, writer=writer, paging=paging)


@router.post("/sheets/payment-history", status_code=202, responses=_MADE)
async def write_payment_history(
    caller: Annotated[Caller, granted(Permission.PAY)],
    key: Key,
    parts: PartsDep,
    writer: WriterDep,
    paging: Annotated[Paging, listed(PAYMENT_HISTORY_SHEET)],
) -> Json:
    """Have written all that you paid and got back."""
    return await _ask(SheetKind.PAYMENT_HISTORY, caller, key, parts, writer=writer, paging=paging)


@router.get("/sheets", responses=answers(200, SheetsShown, *_SEEING))
async def list_sheets(
    caller: Keeper, parts: PartsDep, paging: Annotated[Paging, listed(SHEETS)]
) -> Json:
    """Yours of the last day, newest first."""
    page = await parts.sheets.list_of(caller.user_id, paging.wanted)
    return paging.answer(page, "sheets", [_shown(parts, one) for one in page.rows])


@router.get("/sheets/{sheet_id}", responses=answers(200, SheetShown, *_SEEING, rules.UNKNOWN_SHEET))
async def get_sheet(sheet_id: PathId, caller: Keeper, parts: PartsDep) -> Json:
    """How far it is; `Retry-After` says when to look again."""
    sheet = await _find(parts, sheet_id, caller)
    return Json(_shown(parts, sheet), headers={"retry-after": "1"} if sheet.is_open else {})


@router.post(
    "/sheets/{sheet_id}/cancel",
    responses=answers(200, SheetShown, *_SEEING, rules.UNKNOWN_SHEET, rules.SHEET_ENDED),
)
async def cancel_sheet(sheet_id: PathId, caller: Keeper, key: Key, parts: PartsDep) -> Json:
    """Have it written no further; the same again changes nothing."""
    del key
    while True:
        found = await _find(parts, sheet_id, caller)
        cancelled = rules.cancel(found, now=parts.wall.now())
        if isinstance(cancelled, Refusal):
            raise Refused(cancelled)
        if cancelled == found or await parts.sheets.save(cancelled):
            return Json(_shown(parts, cancelled))


@router.get(
    "/sheet-files/{token}",
    response_class=Response,
    responses={
        **answers(
            200,
            SheetShown,
            INVALID_REQUEST,
            *WITH_STORE,
            UNKNOWN_LINK,
            LINK_EXPIRED,
            rules.SHEET_GONE,
        ),
        200: {"description": "The sheet.", "content": {"text/csv": {}}},
    },
)
async def get_sheet_file(token: Annotated[str, Path(max_length=200)], parts: PartsDep) -> Response:
    """The file of a sheet; whoever has the address may fetch it until it expires."""
    read = read_link(token, key=_secret(parts), now=parts.wall.now())
    if isinstance(read, Refusal):
        raise Refused(read)
    sheet_id = SheetId(read[0])
    sheet, file = await parts.sheets.find(sheet_id), await parts.sheets.find_file(sheet_id)
    if sheet is None or file is None:
        raise Refused(rules.SHEET_GONE())
    name = source_of(sheet.asked.kind, parts, sheet.asked.by, sheet.asked.beside).name
    headers = {
        **named(name),
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(unpacked(file), media_type=MEDIA_TYPE, headers=headers)


async def _ask(
    kind: SheetKind,
    caller: Caller,
    key: str,
    parts: Parts,
    *,
    writer: SheetWriter,
    paging: Paging,
) -> Json:
    command_id = id_of_command(caller, f"POST /v1/sheets/{kind}", key)
    asked = AskedSheet(
        kind=kind,
        by=caller,
        at=parts.wall.now(),
        wanted=paging.wanted,
        beside=dict(paging.beside),
    )
    sheet = rules.ask(SheetId(derived_id("sheet", command_id)), asked)
    if await parts.sheets.begin(sheet):
        writer.wake()
        return Json(_shown(parts, sheet), 202)
    known = await parts.sheets.find(sheet.id)
    if known is None:
        raise Refused(rules.TOO_MANY_SHEETS())
    if not known.asked.is_same(asked):
        raise Refused(KEY_REUSED())
    return Json(_shown(parts, known), 202)


async def _find(parts: Parts, sheet_id: str, caller: Caller) -> Sheet:
    found = await parts.sheets.find(SheetId(sheet_id))
    if found is None or found.user_id != caller.user_id:
        raise Refused(rules.UNKNOWN_SHEET())
    return found


def _secret(parts: Parts) -> bytes:
    return parts.keys.keys.secret(PURPOSE)


def _shown(parts: Parts, sheet: Sheet) -> dict[str, Any]:
    file = None
    if sheet.status is SheetStatus.DONE and sheet.expires_at is not None:
        token = sign_link(sheet.id, 0, sheet.expires_at, key=_secret(parts))
        file = f"/v1/sheet-files/{token}"
    return {
        "sheet_id": sheet.id,
        "kind": sheet.asked.kind,
        "status": sheet.status,
        "rows": sheet.rows,
        "percent": sheet.percent,
        "is_whole": sheet.is_whole,
        "asked_at": sheet.asked.at,
        "ended_at": sheet.ended_at,
        "expires_at": sheet.expires_at,
        "problem": sheet.problem,
        "file": file,
    }
