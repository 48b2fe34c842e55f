"""The command that lives days under injected faults: `hadiyati simtest`."""

from typing import Annotated

import typer

from api.commands.understandable import Understandable


def simtest(
    *,
    seeds: Annotated[int, typer.Option(min=1, max=10_000_000, help="So many seeds.")] = 1000,
    first: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Live this one only, and tell every step of it.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; else one for each core.")
    ] = None,
) -> None:
    """Live small days with the real actors while everything fails that can, from seeds.

    Ends with 1 when something did not hold; the same seed then does the same steps again.
    """
    from rich.console import Console

    from api.commands.talking_edge import TalkingEdge
    from simulations.faults.simtest import quiet_run, run_all, tell
    from simulations.parallel import cores

    console = Console()
    with Understandable():
        if seed is not None:
            verdict = quiet_run(seed, open_edge=TalkingEdge, with_story=True)
            tell(verdict, console=console)
            is_clean = not verdict.violations
        else:
            wanted = range(first, first + seeds)
            is_clean = run_all(
                wanted, workers=workers or cores(), console=console, open_edge=TalkingEdge
            )
    if not is_clean:
        raise typer.Exit(1)
