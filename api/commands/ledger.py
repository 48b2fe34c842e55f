"""The commands about the ledger: verifying it, measuring it, and a million operations on one."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from engine.money.audit import Audit
    from storage.settings import DatabaseSettings


def bench_ledger(
    runs: Annotated[int, typer.Option(min=1, max=100, help="Runs whose median is told.")] = 5,
    *,
    seed: Annotated[int, typer.Option(help="Chance of wallets and amounts.")] = 1,
    durable: Annotated[bool, typer.Option(help="Wait for the disk at each commit.")] = False,
) -> None:
    """Measure balanced transfers beside bare inserts of two rows, on a throw-away PostgreSQL."""
    from simulations.bench_ledger import run

    with Understandable():
        run(runs=runs, seed=seed, durable=durable)


def walk_ledger(
    operations: Annotated[
        int, typer.Option(min=1, max=100_000_000, help="So many operations.")
    ] = 1_000_000,
    *,
    seed: Annotated[int, typer.Option(help="Chance of the operations.")] = 1,
) -> None:
    """Carry out random operations on a ledger in memory; ends with 1 when the audit objects."""
    from simulations.ledger_walk import run

    with Understandable():
        if _tell(run(operations=operations, seed=seed)):
            raise typer.Exit(1)


def verify(database: "DatabaseSettings") -> list[str]:
    """Audit the ledger of a database and tell what is wrong with it."""
    audit = asyncio.run(_audit(database))
    typer.echo(f"{audit.head.number:,} entries, the last sealed as {audit.head.hash}")
    for asset, total in audit.totals().items():
        typer.echo(f"all {asset} sum to {total}")
    return _tell(audit)


async def _audit(settings: "DatabaseSettings") -> "Audit":
    from rich.progress import Progress

    from actors.clock import SystemClock
    from actors.ledger import LedgerKeeper
    from storage.database import Database
    from storage.ledger import PostgresLedger

    database = await Database.open(settings)
    try:
        with Progress(transient=True) as progress:
            bar = progress.add_task("verifying", total=None)
            keeper = LedgerKeeper(PostgresLedger(database), wall=SystemClock())
            return await keeper.audit(
                on_entry=lambda done, total: progress.update(bar, completed=done, total=total)
            )
    finally:
        await database.close()


def _tell(audit: "Audit") -> list[str]:
    for fault in audit.faults:
        typer.echo(f"hadiyati: {fault}", err=True)
    if not audit.faults:
        typer.echo("The ledger is as it should be.")
    return audit.faults
