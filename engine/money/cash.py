"""Cash that a courier holds of ours: what he pays in, and what is kept back of his pay for it.

What he holds is decided in his own turn, with what he takes at doors; the ledger follows.
"""

from typing import Final, NewType

from msgspec.structs import replace

from engine.couriers.courier import Courier
from engine.couriers.courier import evolve as with_event
from engine.kernel.ids import CourierId, derived_id
from engine.kernel.messages import Caller, Change, Command, Decision, Event
from engine.kernel.refusals import NOT_ALLOWED, Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move, to_enter

Receipt = NewType("Receipt", str)
RECEIPT_MAX: Final = 64


class DepositCash(Command, frozen=True, kw_only=True, tag=True):
    """A courier has paid in cash of ours; the number of the receipt stands for it."""

    courier_id: CourierId
    halalas: int
    receipt: Receipt


class KeepBackCash(Command, frozen=True, kw_only=True, tag=True):
    """Turn cash that a courier holds into a debt, so that it is kept back from a payout of his."""

    courier_id: CourierId
    cause: str
    halalas_max: int
    at: Instant


class CashDeposited(Event, frozen=True, kw_only=True, tag=True):
    """He paid in so much."""

    halalas: int
    receipt: Receipt


class CashKeptBack(Event, frozen=True, kw_only=True, tag=True):
    """So much of what he holds is his now, and he owes it us."""

    halalas: int
    cause: str


CASH_EXCEEDS = declare(
    "cash_exceeds",
    RefusalKind.CONFLICT,
    en="This is more than the courier holds of our cash. Look at the amount again.",
    ar="المبلغ أكبر من النقد الذي مع المندوب. راجع المبلغ.",
)
RECEIPT_USED = declare(
    "receipt_used",
    RefusalKind.CONFLICT,
    en="A deposit with this receipt number was recorded before, of another courier or amount.",
    ar="سُجّل إيداع برقم الإيصال هذا من قبل لمندوب آخر أو بمبلغ مختلف.",
)


def deposit(
    courier: Courier, command: DepositCash, caller: Caller, *, now: Instant
) -> Decision | Refusal:
    """He holds so much less; the repetition of a receipt never comes here."""
    if not caller.may_act_in(courier.zone_id):
        return NOT_ALLOWED()
    if command.halalas > courier.cash_halalas:
        return CASH_EXCEEDS(held_halalas=courier.cash_halalas)
    event = CashDeposited(at=now, halalas=command.halalas, receipt=command.receipt)
    legs = move(
        {
            account(AccountKind.COURIER_CASH, courier.id): command.halalas,
            account(AccountKind.BANK): -command.halalas,
        }
    )
    transfer = Transfer(
        id=deposit_id(command.receipt),
        reason=TransferReason.CASH_HANDED_IN,
        legs=legs,
        effective_at=now,
        about=f"receipt:{command.receipt}",
    )
    decision = _held_less(courier, command.halalas, event, transfer)
    return replace(decision, reply={**decision.reply, "receipt": command.receipt})


def deposit_id(receipt: Receipt) -> TransferId:
    """A receipt is one deposit, for ever."""
    return TransferId(derived_id("cash deposit", receipt))


def keep_back(courier: Courier, command: KeepBackCash, *, now: Instant) -> Decision:
    """As much of what he holds as is asked for at most."""
    halalas = min(courier.cash_halalas, command.halalas_max)
    if halalas <= 0:
        return Decision(reply={"halalas": 0})
    event = CashKeptBack(at=now, halalas=halalas, cause=command.cause)
    return _held_less(courier, halalas, event, kept_back(command, halalas))


def kept_back(command: KeepBackCash, halalas: int) -> Transfer:
    """What he held becomes what he owes; the same command leaves the same transfer."""
    return Transfer(
        id=TransferId(derived_id("cash kept back", command.courier_id, command.cause)),
        reason=TransferReason.CASH_KEPT_BACK,
        legs=move(
            {
                account(AccountKind.COURIER_CASH, command.courier_id): halalas,
                account(AccountKind.COURIER_DEBT, command.courier_id): -halalas,
            }
        ),
        effective_at=command.at,
        about=command.cause,
    )


def _held_less(courier: Courier, halalas: int, event: Event, transfer: Transfer) -> Decision:
    left = courier.cash_halalas - halalas
    changed = with_event(courier, event, cash_halalas=left)
    return Decision(
        changes=(Change(changed, (event,)),),
        effects=(to_enter(transfer),),
        reply={"courier_id": courier.id, "halalas": halalas, "held_halalas": left},
    )
