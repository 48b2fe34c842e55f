"""Invoices: an order's own, notes that correct them, and their files by signed address."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from actors.invoicing import Invoicing
from api.bodies import Body, PriceLineBody, Reason
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link, sign_link
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
    Invoice,
    InvoiceId,
    InvoiceKind,
)
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.kernel.timing import HOUR_MS
from engine.orders.messages import UNKNOWN_ORDER

router = APIRouter(prefix="/v1", tags=["invoices"])
PURPOSE: Final = "invoice links"
_PDF, _XML = 0, 1


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
    return Json({"invoices": [_shown(parts, one) for one in found]})


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
    return Json(_shown(parts, note), 201)


@router.get(
    "/invoice-files/{token}",
    response_class=Response,
    responses={
        **answers(200, InvoiceShown, INVALID_REQUEST, *WITH_STORE, UNKNOWN_LINK, LINK_EXPIRED),
        200: {
            "description": "The PDF or the XML, as the address says.",
            "content": {"application/pdf": {}, "application/xml": {}},
        },
    },
)
async def get_invoice_file(
    token: Annotated[str, Path(max_length=200)], parts: PartsDep, request: Request
) -> Response:
    """An invoice as a PDF or as XML."""
    read = read_link(token, key=_key(parts), now=parts.clock.now())
    if isinstance(read, Refusal):
        raise Refused(read)
    invoice_id, side = read
    invoice = await parts.invoices.find(InvoiceId(invoice_id))
    if invoice is None:
        raise Refused(UNKNOWN_LINK())
    invoicing: Invoicing = request.app.state.invoicing
    if side == _PDF:
        return _file(await invoicing.print(invoice), f"{invoice.number}.pdf", "application/pdf")
    return _file(invoice.xml, f"{invoice.number}.xml", "application/xml")


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {
        "content-disposition": f'inline; filename="{name}"',
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)


def _shown(parts: Parts, one: Invoice) -> dict[str, Any]:
    expires_at = parts.clock.now() + parts.settings.invoices.link_hours * HOUR_MS

    def link(side: int) -> str:
        return f"/v1/invoice-files/{sign_link(one.id, side, expires_at, key=_key(parts))}"

    return {
        "invoice_id": one.id,
        "order_id": one.draft.order_id,
        "number": one.number,
        "kind": one.draft.kind.value,
        "original_id": one.draft.original_id,
        "reason": one.draft.reason,
        "issued_at": one.draft.issued_at,
        "net_halalas": one.net_halalas,
        "vat_halalas": one.vat_halalas,
        "rounding_halalas": one.rounding_halalas,
        "payable_halalas": one.payable_halalas,
        "qr": one.qr,
        "pdf": link(_PDF),
        "xml": link(_XML),
        "links_expire_at": expires_at,
    }


def _key(parts: Parts) -> bytes:
    return parts.keys.keys.secret(PURPOSE)
