"""Random operations on a ledger: reserve, post, void, reverse, repeat, overdraw; from a seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from actors.clock import SystemClock
from actors.ledger import LedgerKeeper
from engine.kernel.ids import uuid7
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.money.accounts import AccountKind, account
from engine.money.audit import Audit
from engine.money.ledger import Entry
from engine.money.transfers import (
    Leg,
    Transfer,
    TransferId,
    TransferReason,
    move,
    reversal_of,
    void_of,
)
from storage.memory_ledger import MemoryLedger

START: Final[Instant] = 1_767_258_000_000
_OWNED: Final = tuple(
    account(kind, f"{number}")
    for kind in (AccountKind.CUSTOMER_WALLET, AccountKind.COURIER_WALLET, AccountKind.ORDER)
    for number in range(20)
)
_HOUSE: Final = tuple(
    account(kind) for kind in (AccountKind.GATEWAY, AccountKind.REVENUE, AccountKind.VAT)
)
# Few are remembered, so that the same ones are met again soon.
_REMEMBERED: Final = 30


class LedgerWalk:
    """Makes the next transfer from what became of those before."""

    def __init__(self, seed: int) -> None:
        self.told: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._pending: list[Transfer] = []
        self._posted: list[Transfer] = []
        self._count = 0

    def transfers(self, count: int) -> Iterator[Transfer]:
        """So many; the answer to each must be told before the next is asked for."""
        ways = (self._post, self._post, self._reserve, self._settle, self._reverse, self._repeat)
        for _ in range(count):
            yield self._random.choice(ways)()

    def tell(self, transfer: Transfer, answer: Entry | Refusal) -> None:
        """What became of a transfer."""
        if isinstance(answer, Refusal):
            self.told[answer.code] += 1
            return
        self.told[_form(transfer)] += 1
        kept = self._pending if transfer.pending else self._posted
        kept.append(transfer)
        del kept[:-_REMEMBERED]

    def _post(self) -> Transfer:
        return self._of(self._legs())

    def _reserve(self) -> Transfer:
        return self._of(self._legs(), pending=True)

    def _settle(self) -> Transfer:
        if not self._pending:
            return self._reserve()
        pending = self._random.choice(self._pending)
        if self._random.random() < 0.3:
            return void_of(pending, id=self._id())
        # Now and then more than was reserved.
        share = self._random.choice((25, 50, 100, 100, 100, 150))
        amounts = {leg.account: leg.amount * share // 100 for leg in pending.legs}
        name = pending.legs[0].account
        amounts[name] -= sum(amounts.values())
        return self._of(move(amounts), settles=pending.id)

    def _reverse(self) -> Transfer:
        reversible = [one for one in self._posted[-20:] if one.legs]
        if not reversible:
            return self._post()
        posted = self._random.choice(reversible)
        return reversal_of(posted, id=self._id(), effective_at=START)

    def _repeat(self) -> Transfer:
        known = (*self._posted[-5:], *self._pending[-5:])
        return self._random.choice(known) if known else self._post()

    def _legs(self) -> tuple[Leg, ...]:
        """Half of them bring money into the wallets, so that there is some to be taken out."""
        lowest = 1 if self._random.random() < 0.5 else -5_000
        names = self._random.sample(_OWNED, self._random.randint(1, 4))
        amounts = {one: self._random.randint(lowest, 5_000) or 1 for one in names}
        amounts[self._random.choice(_HOUSE)] = -sum(amounts.values())
        return move(amounts)

    def _of(
        self, legs: tuple[Leg, ...], *, pending: bool = False, settles: TransferId | None = None
    ) -> Transfer:
        return Transfer(
            id=self._id(),
            reason=TransferReason.CORRECTION,
            legs=legs,
            effective_at=START,
            pending=pending,
            settles=settles,
        )

    def _id(self) -> TransferId:
        self._count += 1
        return TransferId(uuid7(START + self._count, self._random.getrandbits(74)))


def _form(transfer: Transfer) -> str:
    if transfer.settles:
        return "post" if transfer.legs else "void"
    return "pending" if transfer.pending else "reversal" if transfer.reverses else "posted"


def run(*, operations: int, seed: int) -> Audit:
    """So many operations on a ledger in memory, audited; what was told of each is counted."""
    return asyncio.run(_run(operations, LedgerWalk(seed)))


async def _run(operations: int, walk: LedgerWalk) -> Audit:
    keeper = LedgerKeeper(MemoryLedger(), wall=SystemClock())
    for transfer in track(walk.transfers(operations), "entering", total=operations):
        walk.tell(transfer, await keeper.enter(transfer))
    audit = await keeper.audit()
    table = Table("what became of it", "times")
    for name, times in sorted(walk.told.items()):
        table.add_row(name, f"{times:,}")
    console = Console()
    console.print(table)
    for asset, total in audit.totals().items():
        console.print(f"all {asset} sum to {total}; {audit.head.number:,} entries")
    return audit
