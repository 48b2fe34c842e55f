"""How many balanced transfers the ledger takes in a second, beside bare inserts of two rows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from actors.chance import SeededChance, new_id
from actors.clock import SystemClock
from actors.ledger import GROUP_MAX, LedgerKeeper
from actors.solver import real_stopwatch
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, account, asset_of
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from simulations.ledger_walk import START
from storage.bare_legs import BareLeg, BareLegs
from storage.database import Database
from storage.ledger import PostgresLedger
from storage.migrate import migrate
from storage.servers import embedded_servers
from storage.settings import DatabaseSettings

GROUPS: Final = (1, 10, 100, GROUP_MAX)
TRANSFERS: Final = 2_000
_WALLETS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Transfers a second, medians over the runs, so many in each transaction."""

    group: int
    ledger: float
    bare: float

    @property
    def ratio(self) -> float:
        """The ledger by the bare inserts."""
        return self.ledger / self.bare


def run(*, runs: int, seed: int, durable: bool) -> list[Rates]:
    """Measure both in turn on a throw-away PostgreSQL, check the ledger, and print the table.

    `durable` waits at each commit for the disk, as a service does.
    """
    with embedded_servers(throwaway=True, durable=durable) as servers:
        found = asyncio.run(_measure(servers.postgres_dsn, runs=runs, seed=seed))
    table = Table("in a transaction", "ledger, transfers/s", "bare inserts of two rows/s", "ratio")
    for one in found:
        table.add_row(str(one.group), f"{one.ledger:.0f}", f"{one.bare:.0f}", f"{one.ratio:.2f}")
    Console().print(table)
    return found


async def _measure(dsn: str, *, runs: int, seed: int) -> list[Rates]:
    await migrate(dsn)
    database = await Database.open(DatabaseSettings.model_validate({"dsn": dsn}))
    try:
        return await _alternate(database, runs=runs, chance=SeededChance(seed))
    finally:
        await database.close()


async def _alternate(database: Database, *, runs: int, chance: SeededChance) -> list[Rates]:
    keeper = LedgerKeeper(PostgresLedger(database), wall=SystemClock())
    bare, numbers, found = BareLegs(database), count(1), []
    await bare.make()

    async def enter(group: Sequence[Transfer]) -> None:
        answers = await keeper.enter_all(group)
        assert not any(isinstance(one, Refusal) for one in answers)

    async def insert(group: Sequence[Transfer]) -> None:
        await bare.insert([row for one in group for row in _rows(one, next(numbers))])

    # Who is measured first would pay for the connection and for the plans of the statements.
    for warm in (enter, insert):
        await warm(_transfers(1, chance))
    with Progress(transient=True) as progress:
        bar = progress.add_task("ledger, bare inserts", total=len(GROUPS) * runs)
        for size in GROUPS:
            rates: tuple[list[float], list[float]] = ([], [])
            for _ in range(runs):
                for kept, work in zip(rates, (enter, insert), strict=True):
                    kept.append(await _rate(_transfers(TRANSFERS, chance), size, work))
                progress.advance(bar)
            found.append(Rates(group=size, ledger=median(rates[0]), bare=median(rates[1])))
    audit = await keeper.audit()
    assert not audit.faults, audit.faults
    return found


async def _rate(
    transfers: Sequence[Transfer],
    size: int,
    work: Callable[[Sequence[Transfer]], Awaitable[None]],
) -> float:
    elapsed_s = real_stopwatch()
    for first in range(0, len(transfers), size):
        await work(transfers[first : first + size])
    return len(transfers) / elapsed_s()


def _transfers(number: int, chance: SeededChance) -> list[Transfer]:
    """From the gateway into the wallets of many customers."""
    clock = SystemClock()
    gateway = account(AccountKind.GATEWAY, "moyasar")
    made = []
    for _ in range(number):
        wallet = account(AccountKind.CUSTOMER_WALLET, f"{chance.below(_WALLETS)}")
        amount = 1 + chance.below(10_000)
        made.append(
            Transfer(
                id=TransferId(new_id(clock, chance)),
                reason=TransferReason.TOP_UP,
                legs=move({wallet: amount, gateway: -amount}),
                effective_at=START,
            )
        )
    return made


def _rows(transfer: Transfer, number: int) -> list[BareLeg]:
    return [
        (number, position, leg.account, asset_of(leg.account), leg.amount)
        for position, leg in enumerate(transfer.legs)
    ]
