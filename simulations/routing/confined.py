"""Another solver in a process of its own, which ends when it takes too much."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from actors.parent import end_with
from optimizer.routing.library import Lines
from optimizer.routing.problem import RoutingProblem

StopWatch = Callable[[], float]
Peer = Callable[[RoutingProblem, float, StopWatch], Lines | None]

MEMORY_BYTES_MAX: Final = 4 * 1024**3
# Beyond so many budgets and a minute of the processor nobody is waited for.
_BUDGETS_MAX: Final = 4
_GRACE_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a solver found, None = nothing, in so many seconds of the processor.

    ended: why it had to be ended, if it had to be.
    """

    lines: Lines | None
    took_s: float
    ended: str = ""


def processor_stopwatch() -> StopWatch:
    """Seconds of the processor since now, of all threads: what else runs matters little."""
    began_s = time.process_time()
    return lambda: time.process_time() - began_s


def ask(
    peer: Peer, problem: RoutingProblem, budget_s: float, *, memory_bytes: int = MEMORY_BYTES_MAX
) -> Answer:
    """Let a peer, a function of a module, solve a problem with no more than that much memory.

    Raises RuntimeError when it raises anything.
    """
    # A fork would take over threads and locks of libraries that run here.
    context = multiprocessing.get_context("spawn")
    hears, tells = context.Pipe(duplex=False)
    question = peer, problem, budget_s
    child = context.Process(target=_answer, args=(tells, os.getpid(), question, memory_bytes))
    before_s = _children_s()
    child.start()
    tells.close()
    try:
        answer: Answer | None = hears.recv()
    except EOFError:
        answer = None
    except BaseException:
        child.kill()
        raise
    finally:
        child.join()
    if answer is not None:
        return answer
    if child.exitcode is None or child.exitcode >= 0:
        raise RuntimeError(f"{peer.__name__} failed: what it said stands above")
    name = signal.Signals(-child.exitcode).name
    return Answer(lines=None, took_s=_children_s() - before_s, ended=_why(name, memory_bytes))


def _why(name: str, memory_bytes: int) -> str:
    """Nobody tells which of its limits it was: the signal speaks for one or the other."""
    return f"ended by {name}; allowed are {memory_bytes // 1024**2} MiB"


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _answer(
    tells: Connection,
    parent: int,
    question: tuple[Peer, RoutingProblem, float],
    memory_bytes: int,
) -> None:
    """In the child: answer within the limits."""
    peer, problem, budget_s = question
    end_with(parent)
    _limit(budget_s, memory_bytes)
    elapsed_s = processor_stopwatch()
    try:
        lines = peer(problem, budget_s, elapsed_s)
        answer = Answer(lines=lines, took_s=elapsed_s())
    except MemoryError:
        why = _why("MemoryError", memory_bytes)
        answer = Answer(lines=None, took_s=elapsed_s(), ended=why)
    tells.send(answer)


def _limit(budget_s: float, memory_bytes: int) -> None:
    """Bound what is taken beyond what is taken already."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    processor_s = int(time.process_time() + _BUDGETS_MAX * budget_s + _GRACE_S)
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
