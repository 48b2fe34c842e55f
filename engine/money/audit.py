"""The audit: every balance folded anew from the entries, and every hash computed again."""

from collections import Counter
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, Asset, Balance, asset_of, floor_of
from engine.money.ledger import Head, moved, seal
from engine.money.transfers import Leg, Transfer, TransferId

FAULTS_MAX = 100


class StoredEntry(Struct, frozen=True, kw_only=True):
    """An entry as it lies in the store, believed by nobody yet; `state` is the transfer's JSON."""

    number: int
    at: Instant
    hash: str
    state: bytes | memoryview
    legs: tuple[Leg, ...]


class Audit:
    """Takes the entries in their order; what is wrong stands in `faults`, the first hundred."""

    def __init__(self) -> None:
        self.head = Head()
        self.balances: dict[AccountId, Balance] = {}
        self.faults: list[str] = []
        self._pending: dict[TransferId, Transfer] = {}

    def take(self, stored: StoredEntry) -> None:
        """The next entry."""
        head, number = self.head, stored.number
        # What follows is judged by itself, so that one change is told as one.
        self.head = Head(number, stored.hash)
        try:
            transfer = msgspec.json.decode(stored.state, type=Transfer)
        except msgspec.ValidationError as fault:
            self._fault(f"entry {number} holds no transfer: {fault}")
            return
        sealed = seal(head, transfer, stored.at)
        if (sealed.number, sealed.hash) != (number, stored.hash):
            self._fault(f"entry {number} is not the one that was sealed in its place")
        if stored.legs != transfer.legs:
            self._fault(f"entry {number} has other legs than its transfer")
        self._apply(transfer)

    def finish(self, head: Head, balances: Mapping[AccountId, Balance]) -> None:
        """Compare the outcome with the stored head and the stored balances."""
        if head != self.head:
            self._fault(f"the ledger ends at {self.head.number}, its head says {head.number}")
        for name in sorted({*self.balances, *balances}):
            folded, stored = (one.get(name, Balance()) for one in (self.balances, balances))
            if folded != stored:
                self._fault(f"{name} has {stored}, its entries make {folded}")
            floor = floor_of(name)
            if floor is not None and folded.available < floor:
                self._fault(f"{name} is below its floor: {folded}")
        for asset, total in self.totals().items():
            if total:
                self._fault(f"all {asset} sum to {total}, not to zero")

    def totals(self) -> dict[Asset, int]:
        """The sum of all posted balances of each asset: zero."""
        sums: Counter[Asset] = Counter()
        for name, balance in self.balances.items():
            sums[asset_of(name)] += balance.posted
        return dict(sums)

    def _apply(self, transfer: Transfer) -> None:
        if transfer.pending:
            self._pending[transfer.id] = transfer
        if transfer.settles is not None:
            self._release(transfer)
        for leg in transfer.legs:
            before = self.balances.get(leg.account, Balance())
            self.balances[leg.account] = moved(before, leg, pending=transfer.pending)

    def _release(self, transfer: Transfer) -> None:
        pending = self._pending.pop(transfer.settles) if transfer.settles in self._pending else None
        if pending is None:
            self._fault(f"transfer {transfer.id} settles what is not pending")
            return
        for leg in pending.legs:
            before = self.balances[leg.account]
            self.balances[leg.account] = replace(
                before, reserved=before.reserved - min(0, leg.amount)
            )

    def _fault(self, text: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(text)
