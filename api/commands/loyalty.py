"""The command that enters what is due of everybody's points."""

import asyncio
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from storage.settings import DatabaseSettings


def settle_points(database: "DatabaseSettings") -> None:
    """Enter the points of every customer that have become spendable, or have expired."""
    typer.echo(f"{asyncio.run(_settle(database)):,} accounts of points are up to date.")


async def _settle(settings: "DatabaseSettings") -> int:
    from rich.progress import Progress

    from actors.clock import SystemClock
    from actors.ledger import LedgerKeeper
    from actors.loyalty import Loyalty
    from storage.database import Database
    from storage.ledger import PostgresLedger
    from storage.postgres import PostgresStore

    database = await Database.open(settings)
    clock, books = SystemClock(), PostgresLedger(database)
    try:
        with Progress(transient=True) as progress:
            bar = progress.add_task("settling points", total=None)
            loyalty = Loyalty(
                LedgerKeeper(books, wall=clock), books, PostgresStore(database), clock=clock
            )
            await loyalty.settle_all(lambda: progress.advance(bar))
            return int(progress.tasks[0].completed)
    finally:
        await database.close()
