"""How fast the simulator is, how much memory a courier takes, and where the time goes."""

import resource
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console
from rich.table import Table

from simulations.people import LIVELY
from simulations.replay import live
from simulations.simulate import a_day, pace_of
from simulations.surprises import surprising

_ROOT: Final = Path(__file__).parent.parent
_SAMPLE_S: Final = 0.005
# Of a file or a pipe, so that no figure is cut.
_FILE_WIDTH: Final = 150
# The first that matches, looked for from the innermost frame outwards.
_PARTS: Final = (
    ("optimizer/", "planning (optimizer)"),
    ("engine/dispatch/pool.py", "stating the problem"),
    ("engine/dispatch/candidates.py", "stating the problem"),
    ("engine/dispatch/view.py", "views"),
    ("engine/", "rules"),
    ("storage/", "store and stream (in memory)"),
    ("actors/", "actors"),
    ("simulations/", "people"),
)
_ELSE: Final = "event loop and the rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One size: seconds of the simulated day, real and of the processor; megabytes; samples.

    The day is the hours of orders (`orders_s`) and the hour after them, in which few still work.
    """

    couriers: int
    zones: int
    orders: int
    orders_s: float
    day_s: float
    real_s: float
    cpu_s: float
    resident_mb: float
    started_mb: float
    parts: dict[str, int]
    is_clean: bool


class Sampler:
    """Looks every few milliseconds of processor time at what is being done."""

    def __init__(self) -> None:
        self.parts: Counter[str] = Counter()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look until the block ends; in the main thread only."""
        before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, _SAMPLE_S, _SAMPLE_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        self.parts[part_of(frame)] += 1


def part_of(frame: FrameType | None) -> str:
    """Which part of the program a frame works for."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(f"{_ROOT}/"):
            name = name[len(str(_ROOT)) + 1 :]
            for start, part in _PARTS:
                if name.startswith(start):
                    return part
        frame = frame.f_back
    return _ELSE


def run(*, couriers: Sequence[int], orders_per_courier: float, hours: float, seed: int) -> None:
    """Measure each size in a process of its own, one after the other, and print the table."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_FILE_WIDTH)
    table = Table(title=f"{hours:g} h of orders, {orders_per_courier:g} an hour and courier")
    for name in ("couriers", "zones", "orders", "kB a courier"):
        table.add_column(name, justify="right")
    for name in ("× real time", "× by processor time", "× without the last hour"):
        table.add_column(name, justify="right")
    table.add_column("where the time goes", no_wrap=True)
    for count in couriers:
        with (
            console.status(f"{count} couriers"),
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        ):
            found = pool.submit(measure, count, orders_per_courier, hours, seed).result()
        table.add_row(*_cells(found))
    console.print(table)


def measure(couriers: int, orders_per_courier: float, hours: float, seed: int) -> Measured:
    """Live one generated Riyadh."""
    per_hour = couriers * orders_per_courier
    day = a_day(seed=seed, couriers=couriers, hours=hours, orders_per_hour=per_hour)
    day = surprising(day, LIVELY, seed=seed, pace=pace_of("riyadh"))
    sampler, started_mb = Sampler(), _resident_mb()
    began = time.process_time()
    with sampler.looking():
        lived = live(day, seed=seed, behaviour=LIVELY)
    return Measured(
        couriers=couriers,
        zones=len(day.zones),
        orders=lived.score.orders,
        orders_s=hours * 3600,
        day_s=(lived.ended_at - day.starts_at) / 1000,
        real_s=lived.score.wall_s,
        cpu_s=time.process_time() - began,
        resident_mb=_resident_mb(),
        started_mb=started_mb,
        parts=dict(sampler.parts),
        is_clean=lived.score.is_clean,
    )


def _cells(found: Measured) -> tuple[str, ...]:
    samples = max(1, sum(found.parts.values()))
    parts = sorted(found.parts.items(), key=lambda item: -item[1])
    return (
        f"{found.couriers:,}",
        f"{found.zones}",
        f"{found.orders:,}",
        f"{(found.resident_mb - found.started_mb) * 1024 / found.couriers:.0f}",
        f"{found.day_s / found.real_s:.1f}",
        f"{found.day_s / found.cpu_s:.1f}",
        f"{found.orders_s / found.cpu_s:.1f}",
        "\n".join(f"{count / samples:5.1%} {name}" for name, count in parts)
        + ("" if found.is_clean else "\n[red]not clean[/]"),
    )


def _resident_mb() -> float:
    """The most memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
