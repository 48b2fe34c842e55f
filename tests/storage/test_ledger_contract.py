"""What must hold of the stored ledger, in memory and in PostgreSQL, also while many write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from actors.clock import SystemClock
from actors.ledger import LedgerKeeper
from engine.kernel.pages import Wanted
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, Balance, account
from engine.money.ledger import NOT_ENOUGH, Entry
from engine.money.transfers import Transfer, TransferId, TransferReason, move, reversal_of, void_of
from simulations.ledger_walk import LedgerWalk
from storage.database import Database
from storage.ledger import LedgerStore, PostgresLedger, entered_at
from storage.memory_ledger import MemoryLedger
from storage.settings import DatabaseSettings
from tests.actors.kills import Killed, Life, MortalLedger
from tests.builders import NOON, new_id

WALLET = account(AccountKind.CUSTOMER_WALLET, new_id())
GATEWAY = account(AccountKind.GATEWAY, "moyasar")
REVENUE = account(AccountKind.REVENUE)


@pytest.fixture
async def postgres_ledger(database_settings: DatabaseSettings) -> AsyncIterator[PostgresLedger]:
    database = await Database.open(database_settings)
    yield PostgresLedger(database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> LedgerStore:
    if request.param == "memory":
        return MemoryLedger()
    opened: PostgresLedger = request.getfixturevalue("postgres_ledger")
    return opened


def a_transfer(amount: int, **fields: Any) -> Transfer:
    """So much from the gateway into the wallet, or out of the wallet."""
    legs = move({WALLET: amount, (GATEWAY if amount > 0 else REVENUE): -amount})
    known = {"id": TransferId(new_id()), "reason": TransferReason.TOP_UP, "effective_at": NOON}
    return Transfer(**{"legs": legs, **known, **fields})


def keeper(store: LedgerStore) -> LedgerKeeper:
    return LedgerKeeper(store, wall=SystemClock())


async def entered(store: LedgerStore, transfer: Transfer) -> Entry:
    answer = await keeper(store).enter(transfer)
    assert isinstance(answer, Entry), answer
    return answer


async def faults(store: LedgerStore) -> list[str]:
    return (await keeper(store).audit()).faults


async def test_what_is_entered_is_found_again(ledger: LedgerStore) -> None:
    first = await entered(ledger, a_transfer(1000, about="order:1"))
    hold = await entered(ledger, a_transfer(-300, pending=True, about="order:1"))
    assert await ledger.find_entry(first.transfer.id) == first
    assert await ledger.find_entry(TransferId(new_id())) is None
    assert await ledger.find_entry(TransferId("no id")) is None
    assert await ledger.find_balance(WALLET) == Balance(1000, -300)
    assert await ledger.find_balance(account(AccountKind.SHOP, "1")) == Balance()
    assert (await ledger.list_posted_of(WALLET, Wanted(limit=9))).rows == (first,)
    assert await ledger.list_entries_about("order:1", limit=9) == (first, hold)
    assert [first.number, hold.number] == [1, 2]
    assert await faults(ledger) == []


async def test_what_was_posted_is_read_a_page_at_a_time_in_both_directions(
    ledger: LedgerStore,
) -> None:
    posted = [await entered(ledger, a_transfer(amount)) for amount in (1, 2, 3)]
    await entered(ledger, a_transfer(-1, pending=True))
    last = await entered(ledger, a_transfer(4))
    newest_first = [last, *reversed(posted)]
    page = await ledger.list_posted_of(WALLET, Wanted(limit=2))
    assert (list(page.rows), page.has_next) == (newest_first[:2], True)
    beyond = entered_at(page.rows[-1])
    page = await ledger.list_posted_of(WALLET, Wanted(limit=2, beyond=beyond))
    assert (list(page.rows), page.has_next) == (newest_first[2:], False)
    beyond = entered_at(page.rows[0])
    page = await ledger.list_posted_of(WALLET, Wanted(limit=2, beyond=beyond, backwards=True))
    assert (list(page.rows), page.has_previous) == (newest_first[:2], False)


async def test_every_leg_of_a_transfer_is_found_by_its_account(ledger: LedgerStore) -> None:
    names = sorted(account(AccountKind.SHOP, new_id()) for _ in range(5))
    amounts = dict(zip(names, (-4, 1, 1, 1, 1), strict=True))
    first, last = [await entered(ledger, a_transfer(1, legs=move(amounts))) for _ in range(2)]
    await entered(ledger, a_transfer(1, legs=move(amounts), pending=True))
    for name in names:
        for descending in (True, False):
            page = await ledger.list_posted_of(name, Wanted(limit=9, descending=descending))
            assert page.rows == ((last, first) if descending else (first, last))
    assert await faults(ledger) == []


async def test_what_was_closed_before_stays_closed(ledger: LedgerStore) -> None:
    posted = await entered(ledger, a_transfer(1000))
    hold = await entered(ledger, a_transfer(-300, pending=True))

    def void() -> Transfer:
        return void_of(hold.transfer, id=TransferId(new_id()))

    def reversal() -> Transfer:
        return reversal_of(posted.transfer, id=TransferId(new_id()), effective_at=NOON)

    for make in (void, reversal):
        await entered(ledger, make())
        assert isinstance(await keeper(ledger).enter(make()), Refusal)
    assert await ledger.find_balance(WALLET) == Balance()
    assert await faults(ledger) == []


async def test_a_hundred_repetitions_at_once_have_one_effect(ledger: LedgerStore) -> None:
    transfer = a_transfer(700)
    keepers = [keeper(ledger) for _ in range(4)]
    answers = await asyncio.gather(*(keepers[n % 4].enter(transfer) for n in range(100)))
    (first, *others) = answers
    assert all(one == first for one in others)
    assert await ledger.find_balance(WALLET) == Balance(700)


async def test_of_many_who_empty_a_wallet_at_once_only_so_many_succeed_as_it_can_bear(
    ledger: LedgerStore,
) -> None:
    await entered(ledger, a_transfer(1000))
    keepers = [keeper(ledger) for _ in range(4)]
    wishes = [a_transfer(-130, pending=n % 2 == 0) for n in range(40)]
    answers = await asyncio.gather(*(keepers[n % 4].enter(one) for n, one in enumerate(wishes)))
    refusals = [one.code for one in answers if isinstance(one, Refusal)]
    assert refusals == [NOT_ENOUGH.code] * 33
    assert (await ledger.find_balance(WALLET)).available == 1000 - 7 * 130
    assert await faults(ledger) == []


async def test_random_operations_leave_nothing_to_object_to(ledger: LedgerStore) -> None:
    walk, host = LedgerWalk(1), keeper(ledger)
    for transfer in walk.transfers(200):
        walk.tell(transfer, await host.enter(transfer))
    audit = await host.audit()
    assert audit.faults == []
    assert not any(audit.totals().values())
    assert {"posted", "pending", "post", "void", "reversal"} <= walk.told.keys()


async def test_who_fails_in_his_turn_has_entered_nothing(ledger: LedgerStore) -> None:
    transfer = a_transfer(5)

    async def fail_after_saving() -> None:
        async with ledger.turn() as turn:
            part = await turn.load([transfer])
            part.enter(transfer, NOON)
            await turn.save(part)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_saving()
    assert await ledger.find_entry(transfer.id) is None
    assert (await entered(ledger, transfer)).number == 1


async def test_wherever_a_writer_dies_a_group_is_entered_whole_or_not_at_all(
    ledger: LedgerStore,
) -> None:
    await entered(ledger, a_transfer(1000))

    async def told(dies_at: int | None) -> tuple[Life, list[Transfer]]:
        life = Life(dies_at)
        mortal: Any = MortalLedger(ledger, life)
        writer = keeper(mortal)
        group = [a_transfer(-20), a_transfer(-30, pending=True), a_transfer(50)]
        with contextlib.suppress(Killed):
            await life.during(writer.enter_all(group))
        left = 0 if writer._writer is None else 1
        assert left == (dies_at is not None)
        life.leave([writer._writer] if writer._writer else [])
        await life.bury()
        return life, group

    alive, _ = await told(None)
    assert len(alive.points) == 6
    for dies_at, where in enumerate(alive.points):
        _, group = await told(dies_at)
        found = [await ledger.find_entry(one.id) for one in group]
        assert [one is not None for one in found] == [where == "after the commit"] * 3, where
        again = await keeper(ledger).enter_all(group)
        assert all(isinstance(one, Entry) for one in again)
        assert found in ([None] * 3, again)
    assert await faults(ledger) == []


@pytest.fixture
async def connection(
    dsn: str, postgres_ledger: PostgresLedger
) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody who does not keep to the rules; one transfer is there."""
    await entered(postgres_ledger, a_transfer(1000))
    opened = await asyncpg.connect(dsn)
    yield opened
    await opened.close()


