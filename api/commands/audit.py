"""The command that verifies the audit log."""

import asyncio
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from engine.audit.chain import ChainCheck, Head
    from storage.settings import DatabaseSettings


def checkpoint(text: str) -> "Head":
    """A checkpoint as it was noted, `NUMBER:HASH`."""
    from engine.audit.chain import Head

    number, _, hashed = text.partition(":")
    if not (number.isdecimal() and len(hashed) == 64):
        raise typer.BadParameter(f"{text} is not NUMBER:HASH, as a verification prints it")
    return Head(int(number), hashed)


def verify(database: "DatabaseSettings", checkpoints: "list[Head]") -> bool:
    """Verify the audit log of a database and tell what is wrong with it; whether nothing is."""
    check = asyncio.run(_verify(database, checkpoints))
    typer.echo(f"{check.head.number:,} records; note the end elsewhere: --checkpoint {check.head}")
    for fault in check.faults:
        typer.echo(f"hadiyati: {fault}", err=True)
    if not check.faults:
        typer.echo("The audit log is as it was written.")
    return not check.faults


async def _verify(settings: "DatabaseSettings", checkpoints: "list[Head]") -> "ChainCheck":
    from rich.progress import Progress

    from actors.audit import AuditKeeper
    from actors.clock import SystemClock
    from storage.audit import PostgresAudit
    from storage.database import Database

    database = await Database.open(settings)
    try:
        with Progress(transient=True) as progress:
            bar = progress.add_task("verifying", total=None)
            keeper = AuditKeeper(PostgresAudit(database), wall=SystemClock())
            return await keeper.verify(
                checkpoints,
                on_record=lambda done, total: progress.update(bar, completed=done, total=total),
            )
    finally:
        await database.close()
