"""The rows of a ledger of before become entries and find back, and the chain is the same."""

from typing import Final

import asyncpg

from actors.clock import SystemClock
from actors.ledger import LedgerKeeper
from engine.kernel.pages import Wanted
from engine.money.accounts import asset_of, floor_of
from simulations.ledger_walk import LedgerWalk
from storage.database import Database
from storage.kinds import encode
from storage.ledger import PostgresLedger
from storage.memory_ledger import MemoryLedger
from storage.migrate import MIGRATIONS, migrate
from storage.settings import DatabaseSettings

NAME: Final = "0104_ledger_entries"
ENTER_AS_BEFORE: Final = """
with entered as (
    insert into ledger_transfers (number, at, hash, state)
    select number, instant(at), hash, state from unnest(
        $1::bigint[], $2::bigint[], $3::text[], $4::text[]::jsonb[]
    ) as new (number, at, hash, state)
)
insert into ledger_legs (number, position, account, asset, amount)
select * from unnest($5::bigint[], $6::smallint[], $7::text[], $8::text[], $9::bigint[])
"""


async def test_a_ledger_of_before_is_carried_over_and_back(empty_database: str) -> None:
    await migrate(empty_database)
    connection = await asyncpg.connect(empty_database)
    _, _, back = (MIGRATIONS / f"{NAME}.sql").read_text("utf-8").partition("-- migrate: rollback")
    await connection.execute(back)
    await connection.execute("delete from _pogo_migration where migration_id = $1", NAME)
    before = await walked()
    await enter_as_before(connection, before)

    assert await migrate(empty_database) == [NAME]
    settings = DatabaseSettings.model_validate({"dsn": empty_database})
    database = await Database.open(settings)
    ledger, wanted = PostgresLedger(database), Wanted(limit=50)
    audit = await LedgerKeeper(ledger, wall=SystemClock()).audit()
    assert audit.faults == []
    assert audit.head.hash == before.entries()[-1].hash
    for one in before.entries():
        assert await ledger.find_entry(one.transfer.id) == one
    balances = await before.list_balances(limit=999)
    assert len(balances) > 50
    for name in balances:
        assert await ledger.list_posted_of(name, wanted) == await before.list_posted_of(
            name, wanted
        )
    await database.close()

    await connection.execute(back)
    rows = await connection.fetch(
        "select number, hash, state::text from ledger_transfers order by number"
    )
    kept = [(row["number"], row["hash"]) for row in rows]
    assert kept == [(one.number, one.hash) for one in before.entries()]
    legs = await connection.fetch(
        "select account, amount from ledger_legs order by number, position"
    )
    assert [tuple(leg) for leg in legs] == [
        (leg.account, leg.amount) for one in before.entries() for leg in one.transfer.legs
    ]
    await connection.close()


async def walked() -> MemoryLedger:
    """Some hundred entries of every form."""
    kept, walk = MemoryLedger(), LedgerWalk(2)
    keeper = LedgerKeeper(kept, wall=SystemClock())
    for transfer in walk.transfers(300):
        walk.tell(transfer, await keeper.enter(transfer))
    assert {"posted", "pending", "post", "void", "reversal"} <= walk.told.keys()
    return kept


async def enter_as_before(connection: asyncpg.Connection, ledger: MemoryLedger) -> None:
    entries, balances = ledger.entries(), await ledger.list_balances(limit=999)
    await connection.executemany(
        "insert into ledger_accounts (id, asset, floor, posted, reserved)"
        " values ($1, $2, $3, $4, $5)",
        [
            (name, asset_of(name), floor_of(name), one.posted, one.reserved)
            for name, one in balances.items()
        ],
    )
    last = (entries[-1].number, entries[-1].hash)
    await connection.execute("update ledger_head set number = $1, hash = $2", *last)
    legs = [
        (one.number, position, leg.account, asset_of(leg.account), leg.amount)
        for one in entries
        for position, leg in enumerate(one.transfer.legs)
    ]
    await connection.execute(
        ENTER_AS_BEFORE,
        [one.number for one in entries],
        [one.at for one in entries],
        [one.hash for one in entries],
        [encode(one.transfer).decode() for one in entries],
        *map(list, zip(*legs, strict=True)),
    )
