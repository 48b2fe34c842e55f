"""Days lived under several parameter sets, in parallel, each trial a pure matter of its numbers."""

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from msgspec import Struct
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from actors.parent import end_with
from simulations.metrics import measured
from simulations.parameter_files import applied
from simulations.replay import live_virtually
from simulations.trial_days import Source

_NICENESS = 10
_FAULTS_MAX = 5


class TrialLost(Exception):
    """A day was not lived to its end; the message says why and what to do."""


class Trial(Struct, frozen=True, kw_only=True):
    """Day `number` of a source under what `given` sets; `name` is the parameter set's."""

    name: str
    number: int
    given: Mapping[str, Any]


class Lived(Struct, frozen=True, kw_only=True):
    """How a trial went: its metrics by name, and what contradicted itself."""

    name: str
    number: int
    day: str
    orders: int
    metrics: dict[str, float | None]
    faults: tuple[str, ...] = ()
    wall_s: float = 0.0


def live(source: Source, trial: Trial) -> Lived:
    """Live one day under one parameter set."""
    to_live = source.to_live(trial.number)
    zones = [
        replace(one, parameters=applied(one.parameters, trial.given)) for one in to_live.day.zones
    ]
    score = live_virtually(
        replace(to_live.day, zone=zones[0], more_zones=tuple(zones[1:])),
        seed=to_live.luck,
        behaviour=to_live.behaviour,
        undeliverable=to_live.undeliverable,
    )
    return Lived(
        name=trial.name,
        number=trial.number,
        day=to_live.day.name,
        orders=score.orders,
        metrics=measured(score),
        faults=(*score.violations, *score.faults)[:_FAULTS_MAX],
        wall_s=score.wall_s,
    )


def live_all(source: Source, trials: Iterable[Trial], *, workers: int) -> Iterator[Lived]:
    """Live them all on so many cores, each as it is finished; `workers` 1 stays in this process."""
    if workers <= 1:
        yield from (live(source, trial) for trial in trials)
        return
    # A fork would take over threads and locks of libraries that run here.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_stand_back, initargs=(os.getpid(),)
    )
    try:
        under_way = [pool.submit(live, source, trial) for trial in trials]
        for future in as_completed(under_way):
            yield future.result()
    except BrokenProcessPool:
        raise TrialLost(
            "a process that lived a day was ended from outside, perhaps for want of memory: "
            "try smaller days, or --workers 1"
        ) from None
    except BaseException:
        # Nobody waits for the end of a day that nobody wants any more.
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stand_back(parent: int) -> None:
    """Leave the machine to others, and go at once when told to, or when the parent goes."""
    end_with(parent)
    os.nice(_NICENESS)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def bar(console: Console, what: str, total: int) -> Iterator["Bar"]:
    """A progress bar with the time left; a line now and then where there is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Bar(progress, console, what, total)


class Bar:
    """Counts what is done."""

    def __init__(self, progress: Progress, console: Console, what: str, total: int) -> None:
        self._progress, self._console, self._what, self._total = progress, console, what, total
        self._task = progress.add_task(what, total=total)
        self._done = 0

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        self._progress.advance(self._task)
        tenth = max(1, self._total // 10)
        if not self._console.is_terminal and self._done % tenth == 0:
            self._console.print(f"{self._what}: {self._done} of {self._total}")
