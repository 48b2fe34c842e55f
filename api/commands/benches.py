"""The commands that measure: a tick, matching, the simulator, routing."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.understandable import Understandable


def bench_matching(
    size: Annotated[
        list[str] | None,
        typer.Option(help="Waiting orders and couriers, as 300x1000; may be repeated."),
    ] = None,
    *,
    ticks: Annotated[int, typer.Option(min=5, max=10_000, help="Ticks of each size.")] = 5,
    seed: Annotated[int, typer.Option(help="Chance of orders and couriers.")] = 1,
) -> None:
    """Measure a zone's whole tick beside scipy's bare assignments on the same costs."""
    from simulations.bench_matching import SIZES, read_size, run

    with Understandable():
        sizes = [read_size(one) for one in size] if size else SIZES
    run(sizes=sizes, ticks=ticks, seed=seed)


def bench_simulator(
    couriers: Annotated[
        list[int] | None, typer.Option(min=1, max=50_000, help="Couriers on duty; may be repeated.")
    ] = None,
    *,
    orders_per_courier: Annotated[
        float, typer.Option(min=0.01, max=10, help="Orders an hour for each courier.")
    ] = 0.6,
    hours: Annotated[float, typer.Option(min=0.05, max=48, help="Hours of orders.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Chance of the city and its people.")] = 7,
) -> None:
    """Measure the simulator: times real time, memory a courier, and where the time goes."""
    from simulations.bench_simulator import run

    sizes = couriers or [1000, 3000, 10_000, 30_000]
    run(couriers=sizes, orders_per_courier=orders_per_courier, hours=hours, seed=seed)


def bench_api(
    runs: Annotated[int, typer.Option(min=1, max=100, help="Runs whose median is told.")] = 5,
    *,
    count: Annotated[int, typer.Option(min=40, max=100_000, help="Requests of a run.")] = 1000,
    connections: Annotated[int, typer.Option(min=1, max=256, help="Connections at once.")] = 16,
    only: Annotated[
        list[str] | None, typer.Option(help="clock, me or order; may be repeated.")
    ] = None,
) -> None:
    """Measure reading and placing over HTTP beside bare FastAPI on the same worker."""
    from api.commands.bench_api import Case, run

    if unknown := set(only or ()) - set(Case):
        raise typer.BadParameter(f"{', '.join(unknown)}: choose among {', '.join(Case)}")
    cases = [Case(one) for one in only or Case]
    run(cases, runs=runs, count=count, connections=connections)


def bench_routing(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of Li & Lim's format; else generated days.")
    ] = None,
    *,
    size: Annotated[
        list[int] | None, typer.Option(min=1, max=1000, help="Requests; may be repeated.")
    ] = None,
    budget: Annotated[
        list[float] | None, typer.Option(min=0.1, max=3600, help="Seconds; may be repeated.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Instances of each size.")] = 3,
) -> None:
    """Measure the planning of pick-ups and deliveries beside other solvers, in the same time."""
    from simulations.routing import bench

    with Understandable():
        cases = (
            bench.recorded(files) if files else bench.generated(size or bench.SIZES, range(seeds))
        )
        bench.run(cases, budget or bench.BUDGETS_S)
