"""What somebody has with us, and every transfer that made it so."""

from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any, Final

from fastapi import APIRouter
from msgspec import to_builtins
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict

from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import STATEMENT
from api.paging import Paging, listed
from api.parts import Parts
from api.pay_answers import PayLineShown
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.kernel.messages import Caller, Role
from engine.money.accounts import AccountId, AccountKind, account, asset_of
from engine.money.earnings import lines_of
from engine.money.ledger import Entry
from engine.payouts.fees import fee_cause, return_cause
from storage.ledger import LedgerStore

router = APIRouter(prefix="/v1/wallet", tags=["money"])

_PAYOUT: Final = "payout:"
_ACCOUNTS: Final[dict[Role, tuple[AccountKind, ...]]] = {
    Role.CUSTOMER: (
        AccountKind.CUSTOMER_WALLET,
        AccountKind.GIFT_CREDIT,
        AccountKind.POINTS,
        AccountKind.POINTS_PENDING,
    ),
    Role.COURIER: (
        AccountKind.COURIER_WALLET,
        AccountKind.COURIER_HOLD,
        AccountKind.COURIER_DEBT,
        AccountKind.COURIER_CASH,
    ),
}


class _Shown(BaseModel):
    model_config = ConfigDict(extra="allow")


class AccountShown(_Shown):
    """One account; `available` is `posted` less what pending transfers may yet take."""

    kind: AccountKind
    asset: str
    available: int
    posted: int
    reserved: int


class WalletShown(_Shown):
    """What you have with us; below zero is what you owe us, or cash of ours that you carry."""

    accounts: list[AccountShown]


class LineShown(_Shown):
    """One transfer; `amount` is its part in this wallet, `effective_at` the day it counts for.

    `lines` say for what a courier was paid, `invoice_numbers` what documents its fee.
    """

    transfer_id: str
    number: int
    at: int
    effective_at: int
    reason: str
    about: str
    amount: int
    lines: list[PayLineShown]
    invoice_numbers: list[str]


class StatementShown(_Shown):
    """What was posted to the wallet, newest first."""

    kind: AccountKind
    lines: list[LineShown]
    next: str | None
    previous: str | None


@router.get("", responses=answers(200, WalletShown, *WITH_TOKEN, *WITH_STORE))
async def get_wallet(
    caller: Annotated[Caller, granted(Permission.SEE_WALLET)], parts: PartsDep
) -> Json:
    """What you have with us."""
    shown = [await _account(parts.ledger, caller, kind) for kind in _ACCOUNTS[caller.role]]
    return Json({"accounts": shown})


@router.get(
    "/statement",
    responses=answers(200, StatementShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def get_statement(
    caller: Annotated[Caller, granted(Permission.SEE_WALLET)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(STATEMENT)],
) -> Json:
    """Every transfer that was posted to your wallet; what is only reserved is not among them."""
    kind = _ACCOUNTS[caller.role][0]
    mine = account(kind, caller.user_id)
    wanted, before = paging.wanted, paging.beside.get("before")
    if before is not None and wanted.beyond is None:
        wanted = replace(wanted, beyond=(before,))
    page = await parts.ledger.list_posted_of(mine, wanted)
    numbers = await _numbers(parts, page.rows)
    lines = [_line(one, mine, numbers.get(one.transfer.about, [])) for one in page.rows]
    return paging.answer(page, "lines", lines, kind=kind.value)


async def _account(ledger: LedgerStore, caller: Caller, kind: AccountKind) -> dict[str, Any]:
    name = account(kind, caller.user_id)
    balance = await ledger.find_balance(name)
    return {
        "kind": kind.value,
        "asset": asset_of(name).value,
        "available": balance.available,
        "posted": balance.posted,
        "reserved": balance.reserved,
    }


async def _numbers(parts: Parts, entries: Sequence[Entry]) -> dict[str, list[str]]:
    """The numbers of invoices and notes for the fees of payouts, by what entries are about."""
    payouts = {
        about: about.removeprefix(_PAYOUT)
        for about in (one.transfer.about for one in entries)
        if about.startswith(_PAYOUT)
    }
    causes = {
        about: (fee_cause(payout_id), return_cause(payout_id))
        for about, payout_id in payouts.items()
    }
    found = await parts.invoices.find_caused(chain.from_iterable(causes.values())) if causes else {}
    return {
        about: [found[one].number for one in of_it if one in found]
        for about, of_it in causes.items()
    }


def _line(entry: Entry, mine: AccountId, invoice_numbers: list[str]) -> dict[str, Any]:
    transfer = entry.transfer
    return {
        "transfer_id": transfer.id,
        "number": entry.number,
        "at": entry.at,
        "effective_at": transfer.effective_at,
        "reason": transfer.reason.value,
        "about": transfer.about,
        "amount": sum(leg.amount for leg in transfer.legs if leg.account == mine),
        "invoice_numbers": invoice_numbers,
        "lines": [to_builtins(one) for one in lines_of(transfer)],
    }
