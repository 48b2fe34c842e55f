"""What must hold of payouts, bank accounts and disputes, in memory and in PostgreSQL."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from functools import partial

import pytest
from msgspec.structs import replace

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.kernel.ids import CourierId, UserId
from engine.listings import DISPUTES, PAYOUTS
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payouts import decide
from engine.payouts import dispute as disputes
from engine.payouts.dispute import Dispute, DisputeId, DisputeStatus
from engine.payouts.payout import BankAccountId, PayoutId
from storage.database import Database, connected
from storage.ledger import LedgerStore, PostgresLedger, enter_in
from storage.memory import MemoryStore
from storage.memory_ledger import MemoryLedger
from storage.memory_payouts import MemoryPayouts
from storage.payouts import PayoutStore, PostgresPayouts
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.vault import Vault
from tests.builders import NOON, new_id
from tests.engine.payouts.test_payouts import IBAN, a_dispute, a_payout, an_account
from tests.storage.walking import keeps_its_word


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture
def payouts(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> PayoutStore:
    if isinstance(store, MemoryStore):
        return MemoryPayouts()
    opened: Database = request.getfixturevalue("database")
    return PostgresPayouts(opened, Vault(KeyRing(make_keys(SystemChance()))))


@pytest.fixture
def ledger(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> LedgerStore:
    if isinstance(store, MemoryStore):
        return MemoryLedger()
    opened: Database = request.getfixturevalue("database")
    return PostgresLedger(opened)


async def test_the_newest_bank_account_counts_and_old_ones_stay(payouts: PayoutStore) -> None:
    old = an_account()
    new = an_account(old.courier_id, made_at=NOON + 1)
    for one in (old, new, an_account(), old):
        await payouts.save_account(one)
    assert await payouts.account_of(old.courier_id) == new
    assert await payouts.find_account(old.id) == old
    assert await payouts.find_account(BankAccountId(new_id())) is None
    assert await payouts.account_of(CourierId(UserId(new_id()))) is None


async def test_an_iban_cannot_be_read_in_the_database_and_moves_to_a_new_key(
    database: Database, database_settings: DatabaseSettings
) -> None:
    keys = make_keys(SystemChance())
    kept = an_account()
    await PostgresPayouts(database, Vault(KeyRing(keys))).save_account(kept)
    assert database_settings.dsn is not None
    async with connected(database_settings.dsn.get_secret_value()) as connection:
        (row,) = await connection.fetch("select state::text from bank_accounts")
    assert IBAN not in row["state"]
    rotated = dataclasses.replace(keys, sealing=(("1", b"k" * 32),))
    after = PostgresPayouts(database, Vault(KeyRing(rotated)))
    assert await after.reseal() == 1
    assert await after.find_account(kept.id) == kept
    assert await after.reseal() == 0


async def test_of_several_who_change_a_payout_at_once_one_does(payouts: PayoutStore) -> None:
    payout = a_payout()
    assert await payouts.save(payout)
    saved = await asyncio.gather(
        *(payouts.save(decide.reserved(payout, now=NOON)) for _ in range(5))
    )
    assert sorted(saved) == [False] * 4 + [True]
    assert not await payouts.save(payout)
    assert await payouts.find(PayoutId(new_id())) is None


async def test_a_courier_has_one_payout_at_a_time_until_it_is_sent(payouts: PayoutStore) -> None:
    first = a_payout()
    second = replace(a_payout(), courier_id=first.courier_id, made_at=NOON + 1)
    assert await payouts.save(first)
    assert not await payouts.save(second)
    assert await payouts.save(decide.refused(first, "balance_too_low"))
    assert await payouts.save(second)
    kept = [decide.refused(first, "balance_too_low"), second]
    await keeps_its_word(PAYOUTS, kept, partial(payouts.list_of, first.courier_id))


async def test_what_is_due_is_found_the_longest_overdue_first(payouts: PayoutStore) -> None:
    early, late = a_payout(), replace(a_payout(), due_at=NOON + 1)
    done = a_payout()
    for one in (late, early, done, decide.refused(done, "x")):
        assert await payouts.save(one)
    assert await payouts.list_due(NOON, limit=9) == (early,)
    assert await payouts.list_due(NOON + 5, limit=9) == (early, late)
    assert await payouts.list_due(NOON + 5, limit=1) == (early,)


async def test_disputes_are_listed_by_how_they_stand_and_by_what_is_due(
    payouts: PayoutStore,
) -> None:
    old, new = a_dispute(), a_dispute(opened_at=NOON + 1)
    for one in (old, new):
        assert await payouts.save_dispute(one)
    assert not await payouts.save_dispute(old)
    assert set(await payouts.list_due_disputes(NOON, limit=9)) == {old, new}
    held = disputes.entered(old)
    closed = disputes.close(held, DisputeStatus.UPHELD, now=NOON + 5)
    assert isinstance(closed, Dispute)
    for one in (held, closed):
        assert await payouts.save_dispute(one)
    more = [a_dispute(halalas=amount, courier_id=new.courier_id) for amount in (700, 700, 50)]
    for one in more:
        assert await payouts.save_dispute(one)
    await keeps_its_word(DISPUTES, (closed, new, *more), payouts.list_disputes)
    assert await payouts.find_dispute(old.id) == closed
    assert await payouts.find_dispute(DisputeId(new_id())) is None


async def test_accounts_of_a_kind_are_listed_in_parts(ledger: LedgerStore) -> None:
    names = sorted(account(AccountKind.COURIER_WALLET, new_id()) for _ in range(3))
    amounts = dict.fromkeys(names, 100)
    others = {account(AccountKind.COURIER_CASH, new_id()): -100}
    pay = {account(AccountKind.COURIER_PAY): -200}
    transfer = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.EARNING,
        legs=move({**amounts, **others, **pay}),
        effective_at=NOON,
    )
    async with ledger.turn() as turn:
        await enter_in(turn, [transfer], [NOON])
    kind = AccountKind.COURIER_WALLET
    first = await ledger.list_balances(kind, limit=2)
    assert list(first) == names[:2]
    assert list(await ledger.list_balances(kind, limit=2, after=names[1])) == names[2:]
    assert len(await ledger.list_balances(limit=9)) == 5
