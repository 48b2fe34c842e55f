"""Many runs under faults, on every core, and one run told step by step."""

import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog
from rich.console import Console
from rich.table import Table

from simulations.faults.chat.means import OpenEdge
from simulations.faults.run import Verdict, run
from simulations.parallel import bar, side_by_side

_LAST_STEPS: Final = 40
_FAILURES_MAX: Final = 5


def run_all(
    seeds: Sequence[int], *, workers: int, console: Console, open_edge: OpenEdge | None = None
) -> bool:
    """Live every seed and print what did not hold; whether all held. Raises WorkerLost."""
    live = partial(quiet_run, open_edge=open_edge)
    failed, faults, steps, commits = list[Verdict](), Counter[str](), 0, 0
    with bar(console, "days under faults", len(seeds)) as progress:
        for verdict in side_by_side(live, seeds, workers=workers):
            progress.step()
            steps, commits = steps + verdict.steps, commits + verdict.commits
            faults.update(verdict.faults)
            if verdict.violations:
                failed.append(verdict)
    console.print(_faults_table(faults))
    console.print(f"{len(seeds)} seeds, {steps} steps, {commits} commits, {len(failed)} failed")
    failed.sort(key=lambda one: one.seed)
    for verdict in failed[:_FAILURES_MAX]:
        tell(verdict, console=console, last=_LAST_STEPS)
    for verdict in failed:
        console.out(f"failed: seed {verdict.seed}, {verdict.violations[0]}", highlight=False)
    return not failed


def tell(verdict: Verdict, *, console: Console, last: int | None = None) -> None:
    """Print the end of a run's story, or all of it, and what did not hold."""
    for line in verdict.story if last is None else verdict.story[-last:]:
        console.out(line, highlight=False)
    for what in verdict.violations:
        console.out(f"seed {verdict.seed}, {what}", highlight=False)
    if verdict.violations and last is not None:
        console.out(f"all of it: hadiyati simtest --seed {verdict.seed}", highlight=False)


def quiet_run(seed: int, *, open_edge: OpenEdge | None = None, with_story: bool = False) -> Verdict:
    """A run without the log lines of those who meet the faults."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return run(seed, open_edge=open_edge, with_story=with_story)


def _faults_table(faults: Counter[str]) -> Table:
    table = Table("fault", "times")
    for kind, times in sorted(faults.items()):
        table.add_row(kind, str(times))
    return table
