"""The in-memory twin of the ledger."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain

from engine.kernel.pages import Page, Wanted, slice_of
from engine.money.accounts import AccountId, AccountKind, Balance
from engine.money.audit import StoredEntry
from engine.money.ledger import Entry, Head, Ledger
from engine.money.transfers import PAID, Transfer, TransferId
from storage.kinds import encode
from storage.ledger import LedgerBooks, LedgerTurn, between, entered_at, named, touched


class MemoryLedger:
    """Satisfies `LedgerStore`."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._kept: list[Entry] = []
        self._by_id: dict[TransferId, Entry] = {}
        self._closed: set[TransferId] = set()
        self._balances: dict[AccountId, Balance] = {}
        self._posted: dict[AccountId, list[Entry]] = defaultdict(list)
        self._about: dict[str, list[Entry]] = defaultdict(list)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[LedgerTurn]:
        async with self._lock:
            waiting: list[Ledger] = []
            yield _Turn(self, waiting)
            for one in waiting:
                self._keep(one)

    @asynccontextmanager
    async def books(self) -> AsyncIterator[LedgerBooks]:
        yield _Books(tuple(self._kept), dict(self._balances))

    async def find_entry(self, transfer_id: TransferId) -> Entry | None:
        return self._by_id.get(transfer_id)

    async def find_balance(self, account_id: AccountId) -> Balance:
        return self._balances.get(account_id, Balance())

    async def list_balances(
        self, kind: AccountKind | None = None, *, limit: int, after: AccountId | None = None
    ) -> dict[AccountId, Balance]:
        prefix = "" if kind is None else f"{kind.value}:"
        names = [one for one in self._balances if one.startswith(prefix) and one > (after or "")]
        return {one: self._balances[one] for one in sorted(names)[:limit]}

    async def list_posted_of(self, account_id: AccountId, wanted: Wanted) -> Page[Entry]:
        return slice_of(self._posted.get(account_id, ()), entered_at, wanted)

    async def list_history(
        self, accounts: Sequence[AccountId], abouts: Sequence[str], wanted: Wanted
    ) -> Page[Entry]:
        posted = (one for name in accounts for one in self._posted.get(name, ()))
        paid = (
            one
            for about in abouts
            for one in self._about.get(about, ())
            if one.transfer.reason in PAID and not one.transfer.pending
        )
        since, until = between(wanted.only)
        found = {one.number: one for one in chain(posted, paid) if since <= one.at <= until}
        return slice_of(found.values(), entered_at, wanted)

    async def posted_at(self, accounts: Sequence[AccountId], number: int) -> dict[AccountId, int]:
        return {
            name: sum(
                leg.amount
                for one in self._posted.get(name, ())
                for leg in one.transfer.legs
                if leg.account == name and one.number <= number
            )
            for name in accounts
        }

    async def list_entries_about(self, about: str, *, limit: int) -> tuple[Entry, ...]:
        return tuple(self._about.get(about, ())[:limit])

    def entries(self) -> tuple[Entry, ...]:
        """All of them, in their order."""
        return tuple(self._kept)

    def part(self, transfers: Sequence[Transfer]) -> Ledger:
        """As much of it as these transfers touch."""
        ids = named(transfers)
        last = self._kept[-1] if self._kept else None
        return Ledger(
            Head(last.number, last.hash) if last else Head(),
            balances=self._balances,
            entries={one: self._by_id[one] for one in ids if one in self._by_id},
            closed=frozenset(one for one in ids if one in self._closed),
        )

    def _keep(self, ledger: Ledger) -> None:
        self._kept.extend(ledger.added)
        self._balances.update(ledger.changed)
        for entry in ledger.added:
            transfer = entry.transfer
            self._by_id[transfer.id] = entry
            self._about[transfer.about].append(entry)
            if not transfer.pending:
                for name in touched([transfer]):
                    self._posted[name].append(entry)
            self._closed.update(one for one in (transfer.settles, transfer.reverses) if one)


class _Turn:
    def __init__(self, kept: MemoryLedger, waiting: list[Ledger]) -> None:
        self._kept = kept
        self._waiting = waiting

    async def load(self, transfers: Sequence[Transfer]) -> Ledger:
        return self._kept.part(transfers)

    async def save(self, ledger: Ledger) -> bool:
        self._waiting.append(ledger)
        return True


class _Books:
    def __init__(self, kept: tuple[Entry, ...], balances: dict[AccountId, Balance]) -> None:
        self._kept = kept
        self._balances = balances

    async def head(self) -> Head:
        return Head(self._kept[-1].number, self._kept[-1].hash) if self._kept else Head()

    async def entries(self) -> AsyncIterator[StoredEntry]:
        for one in self._kept:
            yield StoredEntry(
                number=one.number,
                at=one.at,
                hash=one.hash,
                state=encode(one.transfer),
                legs=one.transfer.legs,
            )

    async def balances(self) -> dict[AccountId, Balance]:
        return self._balances
