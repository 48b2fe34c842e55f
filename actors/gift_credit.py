"""Credit for gifts that staff give to make up for what went wrong."""

from actors.clock import Clock
from actors.ledger import LedgerKeeper
from engine.audit.record import Action, acted
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.loyalty.points import gift_credit
from engine.money.ledger import Entry
from engine.money.transfers import Transfer
from storage.audit import AuditStore
from storage.ledger import LedgerStore


class GiftCredit:
    """One for a process; `books` is what is read of the ledger."""

    def __init__(
        self, ledger: LedgerKeeper, books: LedgerStore, audit: AuditStore, *, clock: Clock
    ) -> None:
        self._ledger, self._books, self._audit, self._clock = ledger, books, audit, clock

    async def give(
        self, user_id: UserId, halalas: int, *, cause: str, by: Caller, reason: str
    ) -> Transfer | Refusal:
        """Give a customer so much to spend on gifts; the same `cause` is the same credit."""
        now = self._clock.now()
        given = gift_credit(user_id, halalas, cause=cause, at=now)
        known = await self._books.find_entry(given.id)
        if known is None:
            # Recorded first: what is entered is never without its record.
            subject, told = f"customer:{user_id}", {"halalas": halalas, "transfer_id": given.id}
            record = acted(by, Action.GIVE_CREDIT, subject, at=now, after=told, reason=reason)
            await self._audit.record([record])
            entered = await self._ledger.enter(given)
            if isinstance(entered, Entry):
                return given
            # The same request may have come a moment earlier: its day is another, not its legs.
            known = await self._books.find_entry(given.id)
        is_same = known is not None and known.transfer.legs == given.legs
        return given if is_same else KEY_REUSED()
