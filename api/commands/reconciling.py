"""The command that holds a settlement file against the ledger."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from engine.money.reconciliation import Reconciliation, StatementLine
    from storage.settings import DatabaseSettings

_SHOWN_MAX = 50


def reconcile(database: "DatabaseSettings", file: Path, *, halalas: bool, post: bool) -> bool:
    """Tell what matches and what breaks, and enter what matches if asked to; whether all did."""
    from actors.reconciling import BadFile, read_settlement

    try:
        lines = read_settlement(file, halalas=halalas)
    except (BadFile, OSError, UnicodeDecodeError) as fault:
        typer.echo(f"hadiyati: {fault}", err=True)
        raise typer.Exit(2) from None
    found, settled = asyncio.run(_reconcile(database, lines, post=post))
    _tell(found)
    if post:
        typer.echo(f"{settled:,} halalas are at the bank now.")
    else:
        typer.echo("Nothing was entered: this was a dry run. Enter what matches with --post.")
    return not found.breaks


async def _reconcile(
    settings: "DatabaseSettings", lines: "tuple[StatementLine, ...]", *, post: bool
) -> "tuple[Reconciliation, int]":
    from rich.progress import Progress

    from actors.clock import SystemClock
    from actors.ledger import LedgerKeeper
    from actors.reconciling import Reconciling
    from storage.database import Database
    from storage.ledger import PostgresLedger

    database = await Database.open(settings)
    wall, books = SystemClock(), PostgresLedger(database)
    reconciling = Reconciling(LedgerKeeper(books, wall=wall), books, wall=wall)
    try:
        with Progress(transient=True) as bars:
            reading = bars.add_task("reading the ledger", total=None)
            found = await reconciling.compare(lines, lambda more: bars.advance(reading, more))
            if not post:
                return found, 0
            entering = bars.add_task("entering", total=len(found.matches))
            return found, await reconciling.post(found, lambda: bars.advance(entering))
    finally:
        await database.close()


def _tell(found: "Reconciliation") -> None:
    from rich.console import Console
    from rich.table import Table

    settled = sum(all(item.is_settled for item in one.items) for one in found.matches)
    typer.echo(f"{len(found.matches):,} match, {settled:,} of them settled before")
    if not found.breaks:
        typer.echo("Nothing breaks.")
        return
    table = Table("what", "about", "file", "ledger", "days")
    for one in sorted(found.breaks, key=lambda one: -one.age_days)[:_SHOWN_MAX]:
        amounts = (f"{one.file_halalas:,}", f"{one.ledger_halalas:,}")
        table.add_row(one.kind.value, one.about, *amounts, str(one.age_days))
    Console(soft_wrap=True).print(table)
    typer.echo(f"{len(found.breaks):,} break; the oldest are shown")
