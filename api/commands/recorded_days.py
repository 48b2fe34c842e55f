"""The command that measures dispatch on recorded days: `hadiyati bench-mdrp`."""

from pathlib import Path
from typing import Annotated

import typer


def bench_mdrp(
    *,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder of instances; else ../shared/mdrp/instances by the checkout."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Seeds, from 1 on.")] = 3,
    only: Annotated[
        str, typer.Option(help="Names of instances, with commas between; else all.")
    ] = "",
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; else one for each core.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for solutions and results.json.")] = Path(
        ".hadiyati/bench-mdrp"
    ),
    evaluator: Annotated[
        Path | None,
        typer.Option(help="Script that must agree; else evaluate.py beside the instances."),
    ] = None,
    leak: Annotated[
        int, typer.Option(min=0, max=1000, help="Runs to live again without their future.")
    ] = 2,
) -> None:
    """Measure dispatch on recorded days, in virtual time through the actors.

    Ends with 1 when a solution is infeasible, an order was lost or doubled, a decision used the
    future, or the evaluator says otherwise than our own judge.
    """
    from simulations.mdrp import BadInstance
    from simulations.mdrp_bench import INSTANCES, Wanted, run
    from simulations.parallel import WorkerLost, cores

    wanted = Wanted(
        folder=folder or INSTANCES,
        out=out,
        seeds=seeds,
        only=tuple(name.strip() for name in only.split(",") if name.strip()),
        jobs=jobs or cores(),
        evaluator=evaluator,
        leak=leak,
    )
    try:
        found = run(wanted)
    except (BadInstance, WorkerLost) as error:
        typer.echo(f"hadiyati: {error}", err=True)
        raise typer.Exit(1) from None
    if not found.is_clean:
        raise typer.Exit(1)
