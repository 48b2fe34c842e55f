"""The commands that look at the plans of hot queries, and how orders are found among many."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from storage.settings import DatabaseSettings


def bench_queries(
    orders: Annotated[
        int,
        typer.Option(min=1_000, max=100_000_000, help="Orders that the database is filled with."),
    ] = 1_000_000,
    *,
    runs: Annotated[int, typer.Option(min=1, max=100, help="Runs whose median is told.")] = 5,
) -> None:
    """Explain every hot query in a filled database; ends with 1 when one reads a table whole."""
    from simulations.bench_queries import run

    with Understandable():
        slow = [one for one in run(orders=orders, runs=runs) if one.read_whole]
    for one in slow:
        typer.echo(f"{one.name} reads {', '.join(one.read_whole)} whole: it has no index", err=True)
    if slow:
        raise typer.Exit(1)


def bench_search(
    orders: Annotated[
        int,
        typer.Option(min=1_000, max=100_000_000, help="Orders that the database is filled with."),
    ] = 1_000_000,
    *,
    asked: Annotated[int, typer.Option(min=20, max=100_000, help="Searches of each kind.")] = 300,
    seed: Annotated[int, typer.Option(help="Chance of what is sought.")] = 1,
    times: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            help="Time each so often and count the least: on a busy machine, several.",
        ),
    ] = 1,
) -> None:
    """Measure each kind of search beside reading the same rows by their keys."""
    from simulations.bench_search import run

    with Understandable():
        run(orders=orders, asked=asked, seed=seed, times=times)


def index_orders(database: "DatabaseSettings") -> int:
    """Give tokens to the orders that were placed before there were any; how many."""
    count = asyncio.run(_index_orders(database))
    typer.echo(f"{count:,} orders can be found")
    return count


async def _index_orders(settings: "DatabaseSettings") -> int:
    from rich.progress import Progress

    from storage.database import Database
    from storage.order_tokens import index_old

    database, done = await Database.open(settings), 0
    try:
        with Progress(transient=True) as progress:
            bar = progress.add_task("indexing orders", total=None)
            async for done, about in index_old(database):
                progress.update(bar, completed=done, total=about)
        return done
    finally:
        await database.close()
