"""The ledger as it is kept: one writer at a time, nothing ever changed."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import starmap
from typing import Final, Protocol

import asyncpg
import msgspec
from msgspec import Struct

from engine.kernel.pages import Key, Page, Wanted, page_of
from engine.money.accounts import AccountId, AccountKind, Balance, asset_of, floor_of
from engine.money.audit import StoredEntry
from engine.money.ledger import Entry, Head, Ledger
from engine.money.transfers import Leg, Transfer, TransferId
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.queries import queries

PAGE: Final = 1_000
_LAST_NUMBER: Final = 1 << 62


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

    async def save(self, ledger: Ledger) -> None:
        """Keep what was added."""
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

    async def list_entries_about(self, about: str, *, limit: int) -> tuple[Entry, ...]:
        """What belongs to an order, or to something else of a name, oldest first."""
        ...


class PostgresLedger:
    """Satisfies `LedgerStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[LedgerTurn]:
        async with self._database.transaction() as session:
            yield _Turn(session)

    @asynccontextmanager
    async def books(self) -> AsyncIterator[LedgerBooks]:
        async with self._database.snapshot() as session:
            yield _Books(session)

    async def find_entry(self, transfer_id: TransferId) -> Entry | None:
        rows = await self._database.rows(queries.find_ledger_entry, id=known(transfer_id))
        return _entry(rows[0]) if rows else None

    async def find_balance(self, account_id: AccountId) -> Balance:
        rows = await self._database.rows(queries.find_ledger_balance, account=account_id)
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

    async def list_entries_about(self, about: str, *, limit: int) -> tuple[Entry, ...]:
        rows = await self._database.rows(queries.ledger_entries_about, about=about, limit=limit)
        return tuple(_entry(row) for row in rows)


class _Turn:
    """Whose turn it is holds the head from when he loads until he has committed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def load(self, transfers: Sequence[Transfer]) -> Ledger:
        (row,) = await self._session.rows(
            queries.open_ledger, ids=named(transfers), accounts=touched(transfers)
        )
        found = _FOUND.decode(row["entries"]) if row["entries"] else ()
        balances = zip(row["posted"] or (), row["reserved"] or (), strict=True)
        return Ledger(
            Head(row["number"], row["hash"]),
            balances=dict(zip(row["accounts"] or (), starmap(Balance, balances), strict=True)),
            entries={one.entry.transfer.id: one.entry for one in found},
            closed=frozenset(one.entry.transfer.id for one in found if one.is_closed),
        )

    async def save(self, ledger: Ledger) -> None:
        if not ledger.added:
            return
        changed = sorted(ledger.changed)
        legs = [
            (one.number, position, leg)
            for one in ledger.added
            for position, leg in enumerate(one.transfer.legs)
        ]
        await self._session.run(
            queries.enter_transfers,
            accounts=changed,
            assets=_array(map(asset_of, changed)),
            floors=_array(map(floor_of, changed)),
            posted=_array(ledger.changed[one].posted for one in changed),
            reserved=_array(ledger.changed[one].reserved for one in changed),
            number=ledger.head.number,
            hash=ledger.head.hash,
            numbers=_array(one.number for one in ledger.added),
            ats=_array(one.at for one in ledger.added),
            hashes=_array(one.hash for one in ledger.added),
            states=[encode(one.transfer) for one in ledger.added],
            leg_numbers=_array(number for number, _, _ in legs),
            leg_positions=_array(position for _, position, _ in legs),
            leg_accounts=[leg.account for *_, leg in legs],
            leg_assets=_array(asset_of(leg.account) for *_, leg in legs),
            leg_amounts=_array(leg.amount for *_, leg in legs),
        )


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


def entered_at(entry: Entry) -> Key:
    """Where an entry stands in a list."""
    return (entry.number,)


def _array(values: Iterable[int | str | None]) -> str:
    """The text of an array of numbers, or of words that need no quotes."""
    return f"{{{','.join('null' if one is None else str(one) for one in values)}}}"


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(
        number=row["number"],
        at=row["at"],
        transfer=decode(Transfer, row["state"]),
        hash=row["hash"],
    )


def _balances(rows: Iterable[asyncpg.Record]) -> dict[AccountId, Balance]:
    return {AccountId(row["id"]): Balance(row["posted"], row["reserved"]) for row in rows}
