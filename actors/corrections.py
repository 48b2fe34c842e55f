"""Transfers that those who keep the books take back."""

from actors.clock import Clock
from actors.ledger import LedgerKeeper
from engine.audit.record import Action, acted
from engine.kernel.messages import Caller
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.money.accounts import floor_of
from engine.money.corrections import correction, correction_id
from engine.money.ledger import NOT_ENOUGH, Entry
from engine.money.transfers import Transfer, TransferId
from storage.audit import AuditStore
from storage.ledger import LedgerStore


class Corrections:
    """Enters them by the keeper of the ledger; `books` is what is read of it."""

    def __init__(
        self, ledger: LedgerKeeper, books: LedgerStore, audit: AuditStore, *, wall: Clock
    ) -> None:
        self._ledger, self._books, self._audit, self._wall = ledger, books, audit, wall

    async def take_back(
        self, transfer_id: TransferId, *, effective_at: Instant | None, by: Caller, reason: str
    ) -> Entry | Refusal:
        """Reverse a transfer, once; whoever asks again is told what was entered."""
        known = await self._books.find_entry(correction_id(transfer_id))
        if known is not None:
            return known
        now, posted = self._wall.now(), await self._books.find_entry(transfer_id)
        reversal = correction(posted, effective_at=effective_at, now=now)
        if isinstance(reversal, Refusal):
            return reversal
        if not await self._is_there(reversal):
            # Perhaps because another has just taken it.
            return await self._books.find_entry(reversal.id) or NOT_ENOUGH()
        # Recorded first: what is entered is never without its record.
        told = {"transfer_id": reversal.id, "effective_at": reversal.effective_at}
        subject = f"transfer:{transfer_id}"
        record = acted(by, Action.CORRECT_BOOKS, subject, at=now, after=told, reason=reason)
        await self._audit.record([record])
        entered = await self._ledger.enter(reversal)
        # Another may have done it a moment earlier, for another day.
        return await self._books.find_entry(reversal.id) or entered

    async def _is_there(self, reversal: Transfer) -> bool:
        """Whether what is to be taken back was not spent by now."""
        for leg in reversal.legs:
            floor = floor_of(leg.account)
            if floor is not None and leg.amount < 0:
                balance = await self._books.find_balance(leg.account)
                if balance.available + leg.amount < floor:
                    return False
        return True
