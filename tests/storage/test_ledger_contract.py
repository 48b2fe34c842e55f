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
    return Transfer(legs=legs, **{**known, **fields})


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


FORBIDDEN = (
    "update ledger_transfers set at = now()",
    "delete from ledger_transfers",
    "truncate ledger_transfers cascade",
    "update ledger_legs set amount = amount + 1",
    "delete from ledger_legs",
    "truncate ledger_legs",
    "insert into ledger_legs select number, 9, account, asset, 5 from ledger_legs",
    "update ledger_accounts set posted = -1 where id like 'customer%'",
    "insert into ledger_head (number, hash) values (1, '')",
    # Legs that somebody adds to an old transfer, balanced, as many as it has.
    """insert into ledger_legs select number, position + 2, account || ':2', asset, amount
    from ledger_legs""",
    # What legs rely on.
    "update ledger_accounts set asset = 'points'",
    "delete from ledger_accounts",
    "truncate ledger_accounts",
    *(
        f"""with entered as (
            insert into ledger_transfers (number, at, hash, state)
            select 2, at, hash, state || '{{"id": "00000000-0000-0000-0000-000000000001"}}'
            from ledger_transfers
        )
        insert into ledger_legs select 2, {legs} from ledger_legs where {which}"""
        for legs, which in (
            ("position, account, asset, amount", "false"),
            ("position, account, asset, amount", "position = 0"),
            ("position, account, asset, amount + 1", "true"),
            ("position, account || '?', asset, amount", "true"),
            ("position, account, 'points', amount", "true"),
            ("position + 1, account, asset, amount", "true"),
        )
    ),
    """insert into ledger_transfers (number, at, hash, state)
    select 2, at, hash, state || jsonb_build_object(
        'id', gen_random_uuid(), 'settles', gen_random_uuid(), 'legs', '[]'::jsonb
    ) from ledger_transfers""",
    "insert into ledger_legs select 2, position, account, asset, amount from ledger_legs",
)


async def test_the_database_itself_refuses_what_must_not_be(
    connection: asyncpg.Connection, postgres_ledger: PostgresLedger
) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(statement)
    assert await faults(postgres_ledger) == []


def set_amount(amount: int) -> str:
    path = "{legs,0,amount}"
    return f"update ledger_transfers set state = jsonb_set(state, '{path}', '{amount}')"


# What is done behind the back of all triggers, and how it is undone.
TAMPERED = (
    (set_amount(999), set_amount(1000)),
    (
        "update ledger_transfers set at = at + interval '1 ms'",
        "update ledger_transfers set at = at - interval '1 ms'",
    ),
    ("update ledger_legs set amount = amount * 2", "update ledger_legs set amount = amount / 2"),
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
