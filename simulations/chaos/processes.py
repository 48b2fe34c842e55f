"""The processes below this one, found by what they call themselves."""

import os
from pathlib import Path


def descendant(title: str) -> int:
    """The process below this one whose command line begins so; raises LookupError."""
    children: dict[int, list[int]] = {}
    titles: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            titles[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(entry.name))
    waiting = [os.getpid()]
    while waiting:
        for pid in children.get(waiting.pop(), []):
            if titles.get(pid, "").startswith(title):
                return pid
            waiting.append(pid)
    raise LookupError(f"no descendant is called {title}")
