"""The command that fetches gateways' settlements, and what the doctor says of them."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.commands.exports import instant_of
from api.commands.running import running_database, settings_of
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from actors.fetching import Fetched
    from api.settings import Settings
    from engine.money.feeds import SettlementFeed
    from storage.servers.doctor import Finding
    from storage.settings import DatabaseSettings

_TIMEOUT_S: Final = 3600.0


def fetch_settlements(
    *,
    since: Annotated[
        str, typer.Option(help="A day, as 2026-11-01, from which gateways are asked again.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Enter and keep nothing.")] = False,
    leave_gap: Annotated[
        bool, typer.Option("--leave-gap", help="Go on from --since, whatever lies before it.")
    ] = False,
) -> None:
    """Fetch gateways' settlements and hold them against the running system's ledger.

    Each is reconciled once. Ends with 1 when a gateway could not be asked, or something breaks.
    """
    with Understandable():
        try:
            at = instant_of(since) if since else None
        except ValueError:
            typer.echo(f"hadiyati: {since} is no day; write it as 2026-11-01", err=True)
            raise typer.Exit(2) from None
        if leave_gap and at is None:
            typer.echo("hadiyati: --leave-gap needs --since", err=True)
            raise typer.Exit(2)
        if not fetch(
            settings_of(), running_database(), since=at, is_dry=dry_run, leaves_gap=leave_gap
        ):
            raise typer.Exit(1)


def fetch(
    settings: "Settings",
    database: "DatabaseSettings",
    *,
    since: int | None = None,
    is_dry: bool = False,
    leaves_gap: bool = False,
) -> bool:
    """Fetch, and tell what came of it; whether all went well."""
    if not settings.books.fetch_settlements:
        typer.echo(
            "hadiyati: no gateway is asked; name some in HADIYATI_BOOKS__FETCH_SETTLEMENTS",
            err=True,
        )
        raise typer.Exit(2)
    found = asyncio.run(
        _fetched(settings, database, since=since, is_dry=is_dry, leaves_gap=leaves_gap)
    )
    _tell(found, is_dry=is_dry)
    return not any(one.why or one.breaks for one in found)


async def _fetched(
    settings: "Settings",
    database_settings: "DatabaseSettings",
    *,
    since: int | None,
    is_dry: bool,
    leaves_gap: bool,
) -> "list[Fetched]":
    from rich.progress import Progress

    from actors.clock import SystemClock
    from actors.fetching import SettlementFetching
    from actors.jobs import BY_ITSELF
    from actors.ledger import LedgerKeeper
    from actors.reconciling import Reconciling, Settlements
    from api.settlement_sources import open_settlement_sources
    from storage.database import Database
    from storage.ledger import PostgresLedger
    from storage.payments import PostgresPayments
    from storage.settlements import PostgresSettlements

    database, wall = await Database.open(database_settings), SystemClock()
    books, store = PostgresLedger(database), PostgresSettlements(database)
    settlements = Settlements(
        Reconciling(LedgerKeeper(books, wall=wall), books, wall=wall),
        store,
        PostgresPayments(database),
        wall=wall,
        limit_halalas=0,
    )
    try:
        async with open_settlement_sources(settings) as sources:
            fetching = SettlementFetching(
                sources,
                settlements,
                store,
                wall=wall,
                first_days=settings.books.first_fetch_days,
                timeout_s=_TIMEOUT_S,
            )
            with Progress(transient=True) as bars:
                task = bars.add_task("asking", total=None)
                return await fetching.fetch_all(
                    by=BY_ITSELF,
                    since=since,
                    is_dry=is_dry,
                    leaves_gap=leaves_gap,
                    on_file=lambda gateway, name: bars.update(
                        task, advance=1, description=f"{gateway}: {name}"
                    ),
                )
    finally:
        await database.close()


def _tell(found: "list[Fetched]", *, is_dry: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("gateway", "fetched", "known", "match", "break", "halalas settled", "failed")
    for one in found:
        counts = (one.files, one.known, one.matches, one.breaks, one.settled_halalas)
        table.add_row(one.gateway, *(f"{count:,}" for count in counts), one.why)
    Console(soft_wrap=True).print(table)
    if is_dry:
        typer.echo("Nothing was entered: this was a dry run.")


def feed_findings(settings: "Settings", database: "DatabaseSettings") -> "list[Finding]":
    """What the doctor says of gateways that are asked; nothing where nothing can be looked up."""
    from actors.clock import SystemClock
    from storage.store import StoreUnavailable

    if not settings.books.fetch_settlements:
        return []
    try:
        feeds = asyncio.run(_feeds(database))
    except StoreUnavailable:
        # That it is away is said already.
        return []
    now = SystemClock().now()
    return [
        finding_of(gateway.value, feeds.get(gateway.value), now=now)
        for gateway in sorted(settings.books.fetch_settlements)
    ]


def finding_of(gateway: str, feed: "SettlementFeed | None", *, now: int) -> "Finding":
    """What is to be said of one gateway."""
    from engine.kernel.timing import HOUR_MS
    from engine.money.feeds import is_overdue
    from storage.servers.doctor import Finding

    topic = f"settlements of {gateway}"
    if feed is None:
        return Finding(topic=topic, state="note", text="it was not asked yet")
    hours = max(0, now - (feed.fetched_at or feed.fetched_until)) // HOUR_MS
    if not is_overdue(feed, now=now):
        return Finding(topic=topic, state="good", text=f"fetched {hours} hours ago")
    why = f": {feed.why}" if feed.why else ""
    advice = "see why with `hadiyati fetch-settlements --dry-run`"
    text = f"not fetched for {hours} hours{why}"
    return Finding(topic=topic, state="problem", text=text, advice=advice)


async def _feeds(settings: "DatabaseSettings") -> "dict[str, SettlementFeed]":
    from storage.database import Database
    from storage.settlements import PostgresSettlements

    database = await Database.open(settings)
    try:
        store = PostgresSettlements(database)
        found = await store.list_feeds() if await store.has_feeds() else ()
        return {one.gateway: one for one in found}
    finally:
        await database.close()
