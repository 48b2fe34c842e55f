"""A what-if in a process of its own: recent hours lived under the parameters in force and others.

A job comes over standard input; what was lived goes, a line each, over standard output, and last
the comparison.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from actors.parent import end_with
from simulations.comparison import Comparison, Side, compared
from simulations.recent import Recent
from simulations.trial_days import RecentDays
from simulations.trials import Lived, Trial, live

_NICENESS: Final = 19
IN_FORCE = "in force"
TRIED = "tried"


class Job(Struct, frozen=True, kw_only=True):
    """Live `recent` so often as it was and with what `tried` sets; `seed` is the first luck."""

    recent: Recent
    tried: dict[str, Any]
    runs: int
    leading: str
    seed: int = 1


class Step(Struct, frozen=True, kw_only=True):
    """A line of the output: how many days were lived, and at the end what could be shown."""

    done: int
    comparison: Comparison | None = None


def answered(job: Job, on_lived: Callable[[int], None]) -> Comparison:
    """Live it all, one day after the other; `on_lived` is told how many were lived."""
    source = RecentDays(recent=job.recent, seed=job.seed)
    sides = {"a": Side(name=IN_FORCE, sets={}), "b": Side(name=TRIED, sets=job.tried)}
    lived: list[Lived] = []
    for number in range(job.runs):
        for name, side in sides.items():
            lived.append(live(source, Trial(name=name, number=number, given=side.sets)))
            on_lived(len(lived))
    return compared(sides["a"], sides["b"], lived, source, leading=job.leading)


def main(parent: str) -> None:
    """What `python -m simulations.what_if PARENT` does."""
    end_with(int(parent))
    os.nice(_NICENESS)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    comparison = answered(job, lambda done: _tell(Step(done=done)))
    _tell(Step(done=2 * job.runs, comparison=comparison))


def _tell(step: Step) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(step) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
