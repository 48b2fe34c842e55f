"""The host of the ledger: who enters at the same time as others is entered together with them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import accumulate, chain, islice, takewhile

from msgspec.structs import replace

from actors.clock import Clock
from engine.kernel.messages import Effect
from engine.kernel.pages import Wanted
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountId
from engine.money.audit import Audit
from engine.money.ledger import Entry
from engine.money.transfers import EnterTransfer, Transfer
from storage.ledger import LedgerStore, enter_in

GROUP_MAX = 500
_PAGE = 500
_Waiting = tuple[Sequence[Transfer], asyncio.Future[list[Entry | Refusal]]]


class TransferRefused(Exception):
    """What was decided cannot be entered, or not yet; the outbox tries it again."""


async def posted_to(books: LedgerStore, account_id: AccountId) -> AsyncIterator[Entry]:
    """All that was ever posted to an account, oldest first."""
    page, wanted = None, Wanted(limit=_PAGE, descending=False)
    while page is None or page.has_next:
        page = await books.list_posted_of(account_id, wanted)
        for one in page.rows:
            yield one
            wanted = replace(wanted, beyond=(one.number,))


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
        (answer,) = await self.enter_all((transfer,))
        return answer

    async def enter_all(self, transfers: Sequence[Transfer]) -> list[Entry | Refusal]:
        """Enter up to `GROUP_MAX` transfers in one transaction; each succeeds or fails by itself.

        Raises:
            StoreUnavailable: whether they were entered is not known; asking again is harmless.
        """
        assert len(transfers) <= GROUP_MAX, f"at most {GROUP_MAX} at once"
        told: asyncio.Future[list[Entry | Refusal]] = asyncio.get_running_loop().create_future()
        self._waiting.append((transfers, told))
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
                await self._enter(self._next_group())
        finally:
            self._writer = None

    def _next_group(self) -> list[_Waiting]:
        sizes = accumulate(len(transfers) for transfers, _ in self._waiting)
        count = sum(1 for _ in takewhile(lambda size: size <= GROUP_MAX, sizes))
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _enter(self, group: list[_Waiting]) -> None:
        try:
            asked = chain.from_iterable(transfers for transfers, _ in group)
            found = iter(await self._decide(list(asked)))
        except Exception as error:  # noqa: BLE001 - it is told to everybody who waits
            for _, told in group:
                if not told.done():
                    told.set_exception(error)
            return
        for transfers, told in group:
            answers = list(islice(found, len(transfers)))
            if not told.done():
                told.set_result(answers)

    async def _decide(self, transfers: list[Transfer]) -> list[Entry | Refusal]:
        now = self._wall.now()
        async with self._store.turn() as turn:
            return await enter_in(turn, transfers, [now] * len(transfers))
