"""The processes below another, as the kernel tells of them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def descendants(root: int) -> Iterator[int]:
    """Every process below this one, a parent before its children."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            try:
                parent = int(stat_fields(int(entry.name))[1])
            except (OSError, ValueError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    waiting = list(children.get(root, ()))
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children.get(pid, ())


def descendant(title: str) -> int:
    """A process below this one whose command line begins so; raises LookupError."""
    found = next(called(title, descendants(os.getpid())), None)
    if found is None:
        raise LookupError(f"no descendant is called {title}")
    return found


def called(title: str, pids: Iterable[int]) -> Iterator[int]:
    """Those of these processes whose command line begins so."""
    for pid in pids:
        with suppress(OSError):  # It may have just ended.
            if command_line(pid).startswith(title):
                yield pid


def command_line(pid: int) -> str:
    """The words that a process was started with, or what it calls itself since."""
    return (_PROC / str(pid) / "cmdline").read_text(errors="replace").replace("\0", " ")


def stat_fields(pid: int) -> list[str]:
    """What the kernel says after the name, which may hold anything."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
