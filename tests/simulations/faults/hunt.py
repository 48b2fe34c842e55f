"""How many seeds it takes to find each planted bug: `python -m tests.simulations.faults.hunt`."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from api.commands.talking_edge import TalkingEdge
from simulations.faults.run import Verdict
from simulations.faults.simtest import quiet_run
from simulations.parallel import bar, cores, side_by_side
from tests.simulations.faults.planted import PLANTED, planted

_SEEDS_MAX = 400


def found(name: str) -> tuple[str, Verdict | None]:
    """The first seed that finds the bug."""
    return name, next((one for one in _verdicts(name) if one.violations), None)


def _verdicts(name: str) -> Iterator[Verdict]:
    with planted(name):
        for seed in range(1, _SEEDS_MAX + 1):
            yield quiet_run(seed, open_edge=TalkingEdge)


def main() -> None:
    """Print the table."""
    console, table = Console(), Table("planted bug", "seeds", "found as")
    with bar(console, "planted bugs", len(PLANTED)) as progress:
        for name, verdict in side_by_side(found, PLANTED, workers=cores()):
            progress.step()
            if verdict is None:
                table.add_row(name, f"more than {_SEEDS_MAX}", "")
            else:
                table.add_row(name, str(verdict.seed), verdict.violations[0][:100])
    console.print(table)


if __name__ == "__main__":
    main()
