"""What was paid and given back: a customer's own as a sheet, everybody's for those in charge."""

from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.answer import PageAnswer
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import PAYMENT_SEARCH, PAYMENT_SEARCH_SHEET, PAYMENTS_SHEET
from api.paging import Paging, listed
from api.payment_answers import PaymentShown, shown
from api.refusals import INVALID_REQUEST
from api.sheet_sources import source_of
from api.sheets import sheet, sheet_answers
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.payments.payment import Payment
from engine.sheets import SheetKind

router = APIRouter(prefix="/v1", tags=["payments"])
_SHEET: Final = sheet_answers(
    "A row for each payment, newest first, and one for each refund of it; at most 10,000 payments."
)


class PaymentFound(PaymentShown):
    """A payment, whose it is, and the gateway's name of it."""

    customer_id: str
    reference: str


class PaymentsFound(PageAnswer):
    """A page of payments."""

    payments: list[PaymentFound]


@router.get("/payments.csv", response_class=Response, responses=_SHEET)
async def export_payments(
    caller: Annotated[Caller, granted(Permission.PAY)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAYMENTS_SHEET)],
) -> Response:
    """The caller's own as CSV, with the filters of the list."""
    return await sheet(source_of(SheetKind.PAYMENTS, parts, caller, paging.beside), paging.wanted)


@router.get(
    "/payment-search",
    responses=answers(200, PaymentsFound, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def search_payments(
    _: Annotated[Caller, granted(Permission.SEE_BOOKS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAYMENT_SEARCH)],
) -> Json:
    """Everybody's: by customer, order, gateway, its reference, status and time, newest first."""
    page = await parts.payments.list_all(paging.wanted)
    return paging.answer(page, "payments", [_found(one) for one in page.rows])


@router.get("/payment-search.csv", response_class=Response, responses=_SHEET)
async def export_found_payments(
    caller: Annotated[Caller, granted(Permission.SEE_BOOKS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAYMENT_SEARCH_SHEET)],
) -> Response:
    """What the search finds, as CSV; more of it by `hadiyati export-payments`."""
    source = source_of(SheetKind.PAYMENT_SEARCH, parts, caller, paging.beside)
    return await sheet(source, paging.wanted)


def _found(payment: Payment) -> dict[str, Any]:
    return {
        **shown(payment),
        "customer_id": payment.customer_id,
        "reference": payment.reference,
    }
