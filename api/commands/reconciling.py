"""The command that holds a settlement file against the ledger."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from actors.reconciling import Outcome
    from actors.settlement_files import SettlementFile
    from engine.money.reconciliation import Reconciliation
    from storage.settings import DatabaseSettings

_SHOWN_MAX = 50


def reconcile(database: "DatabaseSettings", file: Path, *, halalas: bool, post: bool) -> bool:
    """Tell what matches and what breaks, and enter what matches if asked to; whether all did."""
    from actors.settlement_files import BadFile, read_settlement

    try:
        read = read_settlement(file, halalas=halalas)
    except (BadFile, OSError) as fault:
        typer.echo(f"hadiyati: {fault}", err=True)
        raise typer.Exit(2) from None
    outcome = asyncio.run(_reconcile(database, read, post=post))
    found = outcome.found
    _tell(found)
    if post:
        typer.echo(f"{outcome.run.settled_halalas:,} halalas are at the bank now.")
    else:
        typer.echo("Nothing was entered: this was a dry run. Enter what matches with --post.")
    return not found.breaks


async def _reconcile(
    settings: "DatabaseSettings", read: "SettlementFile", *, post: bool
) -> "Outcome":
    from rich.progress import Progress

    from actors.clock import SystemClock
    from actors.jobs import BY_ITSELF
    from actors.ledger import LedgerKeeper
    from actors.reconciling import Reconciling, Settlements
    from engine.money.breaks import run_id_at
    from storage.database import Database
    from storage.ledger import PostgresLedger
    from storage.payments import PostgresPayments
    from storage.settlements import PostgresSettlements

    database = await Database.open(settings)
    wall, books = SystemClock(), PostgresLedger(database)
    settlements = Settlements(
        Reconciling(LedgerKeeper(books, wall=wall), books, wall=wall),
        PostgresSettlements(database),
        PostgresPayments(database),
        wall=wall,
        limit_halalas=0,
    )
    try:
        with Progress(transient=True) as bars:
            reading = bars.add_task("reading the ledger", total=None)
            entering = bars.add_task("entering", total=None)
            return await settlements.run(
                read,
                run_id=run_id_at(read.name, wall.now()),
                by=BY_ITSELF,
                is_dry=not post,
                on_entry=lambda more: bars.advance(reading, more),
                on_match=lambda: bars.advance(entering),
            )
    finally:
        await database.close()


def _tell(found: "Reconciliation") -> None:
    from rich.console import Console
    from rich.table import Table

    settled = sum(
        bool(one.items) and all(item.is_settled for item in one.items) for one in found.matches
    )
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
