"""A courier's bank account, and what is paid out to it."""

from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from actors.payouts import Payouts
from api.answer import PageAnswer
from api.bodies import Body, Label
from api.deps import Key, PartsDep, granted
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.invoice_views import invoices_shown
from api.json_answer import Json
from api.list_queries import PAYOUTS
from api.order_answers import DocumentShown
from api.paging import Paging, listed
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from api.step_up import FRESHLY, FreshDep
from engine.identity.access import Permission
from engine.kernel.ids import CourierId, derived_id
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.money.ledger import NOT_ENOUGH
from engine.payouts.fees import fee_cause, return_cause
from engine.payouts.payout import (
    BAD_IBAN,
    NO_BANK_ACCOUNT,
    PAYOUT_HALALAS_MAX,
    PAYOUT_TOO_SMALL,
    PAYOUT_UNDER_WAY,
    PAYOUTS_OFF,
    BankAccount,
    BankAccountId,
    Payout,
    PayoutKind,
    PayoutStatus,
    checked_iban,
)

router = APIRouter(prefix="/v1/wallet", tags=["money"])


class BankAccountBody(Body):
    """Where to be paid: an IBAN as it is printed, with or without spaces."""

    iban: Annotated[str, StringConstraints(min_length=15, max_length=42)]
    holder_name: Label
    city: Label


class PayoutBody(Body):
    """How much, besides the fee; left out it is everything that the fee leaves."""

    halalas: Annotated[int, Field(ge=1, le=PAYOUT_HALALAS_MAX)] | None = None


class BankAccountShown(BaseModel):
    """A bank account, without most of its number."""

    iban_end: str
    holder_name: str
    city: str
    made_at: int


class PayoutShown(BaseModel):
    """A payout; `status` unknown means that the bank is being asked how it stands.

    `invoices` are for the fee: an invoice when it was paid, a note when the bank sent it back.
    """

    payout_id: str
    kind: str
    status: str
    amount_halalas: int
    fee_halalas: int
    iban_end: str
    made_at: int
    reason: str
    invoices: list[DocumentShown]


class PayoutsShown(PageAnswer):
    """A page of payouts."""

    payouts: list[PayoutShown]


Courier = Annotated[Caller, granted(Permission.BE_PAID_OUT)]


@router.put(
    "/bank-account",
    responses=answers(
        200, BankAccountShown, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, BAD_IBAN, *FRESHLY
    ),
)
async def put_bank_account(
    body: BankAccountBody, courier: Courier, _: FreshDep, parts: PartsDep
) -> Json:
    """Be paid to this account from now on; what is on its way goes where it was sent."""
    iban = checked_iban(body.iban)
    if iban is None:
        raise Refused(BAD_IBAN())
    user = await parts.identity.find_user(courier.user_id)
    assert user is not None, "who has a session is somebody"
    now = parts.wall.now()
    account = BankAccount(
        id=BankAccountId(derived_id("bank account", courier.user_id, str(now))),
        courier_id=CourierId(courier.user_id),
        iban=iban,
        holder_name=body.holder_name,
        city=body.city,
        phone=user.phone,
        made_at=now,
    )
    await parts.payouts.save_account(account)
    return Json(_account(account))


@router.get(
    "/bank-account",
    responses=answers(200, BankAccountShown, *WITH_TOKEN, *WITH_STORE, NO_BANK_ACCOUNT),
)
async def get_bank_account(courier: Courier, parts: PartsDep) -> Json:
    """Where you are paid."""
    account = await parts.payouts.account_of(CourierId(courier.user_id))
    if account is None:
        raise Refused(NO_BANK_ACCOUNT())
    return Json(_account(account))


@router.get(
    "/payouts", responses=answers(200, PayoutsShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST)
)
async def list_payouts(
    courier: Courier, parts: PartsDep, paging: Annotated[Paging, listed(PAYOUTS)]
) -> Json:
    """What was paid out to you, and what is on its way; newest first."""
    page = await parts.payouts.list_of(CourierId(courier.user_id), paging.wanted)
    return paging.answer(page, "payouts", await _payouts(parts, page.rows))


@router.post(
    "/payouts",
    status_code=201,
    responses=answers(
        201,
        PayoutShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        PAYOUTS_OFF,
        NO_BANK_ACCOUNT,
        PAYOUT_TOO_SMALL,
        PAYOUT_UNDER_WAY,
        NOT_ENOUGH,
    ),
)
async def request_payout(body: PayoutBody, key: Key, courier: Courier, request: Request) -> Json:
    """Be paid at once, for the fee; else everything is paid once a week, for nothing."""
    payouts: Payouts | None = request.app.state.payouts
    if payouts is None:
        raise Refused(PAYOUTS_OFF())
    made = await payouts.request(
        CourierId(courier.user_id),
        PayoutKind.INSTANT,
        body.halalas,
        cause=id_of_command(courier, "POST /v1/wallet/payouts", key),
    )
    if isinstance(made, Refusal):
        raise Refused(made)
    if made.asked_halalas != body.halalas:
        raise Refused(KEY_REUSED())
    if made.status is PayoutStatus.REFUSED:
        raise Refused(NOT_ENOUGH())
    (shown,) = await _payouts(request.app.state.parts, [made])
    return Json(shown, 201)


def _account(account: BankAccount) -> dict[str, Any]:
    return {
        "iban_end": account.iban[-4:],
        "holder_name": account.holder_name,
        "city": account.city,
        "made_at": account.made_at,
    }


async def _payouts(parts: Parts, payouts: Sequence[Payout]) -> list[dict[str, Any]]:
    causes = {one.id: (fee_cause(one.id), return_cause(one.id)) for one in payouts}
    found = await parts.invoices.find_caused(chain.from_iterable(causes.values()))
    return [
        _payout(
            one, await invoices_shown(parts, [found[it] for it in causes[one.id] if it in found])
        )
        for one in payouts
    ]


def _payout(payout: Payout, invoices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "invoices": invoices,
        "payout_id": payout.id,
        "kind": payout.kind.value,
        "status": payout.status.value,
        "amount_halalas": payout.amount_halalas,
        "fee_halalas": payout.fee_halalas,
        "iban_end": payout.iban_end,
        "made_at": payout.made_at,
        "reason": payout.reason,
    }