def added(**columns: str) -> str:
    """A statement that moves the head and enters what is there once more, but for this."""
    known = {
        "number": "2",
        "id": "gen_random_uuid()",
        **{
            one: one
            for one in (
                *("at", "hash", "reason", "effective_at", "about", "form", "closes"),
                *("accounts", "amounts"),
            )
        },
        **columns,
    }
    return f"""with moved as (update ledger_head set number = 2)
    insert into ledger_entries ({", ".join(known)})
    select {", ".join(known.values())} from ledger_entries"""


THREE = "accounts || 'bank'::text"
ITSELF = "00000000-0000-0000-0000-000000000001"
FORBIDDEN = (
    "update ledger_entries set at = now()",
    "delete from ledger_entries",
    "truncate ledger_entries cascade",
    "insert into ledger_further_legs values (1, 3, 'bank', 5)",
    "update ledger_further_legs set amount = amount + 1",
    "delete from ledger_further_legs",
    "truncate ledger_further_legs",
    "update ledger_accounts set posted = -1 where id like 'customer%'",
    "insert into ledger_head (number, hash) values (1, '')",
    # What entries rely on.
    "update ledger_accounts set asset = 'points'",
    "delete from ledger_accounts",
    "truncate ledger_accounts",
    # What does not sum to zero, or has other accounts than there are.
    added(amounts="array[5, -6]"),
    added(amounts="array[0, 0]"),
    added(amounts="array[5]"),
    added(amounts="array[5, null]::bigint[]"),
    added(accounts="array['bank', 'bank']"),
    added(accounts="array[accounts[1], accounts[2] || '?']"),
    added(accounts="array[accounts[1], 'points:' || accounts[2]]"),
    added(accounts=THREE, amounts="array[5, -6, 2]"),
    added(accounts=THREE, amounts="array[5, -5, 0]"),
    added(accounts="array[accounts[1], accounts[2], accounts[1]]", amounts="array[5, -6, 1]"),
    added(accounts="'{}'", amounts="'{}'"),
    added(accounts=f"array[{THREE}]", amounts="array[[5, -6, 1]]"),
    added(accounts=f"('[0:2]=' || ({THREE})::text)::text[]", amounts="array[5, -6, 1]"),
    # What is of no form, or closes what it cannot.
    added(form="'held'"),
    added(form="'settles'"),
    added(closes="id"),
    added(form="'settles'", closes="gen_random_uuid()"),
    added(form="'settles'", closes="id"),
    added(form="'pending'", closes="id"),
    added(form="'reverses'", id=f"'{ITSELF}'::uuid", closes=f"'{ITSELF}'::uuid"),
    # What stands in another's place, has another's name, or a hash that is none.
    added(number="1"),
    added(number="3"),
    added(id="id"),
    added(hash="hash || hash"),
    added().replace("set number = 2", "set number = 3"),
    # More than a wallet has.
    added(amounts="array[-amounts[1] - 1, amounts[1] + 1]"),
)


