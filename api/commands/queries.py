"""The command that looks at the plans of hot queries."""

from typing import Annotated

import typer

from api.commands.understandable import Understandable


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
