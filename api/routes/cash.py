"""Cash that couriers hold of ours: how much that is, and what they pay in."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from api.answer import Answer
from api.bodies import CASH_HALALAS_MAX, Body
from api.deps import PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.sending import carry_out
from engine.couriers.messages import UNKNOWN_COURIER
from engine.identity.access import Permission
from engine.kernel.ids import CommandId, CourierId, UserId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import KEY_REUSED, NOT_ALLOWED
from engine.money.accounts import AccountKind, account
from engine.money.cash import (
    CASH_EXCEEDS,
    RECEIPT_MAX,
    RECEIPT_USED,
    DepositCash,
    Receipt,
    deposit_id,
)
from engine.money.transfers import Leg

router = APIRouter(prefix="/v1/couriers/{courier_id}/cash", tags=["money"])


class DepositBody(Body):
    """How much he has paid in, and the number of the receipt: one receipt is one deposit."""

    halalas: Annotated[int, Field(ge=1, le=CASH_HALALAS_MAX)]
    receipt: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]*$", max_length=RECEIPT_MAX)
    ]


class DepositTaken(Answer):
    """What was paid in, and what he holds now."""

    courier_id: str
    receipt: str
    halalas: int
    held_halalas: int


class CashShown(Answer):
    """What he holds, what his route will bring, and how much he may hold in his zone.

    `entered_halalas` is what the ledger says by now: a delivery of this moment may be missing.
    """

    courier_id: str
    held_halalas: int
    at_stake_halalas: int
    limit_halalas: int
    entered_halalas: int


@router.get(
    "",
    responses=answers(
        200, CashShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_COURIER, NOT_ALLOWED, INVALID_REQUEST
    ),
)
async def show_cash(
    courier_id: PathId,
    caller: Annotated[Caller, granted(Permission.SEE_CASH)],
    parts: PartsDep,
) -> Json:
    """What a courier holds of our cash; he sees his own."""
    courier = await parts.store.find_courier(CourierId(UserId(courier_id)))
    is_other = caller.role is Role.COURIER and caller.user_id != courier_id
    if courier is None or is_other:
        raise Refused(UNKNOWN_COURIER())
    if not caller.may_act_in(courier.zone_id):
        raise Refused(NOT_ALLOWED())
    zone = await parts.store.find_zone(courier.zone_id)
    assert zone is not None, "a courier works in a zone"
    entered = await parts.ledger.find_balance(account(AccountKind.COURIER_CASH, courier.id))
    return Json(
        {
            "courier_id": courier.id,
            "held_halalas": courier.cash_halalas,
            "at_stake_halalas": courier.cash_at_stake_halalas,
            "limit_halalas": zone.parameters.cash_held_halalas_max,
            "entered_halalas": -entered.posted,
        }
    )


@router.post(
    "/deposits",
    responses=answers(
        200,
        DepositTaken,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_COURIER,
        CASH_EXCEEDS,
        RECEIPT_USED,
    ),
)
async def record_deposit(
    courier_id: PathId,
    body: DepositBody,
    *,
    caller: Annotated[Caller, granted(DepositCash)],
    parts: PartsDep,
) -> Json:
    """Record what a courier has paid in; the same receipt again is the same deposit."""
    receipt = Receipt(body.receipt)
    command = DepositCash(
        courier_id=CourierId(UserId(courier_id)), halalas=body.halalas, receipt=receipt
    )
    known = await _recorded_before(parts, command)
    if known is not None:
        return Json(known)
    try:
        told: dict[str, Any] = await carry_out(
            parts,
            command,
            caller,
            command_id=CommandId(derived_id("deposit cash", receipt)),
            asked=[courier_id, body.halalas, body.receipt],
        )
    except Refused as refused:
        if refused.refusal.code == KEY_REUSED.code:
            raise Refused(RECEIPT_USED()) from refused
        raise
    return Json(told)


async def _recorded_before(parts: Parts, command: DepositCash) -> dict[str, Any] | None:
    """The deposit of this receipt, if the ledger has it; a receipt is known for ever."""
    entry = await parts.ledger.find_entry(deposit_id(command.receipt))
    if entry is None:
        return None
    held = account(AccountKind.COURIER_CASH, command.courier_id)
    if Leg(held, command.halalas) not in entry.transfer.legs:
        raise Refused(RECEIPT_USED())
    courier = await parts.store.find_courier(command.courier_id)
    assert courier is not None, "couriers are never forgotten"
    return {
        "courier_id": command.courier_id,
        "receipt": command.receipt,
        "halalas": command.halalas,
        "held_halalas": courier.cash_halalas,
    }