async def test_the_database_itself_refuses_what_must_not_be(
    connection: asyncpg.Connection, postgres_ledger: PostgresLedger
) -> None:
    # What is added to nothing forbidden is taken, so that each is refused for what it says.
    taking = connection.transaction()
    await taking.start()
    await connection.execute(added(amounts="array[5, -5]"))
    await taking.rollback()
    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(statement)
    assert await faults(postgres_ledger) == []


# What is done behind the back of all triggers, and how it is undone.
TAMPERED = (
    (
        "update ledger_entries set amounts = array[999, -999]",
        "update ledger_entries set amounts = array[1000, -1000]",
    ),
    ("update ledger_entries set about = 'a'", "update ledger_entries set about = null"),
    (
        "update ledger_entries set at = at + interval '1 ms'",
        "update ledger_entries set at = at - interval '1 ms'",
    ),
    ("insert into ledger_further_legs values (1, 3, 'bank', 5)", "delete from ledger_further_legs"),
    (
        "update ledger_accounts set posted = posted + 1",
        "update ledger_accounts set posted = posted - 1",
    ),
    ("update ledger_head set number = 5", "update ledger_head set number = 1"),
)


async def test_the_audit_finds_what_was_changed_past_all_triggers(
    connection: asyncpg.Connection, postgres_ledger: PostgresLedger
) -> None:
    await connection.execute("set session_replication_role = replica")
    for change, undo in TAMPERED:
        await connection.execute(change)
        assert await faults(postgres_ledger), change
        await connection.execute(undo)
        assert await faults(postgres_ledger) == [], undo
