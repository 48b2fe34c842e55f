"""Transfers: what moves between accounts in one piece, and what is reserved to be moved later."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct

from engine.kernel.ids import EffectId, OrderId, derived_id, is_id
from engine.kernel.messages import Effect
from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, asset_of

TransferId = NewType("TransferId", str)

LEGS_MAX: Final = 100
# Sums of as many legs as a year can bring stay far within PostgreSQL's bigint.
AMOUNT_MAX: Final = 1_000_000_000_000


class TransferReason(StrEnum):
    """Why money moves."""

    CAPTURE = "capture"
    REFUND = "refund"
    TOP_UP = "top_up"
    SALE = "sale"
    CANCELLATION = "cancellation"
    EARNING = "earning"
    TIP = "tip"
    CASH_COLLECTED = "cash_collected"
    CASH_HANDED_IN = "cash_handed_in"
    CASH_KEPT_BACK = "cash_kept_back"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    RECOVERY = "recovery"
    SETTLEMENT = "settlement"
    GOODWILL = "goodwill"
    DIFFERENCE = "difference"
    CONVERSION = "conversion"
    WRITE_OFF = "write_off"
    POINTS = "points"
    CORRECTION = "correction"


# By what else touches a gateway's account, or cash, customers neither pay nor get anything: rates,
# settlements, what is handed in.
PAID: Final = frozenset(
    {TransferReason.CAPTURE, TransferReason.REFUND, TransferReason.CASH_COLLECTED}
)


class Leg(Struct, frozen=True):
    """One account's part; above zero is a credit, below zero a debit."""

    account: AccountId
    amount: int


class Transfer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Legs that move together; within each asset they sum to zero.

    `id` is its idempotency key, for ever. `about` names what it belongs to, an order for instance.
    `effective_at` is the day it counts for, which a correction puts into the past.
    A `pending` one reserves what its debits may take. One that `settles` a pending one takes all
    or less of that, or, without legs, nothing: the rest is free again. One that `reverses` another
    has its legs with the signs turned.

    Raises:
        ValueError: it is not balanced, or otherwise none; whoever made it has a bug.
    """

    id: TransferId
    reason: TransferReason
    legs: tuple[Leg, ...]
    effective_at: Instant
    about: str = ""
    pending: bool = False
    settles: TransferId | None = None
    reverses: TransferId | None = None

    def __post_init__(self) -> None:
        fault = _fault(self)
        if fault:
            raise ValueError(f"transfer {self.id}: {fault}")


class EnterTransfer(Effect, frozen=True, kw_only=True, tag=True):
    """Enter a transfer that was decided together with something else."""

    transfer: Transfer


def to_enter(transfer: Transfer) -> EnterTransfer:
    """The effect that enters it; the same transfer has the same one."""
    return EnterTransfer(id=EffectId(derived_id("enter", transfer.id)), transfer=transfer)


def about_order(order_id: OrderId) -> str:
    """By what name the transfers of an order are found in the ledger."""
    return f"order:{order_id}"


def move(amounts: Mapping[AccountId, int]) -> tuple[Leg, ...]:
    """The legs of these amounts, in the order of their accounts; zeros are left out."""
    return tuple(Leg(name, amounts[name]) for name in sorted(amounts) if amounts[name])


def void_of(pending: Transfer, *, id: TransferId) -> Transfer:  # noqa: A002 - a field's name
    """What gives all that a pending transfer reserved free again."""
    return Transfer(
        id=id,
        reason=pending.reason,
        legs=(),
        effective_at=pending.effective_at,
        about=pending.about,
        settles=pending.id,
    )


def reversal_of(
    posted: Transfer,
    *,
    id: TransferId,  # noqa: A002 - a field's name
    effective_at: Instant,
) -> Transfer:
    """What undoes a posted transfer, which itself stays as it is."""
    return Transfer(
        id=id,
        reason=TransferReason.CORRECTION,
        legs=turned(posted.legs),
        effective_at=effective_at,
        about=posted.about,
        reverses=posted.id,
    )


def turned(legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """The legs with the signs turned."""
    return tuple(Leg(one.account, -one.amount) for one in legs)


def _fault(transfer: Transfer) -> str:
    legs = transfer.legs
    sums: Counter[str] = Counter()
    for leg in legs:
        sums[asset_of(leg.account)] += leg.amount
    if not is_id(transfer.id):
        return "its id is no UUID"
    if len({leg.account for leg in legs}) != len(legs) or len(legs) > LEGS_MAX:
        return f"it names an account twice, or more than {LEGS_MAX}"
    if any(not 0 < abs(leg.amount) <= AMOUNT_MAX for leg in legs):
        return f"an amount is zero or beyond {AMOUNT_MAX}"
    if any(sums.values()):
        return f"its legs do not sum to zero but to {dict(sums)}"
    return _fault_of_form(transfer)


def _fault_of_form(transfer: Transfer) -> str:
    forms = (transfer.pending, transfer.settles is not None, transfer.reverses is not None)
    if sum(forms) > 1:
        return "it can be only one of pending, settling and reversing"
    if not transfer.legs and transfer.settles is None:
        return "it moves nothing"
    return ""
