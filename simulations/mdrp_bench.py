"""The bench of recorded days: every instance with every seed, on all cores, judged and told."""

import multiprocessing
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, Queue

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from actors.solver import real_stopwatch
from optimizer.compiling import compile_searches
from simulations import mdrp
from simulations.mdrp import BadInstance, Instance
from simulations.mdrp_leak import random_cut, until
from simulations.mdrp_runs import Lived, OnOrders, Run, live
from simulations.mdrp_tables import (
    Means,
    better_than_published,
    by_instance,
    instances_table,
    means,
    means_table,
    overall,
    references,
)
from simulations.parallel import side_by_side

INSTANCES = Path(__file__).parent.parent.parent / "shared" / "mdrp" / "instances"
EVALUATOR = "evaluate.py"
RESULTS = "results.json"
_DETAILS_MAX = 5
# Columns of a table that goes into a file, not onto a screen.
_FILE_WIDTH = 170


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be measured; `only` are names of instances (none: all of the folder)."""

    folder: Path
    out: Path
    seeds: int = 3
    only: tuple[str, ...] = ()
    jobs: int = 1
    evaluator: Path | None = None
    leak: int = 0


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found, as it is written into the file of results."""

    seeds: int
    wall_s: float
    means: Means
    references: dict[str, Means | None]
    better_than_published: tuple[int, int]
    slowest_ms: float
    slowest_cpu_ms: float
    instances: dict[str, Means]
    runs: tuple[Lived, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing speaks against any run."""
        return all(one.is_clean for one in self.runs)


@dataclass(frozen=True, slots=True)
class _Task:
    run: Run
    orders: int


def run(wanted: Wanted) -> Results:
    """Live, judge and tell them all; raises mdrp.BadInstance or WorkerLost."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_FILE_WIDTH)
    tasks = plan(wanted)
    wanted.out.mkdir(parents=True, exist_ok=True)
    elapsed_s = real_stopwatch()
    with console.status("compiling the search, if it is its first use"):
        compile_searches()
    lived = tuple(_followed(tasks, wanted.jobs, console))
    results = _results(wanted, lived, wall_s=elapsed_s())
    file = wanted.out / RESULTS
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    _tell(results, wanted, console)
    console.print(f"solutions and {RESULTS} are in {wanted.out}", soft_wrap=True)
    return results


def plan(wanted: Wanted) -> list[_Task]:
    """The runs, the largest first, and the leak test in a sample of them."""
    folders = _folders(wanted)
    instances = {one: mdrp.read(one) for one in folders}
    pairs = [(one, seed) for one in folders for seed in range(1, wanted.seeds + 1)]
    chance = random.Random(wanted.leak)
    sample = frozenset(chance.sample(pairs, min(wanted.leak, len(pairs))))
    tasks = []
    for folder, seed in pairs:
        instance = instances[folder]
        cut = random_cut(instance, chance) if (folder, seed) in sample else None
        to_live = Run(
            folder=folder, seed=seed, out=wanted.out, evaluator=_evaluator(wanted), cut=cut
        )
        tasks.append(_Task(to_live, _orders(instance, cut)))
    return sorted(tasks, key=lambda one: -one.orders)


def _orders(instance: Instance, cut: int | None) -> int:
    again = 0 if cut is None else len(until(instance, cut).orders)
    return len(instance.orders) + again


def _folders(wanted: Wanted) -> list[Path]:
    if not wanted.folder.is_dir():
        raise BadInstance(
            f"{wanted.folder}: no such folder; name the folder that holds the instances, "
            "one folder each, with --folder"
        )
    found = {one.name: one for one in sorted(wanted.folder.iterdir()) if _may_be_one(one)}
    unknown = sorted(set(wanted.only) - set(found))
    if unknown:
        raise BadInstance(
            f"{wanted.folder}: holds no {', '.join(unknown)}; "
            f"--only takes names of its folders: {', '.join(found) or 'there are none'}"
        )
    if not found:
        raise BadInstance(f"{wanted.folder}: holds no instances; name another with --folder")
    return [found[name] for name in dict.fromkeys(wanted.only or found)]


def _may_be_one(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(".")


def _evaluator(wanted: Wanted) -> Path | None:
    if wanted.evaluator is not None:
        if not wanted.evaluator.is_file():
            raise BadInstance(f"{wanted.evaluator}: no such file; see --evaluator")
        return wanted.evaluator
    beside = wanted.folder.parent / EVALUATOR
    return beside if beside.is_file() else None


def _followed(tasks: Sequence[_Task], jobs: int, console: Console) -> Iterator[Lived]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("orders"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=sum(one.orders for one in tasks))

        def on_orders(number: int) -> None:
            progress.advance(bar, number)

        found = _here(tasks, on_orders) if jobs <= 1 else _apart(tasks, jobs, on_orders)
        for number, lived in enumerate(found, 1):
            progress.update(bar, description=f"{number}/{len(tasks)} runs")
            if not console.is_terminal:
                console.print(f"{number}/{len(tasks)}  {lived.instance}, seed {lived.seed}")
            yield lived
        progress.update(bar, completed=sum(one.orders for one in tasks))


def _here(tasks: Sequence[_Task], on_orders: OnOrders) -> Iterator[Lived]:
    for task in tasks:
        yield live(task.run, on_orders=on_orders)


def _apart(tasks: Sequence[_Task], jobs: int, on_orders: OnOrders) -> Iterator[Lived]:
    """Live them in processes of their own, each told as it is finished."""
    with multiprocessing.get_context("spawn").Manager() as manager:
        counted = manager.Queue()

        def count() -> None:
            while (number := _next(counted)) is not None:
                on_orders(number)

        yield from side_by_side(
            partial(_live_apart, counted=counted),
            (one.run for one in tasks),
            workers=min(jobs, len(tasks)),
            prepare=compile_searches,
            meanwhile=count,
        )


def _next(counted: "Queue[int]") -> int | None:
    try:
        return counted.get_nowait()
    except Empty:
        return None


def _live_apart(run: Run, counted: "Queue[int]") -> Lived:
    def on_orders(number: int) -> None:
        if number:
            counted.put(number)

    return live(run, on_orders=on_orders)


def _results(wanted: Wanted, lived: tuple[Lived, ...], *, wall_s: float) -> Results:
    grouped = by_instance(lived)
    known = references(wanted.folder.parent)
    return Results(
        seeds=wanted.seeds,
        wall_s=wall_s,
        means=overall(grouped),
        references={policy: known.mean(policy, grouped) for policy in known.by_policy},
        better_than_published=better_than_published(grouped, known),
        slowest_ms=max(one.slowest_ms for one in lived),
        slowest_cpu_ms=max(one.slowest_cpu_ms for one in lived),
        instances={name: means(runs) for name, runs in grouped.items()},
        runs=tuple(run for runs in grouped.values() for run in runs),
    )


def _tell(results: Results, wanted: Wanted, console: Console) -> None:
    known = references(wanted.folder.parent)
    console.print(instances_table(results.runs, known))
    console.print(means_table(results.runs, known))
    better, of = results.better_than_published
    if of:
        console.print(f"mean click-to-door below the published one on {better} of {of}")
    slowest = max(results.runs, key=lambda one: one.slowest_ms)
    console.print(
        f"slowest plan {slowest.slowest_ms / 1000:.2f} s ({slowest.instance}, seed {slowest.seed})"
        f", most computed in one {results.slowest_cpu_ms / 1000:.2f} s"
        f"   wall time {results.wall_s:.0f} s   {_evaluator_said(results, wanted)}",
        soft_wrap=True,
    )
    for line in _lines(results):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _evaluator_said(results: Results, wanted: Wanted) -> str:
    if _evaluator(wanted) is None:
        return "judged by our own rules alone: no evaluator was given"
    if any(one.disagreements for one in results.runs):
        return "THE EVALUATOR SAYS OTHERWISE"
    return f"the evaluator agrees on all {len(results.runs)} runs"


def _lines(results: Results) -> Iterator[str]:
    """The leak tests, and whatever speaks against a run."""
    for one in results.runs:
        name = f"{one.instance}, seed {one.seed}"
        if one.leak is not None:
            yield f"{name}: {_leak(one)}"
        for what, found in (
            ("infeasible", one.faults),
            ("odd", one.odd),
            ("evaluator", one.disagreements),
        ):
            yield from (f"{name}: {what}: {detail}" for detail in found[:_DETAILS_MAX])


def _leak(lived: Lived) -> str:
    leak = lived.leak
    assert leak is not None
    if leak.is_leak:
        return f"LEAK before minute {leak.cut}: {leak.first_event}"
    if leak.is_prefix:
        return f"no leak: {leak.decisions} decisions up to minute {leak.cut} are the same"
    revised = len(leak.only_whole) + len(leak.only_cut)
    return (
        f"no leak: all events up to minute {leak.cut} are the same; "
        f"{revised} decisions were revised after it"
    )
