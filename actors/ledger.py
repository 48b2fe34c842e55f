"""The host of the ledger: who enters at the same time as others is entered together with them."""

import asyncio
from collections.abc import Callable

from actors.clock import Clock
from engine.kernel.messages import Effect
from engine.kernel.refusals import Refusal
from engine.money.audit import Audit
from engine.money.ledger import Entry
from engine.money.transfers import EnterTransfer, Transfer
from storage.ledger import LedgerStore

GROUP_MAX = 500
_Waiting = tuple[Transfer, asyncio.Future[Entry | Refusal]]


class TransferRefused(Exception):
    """What was decided cannot be entered, or not yet; the outbox tries it again."""


class LedgerKeeper:
    """The one door to the ledger in a process; `wall` is the real clock.

    Several processes may have one each: the store lets one of them write at a time.
    """

    def __init__(self, store: LedgerStore, *, wall: Clock) -> None:
        self._store = store
        self._wall = wall
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def enter(self, transfer: Transfer) -> Entry | Refusal:
        """Enter a transfer once, however often it is asked for; the same id has the same answer.

        Raises:
            StoreUnavailable: whether it was entered is not known; asking again is harmless.
        """
        told: asyncio.Future[Entry | Refusal] = asyncio.get_running_loop().create_future()
        self._waiting.append((transfer, told))
        if self._writer is None:
            self._writer = asyncio.ensure_future(self._write())
        return await told

    async def on_effect(self, effect: Effect) -> None:
        """Enter what was decided together with something else."""
        assert isinstance(effect, EnterTransfer)
        entered = await self.enter(effect.transfer)
        if isinstance(entered, Refusal):
            raise TransferRefused(f"{effect.transfer.id}: {entered.code} {entered.detail}")

    async def audit(self, *, on_entry: Callable[[int, int], None] | None = None) -> Audit:
        """Fold every balance anew, and compute every hash again.

        `on_entry` hears the number of an entry and of the last one.
        """
        audit = Audit()
        async with self._store.books() as books:
            head = await books.head()
            async for stored in books.entries():
                audit.take(stored)
                if on_entry is not None:
                    on_entry(stored.number, head.number)
            audit.finish(head, await books.balances())
        return audit

    async def _write(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
                await self._enter(group)
        finally:
            self._writer = None

    async def _enter(self, group: list[_Waiting]) -> None:
        try:
            found = await self._enter_all([transfer for transfer, _ in group])
        except Exception as error:  # noqa: BLE001 - it is told to everybody who waits
            for _, told in group:
                if not told.done():
                    told.set_exception(error)
            return
        for (_, told), answer in zip(group, found, strict=True):
            if not told.done():
                told.set_result(answer)

    async def _enter_all(self, transfers: list[Transfer]) -> list[Entry | Refusal]:
        now = self._wall.now()
        async with self._store.turn() as turn:
            ledger = await turn.load(transfers)
            found = [ledger.enter(one, now) for one in transfers]
            await turn.save(ledger)
        return found
