"""A dispute: what a courier has earned, held until it is decided whose it is."""

from enum import StrEnum
from typing import NewType

from msgspec.structs import replace

from engine.kernel.ids import CourierId, OrderId, UserId, derived_id
from engine.kernel.messages import Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payouts.postings import debt_of, wallet_of

DisputeId = NewType("DisputeId", str)


class DisputeStatus(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    RELEASED = "released"
    UPHELD = "upheld"


class Dispute(Thing, frozen=True, kw_only=True):
    """So much of a courier's is held because of an order.

    `due_at` is when its last change is to be entered in the ledger; None when that is done.
    """

    id: DisputeId
    courier_id: CourierId
    order_id: OrderId
    halalas: int
    reason: str
    status: DisputeStatus = DisputeStatus.OPEN
    opened_by: UserId
    opened_at: Instant
    closed_at: Instant | None = None
    due_at: Instant | None


UNKNOWN_DISPUTE = declare(
    "unknown_dispute",
    RefusalKind.NOT_FOUND,
    en="There is no such dispute.",
    ar="لا يوجد نزاع بهذا الرقم.",
)
DISPUTE_CLOSED = declare(
    "dispute_closed",
    RefusalKind.CONFLICT,
    en="This dispute was decided otherwise.",
    ar="حُسم هذا النزاع بقرار آخر.",
)


def close(dispute: Dispute, outcome: DisputeStatus, *, now: Instant) -> Dispute | Refusal:
    """Decide it; the same decision again changes nothing."""
    if dispute.status is outcome:
        return dispute
    if dispute.status is not DisputeStatus.OPEN:
        return DISPUTE_CLOSED(status=dispute.status.value)
    return replace(dispute, version=dispute.version + 1, status=outcome, closed_at=now, due_at=now)


def entered(dispute: Dispute) -> Dispute:
    """Its last change is in the ledger."""
    return replace(dispute, version=dispute.version + 1, due_at=None)


def opening(dispute: Dispute, available_halalas: int) -> Transfer:
    """Held out of the wallet, as far as that goes; for the rest he owes us."""
    from_wallet = max(0, min(available_halalas, dispute.halalas))
    return _transfer(
        dispute,
        "opening",
        {
            wallet_of(dispute.courier_id): -from_wallet,
            debt_of(dispute.courier_id): from_wallet - dispute.halalas,
            _hold(dispute): dispute.halalas,
        },
    )


def closing(dispute: Dispute) -> Transfer:
    """Back into the wallet, or ours, for what the dispute has cost us."""
    is_his = dispute.status is DisputeStatus.RELEASED
    to = wallet_of(dispute.courier_id) if is_his else account(AccountKind.GOODWILL)
    return _transfer(dispute, "closing", {_hold(dispute): -dispute.halalas, to: dispute.halalas})


def _hold(dispute: Dispute) -> AccountId:
    return account(AccountKind.COURIER_HOLD, dispute.courier_id)


def _transfer(dispute: Dispute, what: str, amounts: dict[AccountId, int]) -> Transfer:
    return Transfer(
        id=TransferId(derived_id("dispute", dispute.id, what)),
        reason=TransferReason.DISPUTE,
        legs=move(amounts),
        effective_at=dispute.closed_at or dispute.opened_at,
        about=f"dispute:{dispute.id}",
    )
