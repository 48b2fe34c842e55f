"""What is done to the running system: the kinds of harm, one of them at a time."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from simulations.processes import descendants
from storage.redis_live import forget_everything

FindPid = Callable[[], int]
# Does the harm, and undoes it if it does not pass by itself; it is handed a way to sleep (seconds).
Harm = Callable[[Callable[[float], None]], None]
STOPPED_S: Final = 10.0
FULL_S: Final = 10.0
_BLOCK: Final = 1 << 20


def kinds_of_harm(
    victims: Mapping[str, FindPid],
    *,
    redis_url: str,
    disk: Path | None,
    machines: Mapping[str, FindPid] = MappingProxyType({}),
    restarted: Mapping[str, FindPid] = MappingProxyType({}),
    rolled: Mapping[str, Callable[[], None]] = MappingProxyType({}),
) -> dict[str, Harm]:
    """Every kind by its name: each victim killed or stopped, Valkey emptied, the disk full.

    `machines` are processes that are lost together with everything below them, `restarted` servers
    that an operator tells to stop at once (SIGINT), and that are started again; `rolled` replaces
    processes of ours one after the other while they serve. `disk` is a folder on a file system of
    the system's own, or None to leave disks alone.
    """
    found: dict[str, Harm] = {}
    for name, find in machines.items():
        found[f"{name} lost"] = _losing(find)
    for name, find in restarted.items():
        found[f"{name} restarted"] = _sending(find, signal.SIGINT)
    for name, roll in rolled.items():
        found[f"{name} rolled"] = _rolling(roll)
    for name, find in victims.items():
        found[f"{name} killed"] = _sending(find, signal.SIGKILL)
        found[f"{name} stopped for {STOPPED_S:.0f} s"] = _stopping(find)
    found["valkey emptied"] = lambda _: forget_everything(redis_url)
    if disk is not None:
        found[f"disk full for {FULL_S:.0f} s"] = _filling(disk)
    return found


def _sending(find: FindPid, number: signal.Signals) -> Harm:
    def harm(_: Callable[[float], None]) -> None:
        with suppress(ProcessLookupError):
            os.kill(find(), number)

    return harm


def _rolling(roll: Callable[[], None]) -> Harm:
    def harm(_: Callable[[float], None]) -> None:
        roll()

    return harm


def _losing(find: FindPid) -> Harm:
    """As when the power goes: nobody has time to say goodbye."""

    def harm(_: Callable[[float], None]) -> None:
        root = find()
        for pid in (root, *descendants(root)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    return harm


def _stopping(find: FindPid) -> Harm:
    """Stopped processes keep their connections and their locks, and answer nothing."""

    def harm(sleep: Callable[[float], None]) -> None:
        pid = find()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            try:
                sleep(STOPPED_S)
            finally:
                os.kill(pid, signal.SIGCONT)

    return harm


def _filling(disk: Path) -> Harm:
    def harm(sleep: Callable[[float], None]) -> None:
        ballast = disk / "ballast"
        try:
            fill(ballast)
            sleep(FULL_S)
        finally:
            ballast.unlink(missing_ok=True)

    return harm


def fill(ballast: Path) -> None:
    """Write until the disk has no byte left."""
    with ballast.open("wb", buffering=0) as file:
        for size in (_BLOCK, 4096, 1):
            with suppress(OSError):
                while file.write(b"\0" * size):
                    pass
