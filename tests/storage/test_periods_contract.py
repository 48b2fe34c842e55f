"""What must hold of closed periods and turnovers, in memory and in PostgreSQL."""

import asyncio
import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asyncpg import PostgresError
from msgspec.structs import replace

from api.commands.periods import HEAD, export
from engine.invoices.invoice import Draft, Invoice
from engine.invoices.issue import issue
from engine.kernel.ids import UserId
from engine.kernel.timing import Instant
from engine.money.accounts import AccountKind, Asset, account
from engine.money.periods import Span, Turnover, VatSum, period_of
from engine.money.transfers import Transfer, TransferId, TransferReason, move, void_of
from storage.database import Database, connected
from storage.invoices import InvoiceStore, PostgresInvoices
from storage.ledger import LedgerStore, PostgresLedger, enter_in
from storage.memory import MemoryStore
from storage.memory_invoices import MemoryInvoices
from storage.memory_ledger import MemoryLedger
from storage.memory_periods import MemoryPeriods
from storage.periods import PeriodStore, PostgresPeriods
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.store import Store
from tests.builders import NOON, new_id
from tests.engine.invoices.drafts import LINES, STAMP, a_draft, a_note_on
from tests.storage.telling import a_told_story

VAT, GATEWAY = account(AccountKind.VAT), account(AccountKind.GATEWAY, "moyasar")
ALL = Span(since=0, until=1 << 62, first=None, last=None)
JANUARY = period_of("2026-01")
Both = tuple[PeriodStore, LedgerStore, InvoiceStore]


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture
def both(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> Both:
    if isinstance(store, MemoryStore):
        ledger, invoices = MemoryLedger(), MemoryInvoices()
        return MemoryPeriods(ledger, invoices), ledger, invoices
    opened: Database = request.getfixturevalue("database")
    return PostgresPeriods(opened), PostgresLedger(opened), PostgresInvoices(opened)


async def enter(
    ledger: LedgerStore, amount: int, at: Instant, *, pending: bool = False
) -> Transfer:
    transfer = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.SALE,
        legs=move({VAT: amount, GATEWAY: -amount}),
        effective_at=at,
        pending=pending,
    )
    await keep(ledger, transfer)
    return transfer


async def keep(ledger: LedgerStore, transfer: Transfer) -> None:
    async with ledger.turn() as turn:
        await enter_in(turn, [transfer], [NOON])


def turnovers(debits: int, credits_: int) -> tuple[Turnover, ...]:
    """Of the gateway, and, the other way round, of VAT."""
    kinds = ((AccountKind.GATEWAY, debits, credits_), (AccountKind.VAT, credits_, debits))
    return tuple(
        Turnover(kind=kind, asset=Asset.HALALAS, debits=one, credits=other)
        for kind, one, other in kinds
    )


async def test_turnovers_are_of_the_days_and_entries_that_are_asked_for(both: Both) -> None:
    periods, ledger, _ = both
    assert await periods.turnovers(ALL) == ()
    for number, at in enumerate((100, 200, 300, 150), start=1):
        await enter(ledger, number, at)
    await enter(ledger, -10, 400)
    pending = await enter(ledger, 50, 200, pending=True)
    await keep(ledger, void_of(pending, id=TransferId(new_id())))
    assert await periods.turnovers(ALL) == turnovers(10, 10)
    some = Span(since=150, until=300, first=None, last=None)
    assert await periods.turnovers(some) == turnovers(2 + 4, 0)
    assert await periods.turnovers(Span(since=150, until=300, first=None, last=3)) == turnovers(
        2, 0
    )
    late = Span(since=300, until=400, first=3, last=None)
    assert await periods.turnovers(late) == turnovers(3 + 4, 0)


async def test_a_period_is_closed_once_where_the_ledger_ends(both: Both) -> None:
    periods, ledger, _ = both
    assert JANUARY is not None
    assert await periods.last_closing() is None
    await enter(ledger, 7, NOON)
    people = [UserId(new_id()) for _ in range(5)]
    made = await asyncio.gather(*(periods.close(JANUARY.name, at=NOON, by=one) for one in people))
    assert len({one.closed_by for one in made}) == 1
    assert made[0].number == 1
    await enter(ledger, 8, NOON)
    again = await periods.close(JANUARY.name, at=NOON + 9, by=people[0])
    assert again == made[0] == await periods.find_closing(JANUARY.name)
    assert await periods.last_closing() == made[0]


async def test_nobody_opens_a_closed_period_again(
    database: Database, database_settings: DatabaseSettings
) -> None:
    assert JANUARY is not None
    await PostgresPeriods(database).close(JANUARY.name, at=NOON, by=UserId(new_id()))
    assert database_settings.dsn is not None
    async with connected(database_settings.dsn.get_secret_value()) as connection:
        with pytest.raises(PostgresError, match="never opened again"):
            await connection.execute("delete from ledger_closings")


async def test_documents_are_summed_by_kind_in_the_month_in_which_they_were_issued(
    store: Store, both: Both
) -> None:
    periods, _, invoices = both
    assert JANUARY is not None
    order = (await a_told_story(store)).order
    inside = (JANUARY.since, JANUARY.until - 1)
    drafts = [a_draft(order_id=order.id, issued_at=at) for at in (*inside, JANUARY.until)]
    first, *_ = [await issued(invoices, one) for one in drafts]
    note = a_note_on(first, lines=LINES[:1])
    credited = await issued(invoices, replace(note, issued_at=JANUARY.since))
    assert await periods.vat_sums(JANUARY) == (
        VatSum(
            kind="credit_note",
            documents=1,
            net_halalas=credited.net_halalas,
            vat_halalas=credited.vat_halalas,
        ),
        VatSum(
            kind="invoice",
            documents=2,
            net_halalas=2 * first.net_halalas,
            vat_halalas=2 * first.vat_halalas,
        ),
    )


async def issued(invoices: InvoiceStore, draft: Draft) -> Invoice:
    made = await invoices.issue("HDY", draft, lambda chain: issue(draft, chain, STAMP))
    assert isinstance(made, Invoice)
    return made


@pytest.mark.parametrize("period", ["2026-01", "2026-02"])
def test_the_legs_of_a_month_are_written_into_a_file(
    period: str, database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    async def fill() -> None:
        database = await Database.open(database_settings)
        await enter(PostgresLedger(database), 150, NOON)
        await database.close()

    asyncio.run(fill())
    export(database_settings, period, tmp_path / "legs.csv")
    with (tmp_path / "legs.csv").open(encoding="utf-8", newline="") as opened:
        head, *rows = list(csv.reader(opened))
    assert tuple(head) == HEAD
    amounts = {row[HEAD.index("account")]: int(row[HEAD.index("amount")]) for row in rows}
    assert amounts == ({VAT: 150, GATEWAY: -150} if period == "2026-01" else {})
