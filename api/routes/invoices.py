"""Invoices: an order's own, notes that correct them, and their files by signed address."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from actors.invoicing import Invoicing
from actors.loyalty import Loyalty
from actors.printing import Printing
from api.bodies import Body, PriceLineBody, Reason
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.invoice_views import PDF, invoices_shown, link_key
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link
from api.order_answers import InvoiceShown, InvoicesShown
from api.order_views import find_visible
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from engine.identity.access import Permission
from engine.invoices.invoice import (
    CREDIT_EXCEEDED,
    NOT_AN_INVOICE,
    UNKNOWN_INVOICE,
    InvoiceId,
    InvoiceKind,
)
from engine.invoices.submission import NOT_CLEARED
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.orders.messages import UNKNOWN_ORDER

router = APIRouter(prefix="/v1", tags=["invoices"])


class NoteBody(Body):
    """A correction of an invoice: what is credited, or charged in addition, and why."""

    kind: Literal["credit_note", "debit_note"]
    lines: Annotated[tuple[PriceLineBody, ...], Field(strict=False, min_length=1, max_length=50)]
    reason: Reason


@router.get(
    "/orders/{order_id}/invoices",
    responses=answers(200, InvoicesShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST),
)
async def list_invoices(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """The invoices and notes of an order; the first one is issued soon after the delivery."""
    order = await find_visible(parts, caller, order_id)
    found = await parts.invoices.list_of(order.id)
    return Json({"invoices": await invoices_shown(parts, found)})


@router.post(
    "/invoices/{invoice_id}/notes",
    status_code=201,
    responses=answers(
        201,
        InvoiceShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_INVOICE,
        CREDIT_EXCEEDED,
        NOT_AN_INVOICE,
        KEY_REUSED,
    ),
)
async def correct_invoice(
    invoice_id: PathId,
    body: NoteBody,
    *,
    key: Key,
    operator: Annotated[Caller, granted(Permission.CORRECT_INVOICES)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Correct an invoice by a credit or debit note, for an issued invoice never changes."""
    invoicing: Invoicing = request.app.state.invoicing
    note = await invoicing.correct(
        InvoiceId(invoice_id),
        InvoiceKind(body.kind),
        tuple(one.line() for one in body.lines),
        reason=body.reason,
        cause=id_of_command(operator, f"POST /v1/invoices/{invoice_id}/notes", key),
        by=operator,
    )
    if isinstance(note, Refusal):
        raise Refused(note)
    assert note.draft.order_id is not None, "only what is for an order is corrected so"
    await _take_points_back(request, parts, note.draft.order_id)
    (shown,) = await invoices_shown(parts, [note])
    return Json(shown, 201)


async def _take_points_back(request: Request, parts: Parts, order_id: OrderId) -> None:
    """An order that costs less gives fewer points; a repetition of the request finishes it."""
    order = await parts.store.find_order(order_id)
    assert order is not None, "what is invoiced was ordered"
    notes = await parts.invoices.list_of(order_id)
    credited = sum(
        one.payable_halalas for one in notes if one.draft.kind is InvoiceKind.CREDIT_NOTE
    )
    loyalty: Loyalty = request.app.state.loyalty
    await loyalty.take_back(order, credited)


@router.get(
    "/invoice-files/{token}",
    response_class=Response,
    responses={
        **answers(
            200, InvoiceShown, INVALID_REQUEST, *WITH_STORE, UNKNOWN_LINK, LINK_EXPIRED, NOT_CLEARED
        ),
        200: {
            "description": "The PDF or the XML, as the address says.",
            "content": {"application/pdf": {}, "application/xml": {}},
        },
    },
)
async def get_invoice_file(
    token: Annotated[str, Path(max_length=200)], parts: PartsDep, request: Request
) -> Response:
    """An invoice as a PDF or as XML; a PDF that is not printed yet is printed now."""
    read = read_link(token, key=link_key(parts), now=parts.clock.now())
    if isinstance(read, Refusal):
        raise Refused(read)
    invoice_id, side = read
    invoice = await parts.invoices.find(InvoiceId(invoice_id))
    if invoice is None:
        raise Refused(UNKNOWN_LINK())
    printing: Printing = request.app.state.printing
    handed_out = await printing.handed_out(invoice)
    if isinstance(handed_out, Refusal):
        raise Refused(handed_out)
    if side == PDF:
        return _file(await printing.pdf(handed_out), f"{invoice.number}.pdf", "application/pdf")
    return _file(handed_out.xml, f"{invoice.number}.xml", "application/xml")


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {
        "content-disposition": f'inline; filename="{name}"',
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)
