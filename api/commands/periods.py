"""The command that writes the ledger of a month into a file for a spreadsheet or an auditor."""

import asyncio
import csv
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from engine.money.periods import Period
    from storage.database import Database
    from storage.settings import DatabaseSettings

HEAD = ("number", "at", "effective_at", "transfer", "reason", "about", "account", "asset", "amount")


def export(database: "DatabaseSettings", period: str, file: Path) -> None:
    """Write every posted leg of a month as CSV: amounts above zero are credits."""
    from engine.money.periods import period_of

    month = period_of(period)
    if month is None:
        typer.echo("hadiyati: a period is a month, written as 2026-11", err=True)
        raise typer.Exit(2)
    count = asyncio.run(_export(database, month, file))
    typer.echo(f"{count:,} legs of {month.name} are in {file}")


async def _export(settings: "DatabaseSettings", month: "Period", file: Path) -> int:
    from storage.database import Database

    database = await Database.open(settings)
    try:
        return await _write(database, month, file)
    finally:
        await database.close()


async def _write(database: "Database", month: "Period", file: Path) -> int:
    import msgspec
    from rich.progress import Progress

    from engine.money.accounts import asset_of
    from engine.money.periods import before, span
    from engine.money.transfers import Transfer
    from storage.ledger import PostgresLedger
    from storage.periods import PostgresPeriods

    periods, count = PostgresPeriods(database), 0
    closing = await periods.find_closing(month.name)
    of = span(month, closing, await periods.find_closing(before(month)))
    with file.open("w", encoding="utf-8", newline="") as opened, Progress(transient=True) as bars:
        bar = bars.add_task(f"writing {file.name}", total=None)
        writer = csv.writer(opened)
        writer.writerow(HEAD)
        async with PostgresLedger(database).books() as books:
            total = (await books.head()).number
            async for stored in books.entries():
                bars.update(bar, completed=stored.number, total=total)
                one = msgspec.json.decode(stored.state, type=Transfer)
                if one.pending or not of.holds(stored.number, one.effective_at):
                    continue
                for leg in one.legs:
                    told = (one.id, one.reason.value, one.about, leg.account)
                    of_when = (stored.number, stored.at, one.effective_at)
                    writer.writerow((*of_when, *told, asset_of(leg.account).value, leg.amount))
                    count += 1
    return count
