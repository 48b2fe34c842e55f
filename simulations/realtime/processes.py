"""What the processes of the running system cost, read from the kernel: processor time, memory."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulations.processes import command_line, descendants, stat_fields

_PROC: Final = Path("/proc")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PRINTING: Final = "printing"
# The first mark that a command line holds names the part; all else that we started is Ray's own.
_MARKS: Final = {
    "realtime.bare": "bare",
    "bare_edge": "bare",
    "api.server": "edge",
    "ray::CellHost": "cell",
    "ray::SolverHost": "solver",
    "actors.print.press": PRINTING,
    "postgres": "database",
    "valkey": "stream",
    "redis-server": "stream",
}
RAY: Final = "ray"
# Who measures and plays the phones.
_LOAD: Final = "load"
# Of the machine, whoever runs on it: nobody had anything to do, or interrupts were heeded.
IDLE: Final = "idle"
INTERRUPTS: Final = "interrupts"
# All that the service is; where nothing is dispatched the solver rests.
SERVICE: Final = ("edge", "cell", "solver", RAY, PRINTING, "database", "stream")
# What a command may cost.
PARTS: Final = (*SERVICE, _LOAD)


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of the processor and bytes of memory, by part of the system.

    Among the seconds are those of the machine that are nobody's.
    """

    cpu_s: Mapping[str, float]
    memory: Mapping[str, int]

    def since(self, before: "Usage") -> Mapping[str, float]:
        """Seconds of the processor since an earlier look."""
        return {part: used - before.cpu_s.get(part, 0.0) for part, used in self.cpu_s.items()}


def usage() -> Usage:
    """What this process and everything that it started have used."""
    cpu: Counter[str] = Counter({_LOAD: round(1000 * cpu_s(os.getpid()))})
    memory: Counter[str] = Counter({_LOAD: resident(os.getpid())})
    cpu.update(_nobodys_ms())
    for pid in descendants(os.getpid()):
        try:
            part = part_of(command_line(pid))
            cpu[part] += round(1000 * cpu_s(pid))
            memory[part] += resident(pid)
        except (OSError, ValueError, IndexError):
            continue  # It has just ended.
    return Usage({part: ms / 1000 for part, ms in cpu.items()}, dict(memory))


def _nobodys_ms() -> dict[str, int]:
    """Milliseconds of all cores that no process has used."""
    first, _, _ = (_PROC / "stat").read_text().partition("\n")
    _, _, _, _, idle, waiting, hard, soft, *_ = first.split()
    ticks = {IDLE: int(idle) + int(waiting), INTERRUPTS: int(hard) + int(soft)}
    return {name: round(1000 * count / _TICKS_PER_S) for name, count in ticks.items()}


def part_of(command: str) -> str:
    """The part of the system that a command line belongs to."""
    return next((part for mark, part in _MARKS.items() if mark in command), RAY)


def cpu_s(pid: int) -> float:
    """Seconds of the processor that a process has used, in all its threads."""
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident(pid: int) -> int:
    """Bytes of a process's own memory that are in use."""
    _, pages, shared, *_ = (_PROC / str(pid) / "statm").read_text().split()
    return (int(pages) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
