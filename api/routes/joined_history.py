"""All that a customer paid, got back and has with us, as one line; for those in charge, too."""

from typing import Annotated, Any, Final

from fastapi import APIRouter
from msgspec import to_builtins
from starlette.responses import Response

from api.answer import Answer, PageAnswer
from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.joined_histories import joined_history
from api.json_answer import Json
from api.list_queries import PAYMENT_HISTORY, PAYMENT_HISTORY_SHEET
from api.paging import Paging, listed
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.sheet_sources import history_of
from api.sheets import sheet, sheet_answers
from engine.identity.access import Permission
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller
from engine.money.accounts import Asset
from engine.payments.history import TEXTS, HistoryEntry, HistoryKind, Means

router = APIRouter(prefix="/v1", tags=["payments"])
_SHEET: Final = sheet_answers(
    "A row for each part of a transfer, newest first; at most 10,000 transfers."
)
Payer = Annotated[Caller, granted(Permission.PAY)]
Accountant = Annotated[Caller, granted(Permission.SEE_BOOKS)]
Pages = Annotated[Paging, listed(PAYMENT_HISTORY)]
Whole = Annotated[Paging, listed(PAYMENT_HISTORY_SHEET)]


class HistoryLineShown(Answer):
    """A part: above zero it came to you, below it left you, in halalas or points.

    `balance` is what was there afterwards; null of a gateway and of cash.
    """

    means: Means
    asset: Asset
    amount: int
    balance: int | None


class HistoryEntryShown(Answer):
    """A transfer, with its part on each account of yours, and what it belongs to."""

    transfer_id: str
    number: int
    at: int
    effective_at: int
    kind: HistoryKind
    text_ar: str
    text_en: str
    order_id: str | None
    payment_id: str | None
    refund_id: str | None
    lines: list[HistoryLineShown]


class HistoryShown(PageAnswer):
    """A page of it, newest first."""

    entries: list[HistoryEntryShown]


@router.get(
    "/payment-history",
    responses=answers(200, HistoryShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def get_payment_history(caller: Payer, parts: PartsDep, paging: Pages) -> Json:
    """What you paid and got back, by card, cash, wallet and gift credit, and your points."""
    return await _page(parts, caller.user_id, paging)


@router.get("/payment-history.csv", response_class=Response, responses=_SHEET)
async def export_payment_history(caller: Payer, parts: PartsDep, paging: Whole) -> Response:
    """The same as CSV, with the filters of the list."""
    return await sheet(history_of(parts, caller.user_id), paging.wanted)


@router.get(
    "/customers/{customer_id}/payment-history",
    responses=answers(200, HistoryShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def get_customer_payment_history(
    customer_id: PathId, _: Accountant, parts: PartsDep, paging: Pages
) -> Json:
    """A customer's, for those who keep the books; empty of one who never paid anything."""
    return await _page(parts, UserId(customer_id), paging)


@router.get(
    "/customers/{customer_id}/payment-history.csv",
    response_class=Response,
    responses=_SHEET,
)
async def export_customer_payment_history(
    customer_id: PathId, _: Accountant, parts: PartsDep, paging: Whole
) -> Response:
    """The same as CSV."""
    return await sheet(history_of(parts, UserId(customer_id)), paging.wanted)


async def _page(parts: Parts, customer_id: UserId, paging: Paging) -> Json:
    page = await joined_history(parts, customer_id, paging.wanted)
    return paging.answer(page, "entries", [_shown(one) for one in page.rows])


def _shown(entry: HistoryEntry) -> dict[str, Any]:
    text_ar, text_en = TEXTS[entry.kind]
    return {**to_builtins(entry), "text_ar": text_ar, "text_en": text_en}
