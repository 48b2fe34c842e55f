"""The command that lives a month of a busy city and holds its money together."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from rich.progress import Progress

    from simulations.month.explained import Line
    from simulations.month.run import Month, Plan


def bench_month(
    *,
    days: Annotated[int, typer.Option(min=1, max=30, help="The last days of the month.")] = 30,
    couriers: Annotated[int, typer.Option(min=1, max=1000, help="Couriers on duty.")] = 40,
    orders_per_hour: Annotated[
        float, typer.Option(min=1, max=2000, help="Orders an hour, in the mean.")
    ] = 40.0,
    hours: Annotated[float, typer.Option(min=0.5, max=12, help="Hours of orders a day.")] = 4.0,
    seed: Annotated[int, typer.Option(help="Chance of the city and its people.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Write month.json and the settlement files here.")
    ] = None,
    postgres: Annotated[
        bool, typer.Option(help="Also enter the ledger in a throw-away PostgreSQL.")
    ] = True,
) -> None:
    """Live a month of a city with all its money; ends with 1 when a halala is unexplained."""
    from simulations.month.run import Plan

    plan = Plan(
        days=days, couriers=couriers, orders_per_hour=orders_per_hour, hours=hours, seed=seed
    )
    with Understandable(), TemporaryDirectory() as passing:
        folder = Path(passing) if out is None else out
        folder.mkdir(parents=True, exist_ok=True)
        if _live(plan, folder, postgres=postgres):
            raise typer.Exit(1)


def _live(plan: "Plan", folder: Path, *, postgres: bool) -> int:
    """How many halalas are unexplained."""
    import logging

    import structlog
    from rich.console import Console
    from rich.progress import Progress

    from simulations.month import run, shown

    # A month has thousands of broken connections and odd answers, as it should.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console = Console()
    with Progress(console=console) as bars:
        bar = bars.add_task("days", total=plan.days)
        month = run.live(plan, folder, on_day=lambda done: bars.update(bar, completed=done))
        lines = [*month.lines, *((_entered(month, bars),) if postgres else ())]
    shown.show(month, lines, console)
    shown.write(month, lines, folder / "month.json")
    unexplained: int = sum(one.unexplained_halalas for one in lines)
    console.print(f"unexplained: {unexplained:,} halalas; {len(month.faults)} odd answers")
    return unexplained


def _entered(month: "Month", bars: "Progress") -> "Line":
    from simulations.month import postgres
    from storage.servers import embedded_servers

    bar = bars.add_task("entering in PostgreSQL", total=len(month.books.entries))
    with embedded_servers(throwaway=True) as servers:
        return postgres.enter(
            month, servers.postgres_dsn, on_entries=lambda more: bars.advance(bar, more)
        )
