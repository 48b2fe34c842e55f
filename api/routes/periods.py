"""The books of a month: trial balance, VAT return, and closing it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from msgspec import to_builtins
from pydantic import BaseModel
from starlette.responses import Response

from api.csv_rows import BEGINNING, written
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.audit.record import Action, acted
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.money.period_sheets import trial_balance_rows, vat_return_rows
from engine.money.periods import (
    BAD_PERIOD,
    PERIOD_NOT_OVER,
    PERIOD_OUT_OF_ORDER,
    Closing,
    Period,
    Turnover,
    before,
    closable,
    period_of,
    span,
    vat_return,
)

router = APIRouter(prefix="/v1/periods/{period}", tags=["money"])
Name = Annotated[str, Path(max_length=7, description="A month, as in 2026-11.")]
Reader = Annotated[Caller, granted(Permission.SEE_BOOKS)]
_SEEING = (*WITH_TOKEN, *WITH_STORE, INVALID_REQUEST, BAD_PERIOD)


class ClosingShown(BaseModel):
    """Where the ledger ended when the period was closed."""

    period: str
    number: int
    hash: str
    closed_at: int
    closed_by: str


class TurnoverShown(BaseModel):
    """What was debited and credited to all accounts of a kind."""

    kind: str
    asset: str
    debits: int
    credits: int


class TrialBalanceShown(BaseModel):
    """What was posted in a month; in each asset debits and credits are the same."""

    period: str
    since: int
    until: int
    closing: ClosingShown | None
    turnovers: list[TurnoverShown]


class VatReturnShown(BaseModel):
    """What is to be declared for a month, and what of it the ledger knows."""

    period: str
    closing: ClosingShown | None
    documents: list[dict[str, Any]]
    sales_net_halalas: int
    output_vat_halalas: int
    ledger_vat_halalas: int
    difference_halalas: int
    input_vat_halalas: int
    payable_halalas: int


_SHEET: Final[dict[int | str, dict[str, Any]]] = {
    **answers(200, TurnoverShown, *_SEEING),
    200: {"description": "A row for each sum of the month.", "content": {"text/csv": {}}},
}


@router.get("/trial-balance.csv", response_class=Response, responses=_SHEET)
async def export_trial_balance(period: Name, _: Reader, parts: PartsDep) -> Response:
    """The trial balance of a month as CSV: a row for each kind of account and asset."""
    month = _month(period)
    turnovers = (await _turnovers(parts, month))[1]
    return _sheet(f"trial-balance-{month.name}", trial_balance_rows(month, turnovers))


@router.get("/vat-return.csv", response_class=Response, responses=_SHEET)
async def export_vat_return(period: Name, _: Reader, parts: PartsDep) -> Response:
    """The VAT return of a month as CSV: the documents by kind, and what is to be declared."""
    month = _month(period)
    turnovers = (await _turnovers(parts, month))[1]
    rows = vat_return_rows(month, turnovers, await parts.periods.vat_sums(month))
    return _sheet(f"vat-return-{month.name}", rows)


@router.get("/trial-balance", responses=answers(200, TrialBalanceShown, *_SEEING))
async def get_trial_balance(period: Name, _: Reader, parts: PartsDep) -> Json:
    """Debits and credits of a month, by kind of account; final when it is closed."""
    month = _month(period)
    closing, turnovers = await _turnovers(parts, month)
    return Json(
        {
            "period": month.name,
            "since": month.since,
            "until": month.until,
            "closing": to_builtins(closing),
            "turnovers": to_builtins(turnovers),
        }
    )


@router.get("/vat-return", responses=answers(200, VatReturnShown, *_SEEING))
async def get_vat_return(period: Name, _: Reader, parts: PartsDep) -> Json:
    """VAT of a month: from the documents that were issued, held against the ledger."""
    month = _month(period)
    closing, turnovers = await _turnovers(parts, month)
    documents = await parts.periods.vat_sums(month)
    made = vat_return(turnovers, documents)
    return Json(
        {
            "period": month.name,
            "closing": to_builtins(closing),
            "documents": to_builtins(documents),
            **to_builtins(made),
            "difference_halalas": made.difference_halalas,
            "payable_halalas": made.payable_halalas,
        }
    )


@router.post(
    "/close",
    responses=answers(200, ClosingShown, *_SEEING, PERIOD_NOT_OVER, PERIOD_OUT_OF_ORDER),
)
async def close_period(
    period: Name, closer: Annotated[Caller, granted(Permission.CLOSE_BOOKS)], parts: PartsDep
) -> Json:
    """Close a month that is over, once: what is entered for it later counts for the next one."""
    month, now = _month(period), parts.wall.now()
    known = await parts.periods.find_closing(month.name)
    if known is None:
        refusal = closable(month, await parts.periods.last_closing(), now=now)
        if refusal is not None:
            raise Refused(refusal)
        record = acted(closer, Action.CLOSE_PERIOD, f"period:{month.name}", at=now)
        known = await parts.periods.close(month.name, at=now, by=closer.user_id, records=(record,))
    return Json(to_builtins(known))


def _sheet(name: str, rows: Sequence[Sequence[str]]) -> Response:
    return Response(
        BEGINNING + written(rows),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )


async def _turnovers(parts: Parts, month: Period) -> tuple[Closing | None, tuple[Turnover, ...]]:
    closing = await parts.periods.find_closing(month.name)
    last = await parts.periods.find_closing(before(month))
    return closing, await parts.periods.turnovers(span(month, closing, last))


def _month(name: str) -> Period:
    found = period_of(name)
    if found is None:
        raise Refused(BAD_PERIOD())
    return found
