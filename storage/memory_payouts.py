"""The in-memory twin of payouts and disputes."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from engine.audit.record import AuditRecord
from engine.kernel.ids import CourierId
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import DISPUTES, PAYOUTS
from engine.payouts.dispute import Dispute, DisputeId
from engine.payouts.payout import BankAccount, BankAccountId, Payout, PayoutId
from storage.memory_audit import MemoryAudit
from storage.payouts import BEING_MADE

T = TypeVar("T", Payout, Dispute)


class MemoryPayouts:
    """Satisfies `PayoutStore`; nothing in it waits."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._audit = audit or MemoryAudit()
        self._accounts: dict[BankAccountId, BankAccount] = {}
        self._payouts: dict[PayoutId, Payout] = {}
        self._disputes: dict[DisputeId, Dispute] = {}

    async def save_account(self, account: BankAccount) -> None:
        self._accounts.setdefault(account.id, account)

    async def find_account(self, account_id: BankAccountId) -> BankAccount | None:
        return self._accounts.get(account_id)

    async def account_of(self, courier_id: CourierId) -> BankAccount | None:
        mine = (one for one in self._accounts.values() if one.courier_id == courier_id)
        return max(mine, key=lambda one: (one.made_at, one.id), default=None)

    async def save(self, payout: Payout) -> bool:
        if not _follows(payout, self._payouts.get(payout.id)):
            return False
        others = (one for one in self._payouts.values() if one.id != payout.id)
        if payout.status in BEING_MADE and any(
            one.courier_id == payout.courier_id and one.status in BEING_MADE for one in others
        ):
            return False
        self._payouts[payout.id] = payout
        return True

    async def find(self, payout_id: PayoutId) -> Payout | None:
        return self._payouts.get(payout_id)

    async def list_of(self, courier_id: CourierId, wanted: Wanted) -> Page[Payout]:
        mine = (one for one in self._payouts.values() if one.courier_id == courier_id)
        return PAYOUTS.page(mine, wanted)

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Payout, ...]:
        return _due(self._payouts.values(), now)[:limit]

    async def save_dispute(self, dispute: Dispute, *, records: Sequence[AuditRecord] = ()) -> bool:
        if not _follows(dispute, self._disputes.get(dispute.id)):
            return False
        self._disputes[dispute.id] = dispute
        self._audit.add(records)
        return True

    async def find_dispute(self, dispute_id: DisputeId) -> Dispute | None:
        return self._disputes.get(dispute_id)

    async def list_disputes(self, wanted: Wanted) -> Page[Dispute]:
        return DISPUTES.page(self._disputes.values(), wanted)

    async def list_due_disputes(self, now: Instant, *, limit: int) -> tuple[Dispute, ...]:
        return _due(self._disputes.values(), now)[:limit]


def _follows(new: T, last: T | None) -> bool:
    return new.version == (last.version if last else 0) + 1


def _due(kept: Iterable[T], now: Instant) -> tuple[T, ...]:
    due = [(one.due_at, one) for one in kept if one.due_at is not None and one.due_at <= now]
    return tuple(one for _, one in sorted(due, key=lambda row: (row[0], row[1].id)))
