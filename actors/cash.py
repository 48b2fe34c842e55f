"""The host of cash that couriers hold: each says in his own turn what becomes of it."""

from typing import Protocol

from actors.bus import Bus
from actors.clock import Clock
from actors.ledger import LedgerKeeper
from engine.kernel.ids import CommandId, CourierId, derived_id
from engine.kernel.messages import SYSTEM_CALLER, Envelope
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS, Instant
from engine.money.cash import KeepBackCash, kept_back
from storage.store import Store, StoreUnavailable


class CashHolders(Protocol):
    """Who can have cash kept back of what couriers are paid."""

    async def keep_back(
        self, courier_id: CourierId, *, cause: str, halalas_max: int, at: Instant
    ) -> None:
        """Turn so much of what he holds, at most, into a debt; the same cause is the same."""
        ...


class HeldCash:
    """Satisfies `CashHolders`; `clock` is that of the cells."""

    def __init__(
        self, bus: Bus, store: Store, ledger: LedgerKeeper, *, clock: Clock, patience_s: float
    ) -> None:
        self._bus, self._store, self._ledger = bus, store, ledger
        self._clock, self._patience_s = clock, patience_s

    async def keep_back(
        self, courier_id: CourierId, *, cause: str, halalas_max: int, at: Instant
    ) -> None:
        """See `CashHolders`. Raises `StoreUnavailable` when his cell does not answer."""
        if halalas_max <= 0 or await self._store.find_courier(courier_id) is None:
            return
        command = KeepBackCash(courier_id=courier_id, cause=cause, halalas_max=halalas_max, at=at)
        patience_ms = int(self._patience_s * SECOND_MS * self._clock.speed)
        answer = await self._bus.by_clock(
            Envelope(
                id=CommandId(derived_id("keep back cash", courier_id, cause)),
                command=command,
                caller=SYSTEM_CALLER,
                deadline=self._clock.now() + patience_ms,
            )
        )
        if answer.refusal is not None:
            raise StoreUnavailable(f"cash of courier {courier_id}: {answer.refusal.code}")
        halalas = int(answer.reply["halalas"])
        if halalas:
            # The outbox enters it, too: it must be there before what he owes is kept back.
            entered = await self._ledger.enter(kept_back(command, halalas))
            assert not isinstance(entered, Refusal), entered
