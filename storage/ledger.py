"""The ledger as it is kept: one writer at a time, nothing ever changed."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import starmap
from typing import Final, Protocol

import asyncpg
import msgspec
from msgspec import Struct

from engine.kernel.filters import Condition, Operator
from engine.kernel.pages import FIRST_INSTANT, LAST_INSTANT, Key, Page, Wanted, page_of
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, AccountKind, Balance, asset_of, floor_of
from engine.money.audit import StoredEntry
from engine.money.ledger import Entry, Head, Ledger
from engine.money.transfers import PAID, Leg, Transfer, TransferId
from storage.database import Database, Session
from storage.kinds import decode, known
from storage.queries import queries

PAGE: Final = 1_000
# A balance that is remembered takes some 250 bytes.
REMEMBERED_MAX: Final = 20_000
_LAST_NUMBER: Final = 1 << 62
# Between the texts of a group, and between those of one of its transfers.
_BREAK: Final = "\x1e"
_COMMA: Final = "\x1f"


class _Found(Struct, frozen=True):
    entry: Entry
    is_closed: bool


_FOUND: Final = msgspec.json.Decoder(tuple[_Found, ...])
_LEGS: Final = msgspec.json.Decoder(tuple[tuple[AccountId, int], ...])


class LedgerTurn(Protocol):
    """The ledger while nobody else can enter anything."""

    async def load(self, transfers: Sequence[Transfer]) -> Ledger:
        """As much of it as these transfers touch."""
        ...

    async def save(self, ledger: Ledger) -> bool:
        """Keep what was added.

        False: nothing was, for it was decided on what no longer is, or must be looked at closer.
        Load again, which locks the ledger, and decide anew.
        """
        ...


class LedgerBooks(Protocol):
    """What an audit reads, all of one moment."""

    async def head(self) -> Head:
        """Where the ledger ends."""
        ...

    def entries(self) -> AsyncIterator[StoredEntry]:
        """Every entry in its order, as it lies there."""
        ...

    async def balances(self) -> dict[AccountId, Balance]:
        """Every account."""
        ...


class LedgerStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    def turn(self) -> AbstractAsyncContextManager[LedgerTurn]:
        """A turn to write; what was saved in it is kept when the block ends well."""
        ...

    def books(self) -> AbstractAsyncContextManager[LedgerBooks]:
        """The whole ledger as it stands at this moment."""
        ...

    async def find_entry(self, transfer_id: TransferId) -> Entry | None:
        """A transfer in its place."""
        ...

    async def find_balance(self, account_id: AccountId) -> Balance:
        """What an account has; nothing, if nobody has used it."""
        ...

    async def list_balances(
        self, kind: AccountKind | None = None, *, limit: int, after: AccountId | None = None
    ) -> dict[AccountId, Balance]:
        """The accounts of a kind that have an owner, or all accounts; `after` continues."""
        ...

    async def list_posted_of(self, account_id: AccountId, wanted: Wanted) -> Page[Entry]:
        """What was posted to an account, by number."""
        ...

    async def list_history(
        self, accounts: Sequence[AccountId], abouts: Sequence[str], wanted: Wanted
    ) -> Page[Entry]:
        """What was posted to any of these accounts, or was paid for or refunded about one of these.

        By number; `wanted.only` may say between which times.
        """
        ...

    async def posted_at(self, accounts: Sequence[AccountId], number: int) -> dict[AccountId, int]:
        """What each of these accounts had when the entry of this number had been entered."""
        ...

    async def list_entries_about(self, about: str, *, limit: int) -> tuple[Entry, ...]:
        """What belongs to an order, or to something else of a name, oldest first."""
        ...


class _Memory(Struct):
    """How this process left the ledger.

    A head's hash holds all of its past, so the balances are true while the head is the same.
    """

    head: Head
    balances: dict[AccountId, Balance]


async def enter_in(
    turn: LedgerTurn, transfers: Sequence[Transfer], ats: Sequence[Instant]
) -> list[Entry | Refusal]:
    """Decide about transfers, each at its moment, and keep what was decided."""
    while True:
        ledger = await turn.load(transfers)
        found = [ledger.enter(one, at) for one, at in zip(transfers, ats, strict=True)]
        # Whoever could not keep it holds the head the second time, and can.
        if await turn.save(ledger):
            return found


class PostgresLedger:
    """Satisfies `LedgerStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memory: _Memory | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[LedgerTurn]:
        # Whose turn it is takes the memory along; it is lost with him.
        memory, self._memory = self._memory, None
        async with self._database.transaction() as session:
            turn = _Turn(session, memory)
            yield turn
        self._memory = turn.left()

    @asynccontextmanager
    async def books(self) -> AsyncIterator[LedgerBooks]:
        async with self._database.snapshot() as session:
            yield _Books(session)

    async def find_entry(self, transfer_id: TransferId) -> Entry | None:
        rows = await self._database.rows(queries.find_ledger_entry, id=known(transfer_id))
        return _entry(rows[0]) if rows else None

    async def find_balance(self, account_id: AccountId) -> Balance:
        rows = await self._database.rows(queries.find_ledger_balances, accounts=[account_id])
        return _balances(rows).get(account_id, Balance())

    async def list_balances(
        self, kind: AccountKind | None = None, *, limit: int, after: AccountId | None = None
    ) -> dict[AccountId, Balance]:
        rows = await self._database.rows(
            queries.list_ledger_accounts,
            prefix="" if kind is None else f"{kind.value}:",
            after=after or "",
            limit=limit,
        )
        return _balances(rows)

    async def list_posted_of(self, account_id: AccountId, wanted: Wanted) -> Page[Entry]:
        down = wanted.goes_down
        (number,) = wanted.beyond or (_LAST_NUMBER if down else 0,)
        rows = await self._database.rows(
            queries.ledger_statement_down if down else queries.ledger_statement_up,
            account=account_id,
            number=number,
            limit=wanted.limit + 1,
        )
        return page_of([_entry(row) for row in rows], wanted)

    async def list_history(
        self, accounts: Sequence[AccountId], abouts: Sequence[str], wanted: Wanted
    ) -> Page[Entry]:
        down = wanted.goes_down
        (number,) = wanted.beyond or (_LAST_NUMBER if down else 0,)
        since, until = between(wanted.only)
        rows = await self._database.rows(
            queries.ledger_history_down if down else queries.ledger_history_up,
            accounts=list(accounts),
            abouts=list(abouts),
            reasons=[one.value for one in PAID],
            number=number,
            since=since,
            until=until,
            limit=wanted.limit + 1,
        )
        return page_of([_entry(row) for row in rows], wanted)

    async def posted_at(self, accounts: Sequence[AccountId], number: int) -> dict[AccountId, int]:
        rows = await self._database.rows(
            queries.ledger_posted_at, accounts=list(accounts), number=number
        )
        found: dict[AccountId, int] = {row["id"]: row["posted"] for row in rows}
        return {one: found.get(one, 0) for one in accounts}

    async def list_entries_about(self, about: str, *, limit: int) -> tuple[Entry, ...]:
        rows = await self._database.rows(queries.ledger_entries_about, about=about, limit=limit)
        return tuple(_entry(row) for row in rows)


class _Turn:
    """Decides on what is remembered; if that is not enough, holds the head until it ends."""

    def __init__(self, session: Session, memory: _Memory | None) -> None:
        self._session = session
        self._memory = memory
        self._asked = 0
        self._loaded: dict[AccountId, Balance] = {}
        self._is_locked = False

    async def load(self, transfers: Sequence[Transfer]) -> Ledger:
        self._asked = len(transfers)
        memory = self._memory
        if memory is None:
            return await self._open(transfers)
        # What is not remembered is read now; if the head is the same at the end, it was meanwhile.
        head, known = memory.head, memory.balances
        names = {leg.account for one in transfers for leg in one.legs}
        if unknown := names - known.keys():
            rows = await self._session.rows(queries.find_ledger_balances, accounts=list(unknown))
            known.update(_balances(rows))
        self._loaded = {one: known[one] for one in names if one in known}
        return Ledger(head, balances=self._loaded, entries={})

    async def save(self, ledger: Ledger) -> bool:
        """What was not added may have been before, which is looked up with the ledger locked."""
        if self._is_locked and not ledger.added:
            return True
        is_entered = (self._is_locked or len(ledger.added) == self._asked) and (
            await self._session.value(queries.enter_transfers, **_group(ledger, self._loaded))
        )
        if is_entered:
            self._keep(ledger)
        else:
            assert not self._is_locked, "nobody else can have entered anything"
            self._memory = None
        return bool(is_entered)

    def left(self) -> _Memory | None:
        """What to remember when the turn was kept."""
        return self._memory

    async def _open(self, transfers: Sequence[Transfer]) -> Ledger:
        (row,) = await self._session.rows(
            queries.open_ledger, ids=named(transfers), accounts=touched(transfers)
        )
        self._is_locked = True
        found = _FOUND.decode(row["entries"]) if row["entries"] else ()
        balances = zip(row["posted"] or (), row["reserved"] or (), strict=True)
        head = Head(row["number"], row["hash"])
        self._loaded = dict(zip(row["accounts"] or (), starmap(Balance, balances), strict=True))
        if self._memory is None or self._memory.head != head:
            self._memory = _Memory(head, {})
        self._memory.balances.update(self._loaded)
        return Ledger(
            head,
            balances=self._loaded,
            entries={one.entry.transfer.id: one.entry for one in found},
            closed=frozenset(one.entry.transfer.id for one in found if one.is_closed),
        )

    def _keep(self, ledger: Ledger) -> None:
        assert self._memory is not None, "whoever has loaded remembers"
        self._memory.head = ledger.head
        if len(self._memory.balances) > REMEMBERED_MAX:
            self._memory.balances = {}
        self._memory.balances.update(ledger.changed)


class _Books:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def head(self) -> Head:
        (row,) = await self._session.rows(queries.ledger_head)
        return Head(row["number"], row["hash"])

    async def entries(self) -> AsyncIterator[StoredEntry]:
        after = 0
        while rows := await self._session.rows(queries.ledger_page, after=after, limit=PAGE):
            for row in rows:
                yield StoredEntry(
                    number=row["number"],
                    at=row["at"],
                    hash=row["hash"],
                    state=row["state"],
                    legs=tuple(Leg(*one) for one in _LEGS.decode(row["legs"])),
                )
            after = rows[-1]["number"]

    async def balances(self) -> dict[AccountId, Balance]:
        return _balances(await self._session.rows(queries.ledger_accounts))


def named(transfers: Iterable[Transfer]) -> list[TransferId]:
    """The transfers themselves and those that they settle or reverse."""
    return sorted(
        {one for each in transfers for one in (each.id, each.settles, each.reverses) if one}
    )


def touched(transfers: Iterable[Transfer]) -> list[AccountId]:
    """The accounts of all their legs."""
    return sorted({leg.account for one in transfers for leg in one.legs})


def between(only: Iterable[Condition]) -> tuple[Instant, Instant]:
    """The first and the last instant that conditions on `at` leave."""
    since, until = FIRST_INSTANT, LAST_INSTANT
    for one in only:
        assert one.column == "at", "nothing else is asked of entries"
        assert isinstance(one.value, int), "a time is a number"
        match one.operator:
            case Operator.GT | Operator.GTE:
                since = max(since, one.value + (one.operator is Operator.GT))
            case _:
                until = min(until, one.value - (one.operator is Operator.LT))
    return since, until


def entered_at(entry: Entry) -> Key:
    """Where an entry stands in a list."""
    return (entry.number,)


def _group(ledger: Ledger, loaded: Mapping[AccountId, Balance]) -> dict[str, object]:
    """What `enter_transfers` takes: texts, which the driver sends without looking into them."""
    added, new = ledger.added, sorted(ledger.changed.keys() - loaded.keys())
    transfers = [one.transfer for one in added]
    return {
        "number": ledger.opened.number,
        "hash": ledger.opened.hash,
        "new_accounts": new,
        "assets": [asset_of(one) for one in new],
        "floors": [floor_of(one) for one in new],
        "ats": _numbers([one.at for one in added]),
        "hashes": bytes.fromhex("".join([one.hash for one in added])),
        "ids": _numbers([one.id for one in transfers]),
        "reasons": _BREAK.join([one.reason._value_ for one in transfers]),
        "effective_ats": _numbers([one.effective_at for one in transfers]),
        "abouts": _BREAK.join([one.about for one in transfers]),
        "forms": _BREAK.join([_form(one) for one in transfers]),
        "closing": _BREAK.join([one.settles or one.reverses or "" for one in transfers]),
        "accounts": _BREAK.join(
            [_COMMA.join([leg.account for leg in one.legs]) for one in transfers]
        ),
        "amounts": _BREAK.join([_numbers([leg.amount for leg in one.legs]) for one in transfers]),
    }


def _form(transfer: Transfer) -> str:
    if transfer.pending:
        return "pending"
    if transfer.settles is not None:
        return "settles"
    return "posted" if transfer.reverses is None else "reverses"


def _numbers(values: Iterable[int | str]) -> str:
    """The text of an array of numbers, or of others that need no quotes."""
    return f"{{{','.join(map(str, values))}}}"


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(
        number=row["number"],
        at=row["at"],
        transfer=decode(Transfer, row["state"]),
        hash=row["hash"],
    )


def _balances(rows: Iterable[asyncpg.Record]) -> dict[AccountId, Balance]:
    return {AccountId(row["id"]): Balance(row["posted"], row["reserved"]) for row in rows}
