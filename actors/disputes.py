"""The host of disputes: what is held of a courier's money, and what becomes of it."""

from typing import Final

from msgspec import to_builtins

from actors.clock import Clock
from actors.ledger import LedgerKeeper
from engine.audit.record import Action, AuditRecord, acted
from engine.kernel.ids import CourierId, OrderId, derived_id
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, UNAVAILABLE, Refusal
from engine.money.ledger import NOT_ENOUGH, TRANSFER_CHANGED, Entry
from engine.payouts import dispute as rules
from engine.payouts.dispute import UNKNOWN_DISPUTE, Dispute, DisputeId, DisputeStatus
from engine.payouts.postings import wallet_of
from storage.ledger import LedgerStore
from storage.payouts import PayoutStore

_AT_ONCE: Final = 20
_RACES_MAX: Final = 8


class Disputes:
    """One for a process; what one left half done, any other finishes."""

    def __init__(
        self, store: PayoutStore, ledger: LedgerKeeper, books: LedgerStore, *, wall: Clock
    ) -> None:
        self._store, self._ledger, self._books, self._wall = store, ledger, books, wall

    async def open(
        self,
        courier_id: CourierId,
        order_id: OrderId,
        halalas: int,
        *,
        reason: str,
        cause: str,
        by: Caller,
    ) -> Dispute | Refusal:
        """Hold so much; the same `cause` is the same dispute."""
        now = self._wall.now()
        dispute = Dispute(
            version=1,
            id=DisputeId(derived_id("dispute", cause)),
            courier_id=courier_id,
            order_id=order_id,
            halalas=halalas,
            reason=reason,
            opened_by=by.user_id,
            opened_at=now,
            due_at=now,
        )
        record = self._record(by, Action.OPEN_DISPUTE, dispute, reason)
        if not await self._store.save_dispute(dispute, records=(record,)):
            known = await self._store.find_dispute(dispute.id)
            assert known is not None, "a dispute is never forgotten"
            if _asks(known) != _asks(dispute):
                return KEY_REUSED()
            dispute = known
        return await self._enter(dispute)

    async def close(
        self, dispute_id: DisputeId, outcome: DisputeStatus, *, reason: str, by: Caller
    ) -> Dispute | Refusal:
        """Decide a dispute: the money is his again, or ours."""
        for _ in range(_RACES_MAX):
            dispute = await self._store.find_dispute(dispute_id)
            if dispute is None:
                return UNKNOWN_DISPUTE()
            held = await self._enter(dispute)
            closed = rules.close(held, outcome, now=self._wall.now())
            if isinstance(closed, Refusal) or closed == held:
                return closed
            record = self._record(by, Action.CLOSE_DISPUTE, closed, reason)
            if await self._store.save_dispute(closed, records=(record,)):
                return await self._enter(closed)
        return UNAVAILABLE()

    async def look(self) -> None:
        """Finish what somebody left half done."""
        for dispute in await self._store.list_due_disputes(self._wall.now(), limit=_AT_ONCE):
            await self._enter(dispute)

    async def _enter(self, dispute: Dispute) -> Dispute:
        """Enter its last change, if that was not done yet."""
        if dispute.due_at is None:
            return dispute
        if dispute.status is DisputeStatus.OPEN:
            await self._hold(dispute)
        else:
            entered = await self._ledger.enter(rules.closing(dispute))
            assert isinstance(entered, Entry), f"dispute {dispute.id}: {entered}"
        done = rules.entered(dispute)
        if await self._store.save_dispute(done):
            return done
        return await self._store.find_dispute(dispute.id) or done

    async def _hold(self, dispute: Dispute) -> None:
        """Out of the wallet as far as it goes; who spends at the same moment is looked for anew."""
        for _ in range(_RACES_MAX):
            wallet = await self._books.find_balance(wallet_of(dispute.courier_id))
            entered = await self._ledger.enter(rules.opening(dispute, wallet.available))
            if isinstance(entered, Entry) or entered.code == TRANSFER_CHANGED.code:
                return
            assert entered.code == NOT_ENOUGH.code, f"dispute {dispute.id}: {entered}"
        raise RuntimeError(f"the wallet of dispute {dispute.id} is never still")

    def _record(self, by: Caller, action: Action, dispute: Dispute, reason: str) -> AuditRecord:
        told = to_builtins(dispute)
        after = {one: told[one] for one in ("courier_id", "order_id", "halalas", "status")}
        subject = f"dispute:{dispute.id}"
        return acted(by, action, subject, at=self._wall.now(), after=after, reason=reason)


def _asks(dispute: Dispute) -> tuple[object, ...]:
    return dispute.courier_id, dispute.order_id, dispute.halalas, dispute.reason
