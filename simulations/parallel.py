"""Work on every core, and how far it is: each piece a pure matter of its numbers."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Final, TypeVar

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

Given = TypeVar("Given")
Made = TypeVar("Made")
_NICENESS: Final = 10
_LOOK_S: Final = 0.25


class WorkerLost(Exception):
    """A process was ended from outside; the message says what to do."""


def _nothing() -> None:
    """Nobody wanted anything."""


def side_by_side(
    make: Callable[[Given], Made],
    pieces: Iterable[Given],
    *,
    workers: int,
    prepare: Callable[[], None] = _nothing,
    meanwhile: Callable[[], None] = _nothing,
) -> Iterator[Made]:
    """What is made of each piece, as it is finished; one worker stays in this process.

    Each process prepares itself first; here something may be done meanwhile, again and again.
    Raises WorkerLost.
    """
    if workers <= 1:
        for one in pieces:
            made = make(one)
            meanwhile()
            yield made
        return
    # A fork would take over threads and locks of libraries that run here.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(os.getpid(), prepare)
    )
    try:
        under_way = {pool.submit(make, one) for one in pieces}
        while under_way:
            done, under_way = wait(under_way, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            meanwhile()
            yield from (one.result() for one in done)
    except BrokenProcessPool:
        raise WorkerLost(
            "a process was ended from outside, perhaps for want of memory: ask for less, or for "
            "fewer processes"
        ) from None
    except BaseException:
        # Nobody waits for the end of what nobody wants any more.
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(parent: int, prepare: Callable[[], None]) -> None:
    """Leave the machine to others, and go at once when told to, or when the parent goes."""
    end_with(parent)
    os.nice(_NICENESS)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    prepare()


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
