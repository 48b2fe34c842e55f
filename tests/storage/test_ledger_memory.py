"""Who remembers where the ledger ends asks for less, and never believes it against the ledger."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from actors.clock import SystemClock
from actors.ledger import LedgerKeeper
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, Balance, account, asset_of
from engine.money.ledger import NOT_ENOUGH, Entry
from engine.money.transfers import Transfer, TransferId, TransferReason, move, void_of
from storage import ledger as stored
from storage.database import Database
from storage.ledger import PostgresLedger
from storage.settings import DatabaseSettings
from tests.builders import NOON, new_id

WALLET = account(AccountKind.CUSTOMER_WALLET, new_id())
BANK = account(AccountKind.BANK)


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    # One connection, so that a test hears all that is asked.
    alone = database_settings.model_copy(update={"pool_min": 1, "pool_max": 1})
    opened = await Database.open(alone)
    yield opened
    await opened.close()


@pytest.fixture
def ours(database: Database) -> LedgerKeeper:
    return LedgerKeeper(PostgresLedger(database), wall=SystemClock())


@pytest.fixture
def theirs(database: Database) -> LedgerKeeper:
    """Another process: it remembers for itself."""
    return LedgerKeeper(PostgresLedger(database), wall=SystemClock())


def a_transfer(amount: int, *, pending: bool = False, about: str = "") -> Transfer:
    return Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.TOP_UP,
        legs=move({WALLET: amount, BANK: -amount}),
        effective_at=NOON,
        pending=pending,
        about=about,
    )


async def entered(keeper: LedgerKeeper, transfer: Transfer) -> Entry:
    answer = await keeper.enter(transfer)
    assert isinstance(answer, Entry), answer
    return answer


async def asked(database: Database, keeper: LedgerKeeper, *transfers: Transfer) -> list[str]:
    """Which functions of the ledger entering them calls, in their order."""
    heard: list[str] = []

    def hear(query: asyncpg.connection.LoggedQuery) -> None:
        heard.extend(
            name
            for name in ("ledger_opens", "ledger_enters", "from ledger_accounts")
            if name in query.query
        )

    async with database.session() as session:
        session.connection.add_query_logger(hear)
    await keeper.enter_all(transfers)
    async with database.session() as session:
        session.connection.remove_query_logger(hear)
    return heard


async def test_who_comes_first_locks_and_who_comes_again_only_enters(
    database: Database, ours: LedgerKeeper
) -> None:
    assert await asked(database, ours, a_transfer(900)) == ["ledger_opens", "ledger_enters"]
    assert await asked(database, ours, a_transfer(-300), a_transfer(5)) == ["ledger_enters"]
    hold = a_transfer(-200, pending=True)
    assert await asked(database, ours, hold) == ["ledger_enters"]
    void = void_of(hold, id=TransferId(new_id()))
    assert await asked(database, ours, void) == ["ledger_opens", "ledger_enters"]
    assert await asked(database, ours, a_transfer(-605)) == ["ledger_enters"]
    assert (await ours.audit()).faults == []


async def test_a_balance_that_is_not_remembered_is_read_without_a_lock(
    database: Database, ours: LedgerKeeper, theirs: LedgerKeeper
) -> None:
    await entered(theirs, a_transfer(100))
    other = account(AccountKind.SHOP, new_id())
    shop = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.SALE,
        legs=move({other: 5, account(AccountKind.VAT): -5}),
        effective_at=NOON,
    )
    await entered(ours, shop)
    spent = await asked(database, ours, a_transfer(-100))
    assert spent == ["from ledger_accounts", "ledger_enters"]
    short = await asked(database, ours, a_transfer(-1))
    assert short == ["ledger_opens"]
    assert (await ours.audit()).faults == []


async def test_of_two_heads_with_one_number_only_that_which_was_left_is_trusted(
    database: Database, ours: LedgerKeeper
) -> None:
    await entered(ours, a_transfer(100))
    async with database.session() as session:
        await session.connection.execute("update ledger_head set hash = sha256('another past')")
    found = await asked(database, ours, a_transfer(-100))
    assert found == ["ledger_enters", "ledger_opens", "ledger_enters"]


async def test_what_another_process_entered_is_seen(
    ours: LedgerKeeper, theirs: LedgerKeeper
) -> None:
    await entered(ours, a_transfer(100))
    await entered(theirs, a_transfer(-100))
    refused = await ours.enter(a_transfer(-50))
    assert isinstance(refused, Refusal)
    assert refused.code == NOT_ENOUGH.code
    await entered(theirs, a_transfer(1000))
    assert (await entered(ours, a_transfer(-500))).number == 4
    assert (await entered(theirs, a_transfer(-500))).number == 5
    assert (await ours.audit()).faults == []


async def test_what_was_entered_before_has_its_entry_whatever_is_remembered(
    ours: LedgerKeeper, theirs: LedgerKeeper
) -> None:
    await entered(ours, a_transfer(100))
    spending = a_transfer(-100)
    first = await entered(theirs, spending)
    assert await ours.enter(spending) == first
    # It remembers the newest head now, and knows neither the id nor that the wallet was emptied.
    again = a_transfer(30)
    second = await entered(ours, again)
    assert await ours.enter(again) == second
    assert await ours.enter(spending) == first
    new, old = await ours.enter_all([a_transfer(1), again])
    assert isinstance(new, Entry)
    assert (new.number, old) == (4, second)
    assert (await ours.audit()).faults == []


async def test_two_processes_at_once_enter_all_and_each_once(
    database_settings: DatabaseSettings,
) -> None:
    opened = [await Database.open(database_settings) for _ in range(2)]
    keepers = [LedgerKeeper(PostgresLedger(one), wall=SystemClock()) for one in opened]
    await entered(keepers[0], a_transfer(1000))
    wishes = [a_transfer(-7) for _ in range(60)]

    async def enter_in_turn(keeper: LedgerKeeper) -> list[Entry | Refusal]:
        return [await keeper.enter(one) for one in wishes]

    first, second = await asyncio.gather(*map(enter_in_turn, keepers))
    assert first == second
    assert all(isinstance(one, Entry) for one in first)
    assert (await keepers[0].audit()).faults == []
    assert await PostgresLedger(opened[0]).find_balance(WALLET) == Balance(1000 - 60 * 7)
    for one in opened:
        await one.close()


async def test_nothing_is_remembered_of_a_turn_that_was_given_up(database: Database) -> None:
    store, transfer = PostgresLedger(database), a_transfer(5)
    keeper = LedgerKeeper(store, wall=SystemClock())
    await entered(keeper, a_transfer(1))

    async def give_up() -> None:
        async with store.turn() as turn:
            await stored.enter_in(turn, [transfer], [NOON])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await give_up()
    assert (await entered(keeper, transfer)).number == 2
    assert await store.find_balance(WALLET) == Balance(6)


async def test_only_so_many_balances_are_remembered(
    database: Database, ours: LedgerKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "REMEMBERED_MAX", 1)
    await entered(ours, a_transfer(10))
    await entered(ours, a_transfer(10))
    assert await asked(database, ours, a_transfer(-20)) == ["ledger_enters"]
    assert (await ours.audit()).faults == []


async def test_a_text_that_would_break_a_group_apart_enters_nothing(ours: LedgerKeeper) -> None:
    whole, broken = a_transfer(5, about='{"a\\", null, ب}'), a_transfer(5, about="a\x1eb")
    assert (await entered(ours, whole)).transfer == whole
    with pytest.raises(asyncpg.NotNullViolationError):
        await ours.enter(broken)
    assert (await ours.enter(whole)).number == 1  # type: ignore[union-attr]
    assert (await ours.audit()).faults == []


async def test_the_database_knows_the_same_assets_as_the_rules(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    for kind in AccountKind:
        for name in (account(kind), account(kind, "owner")):
            assert await connection.fetchval("select ledger_asset($1)", name) == asset_of(name)
    await connection.close()
