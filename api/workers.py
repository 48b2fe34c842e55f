"""The processes that serve the API, as children that are started again when they die."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from storage.servers.patience import Stopwatch

_LOOK_EVERY_S = 0.2
_AGAIN_S_MAX = 10.0
_STABLE_S = 30.0
_KILL_AFTER_S = 5.0
_LOG_BYTES_MAX = 8 * 1024 * 1024
_LAST_LINES = 15


@dataclass(slots=True, kw_only=True)
class _Slot:
    number: int
    process: "subprocess.Popen[bytes] | None" = None
    watch: Stopwatch | None = None
    deaths: int = 0


class Workers:
    """One thread starts and watches them all: the kernel ends them when that thread ends.

    They begin to load their code at once, and to serve when they are told in which environment.
    """

    def __init__(
        self,
        listening: socket.socket,
        *,
        count: int,
        log: Path,
        shutdown_s: float,
        on_step: Callable[[str], None],
    ) -> None:
        self._listening = listening
        self._environment: bytes | None = None
        self._log = log
        self._shutdown_s = shutdown_s
        self._on_step = on_step
        self._slots = [_Slot(number=number) for number in range(1, count + 1)]
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="workers of the API", daemon=True)

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        found = [slot.process for slot in self._slots]
        return [one.pid for one in found if one is not None and one.returncode is None]

    @property
    def deaths(self) -> int:
        """How often one of them ended without being asked to."""
        return sum(slot.deaths for slot in self._slots)

    def serve_in(self, environment: Mapping[str, str]) -> None:
        """Tell all of them, and those that follow them, the variables of their settings."""
        with self._guard:
            self._environment = msgspec.json.encode(dict(environment))
            for slot in self._slots:
                if slot.process is not None:
                    self._tell(slot.process)

    def last_words(self) -> str:
        """The end of their log."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-_LAST_LINES:])

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES_MAX:
            self._log.replace(self._log.with_suffix(".log.1"))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End them all, politely at first."""
        self._ending.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ending.is_set():
            for slot in self._slots:
                self._look_after(slot)
            self._ending.wait(_LOOK_EVERY_S)
        self._end_all()

    def _look_after(self, slot: _Slot) -> None:
        if slot.process is None:
            self._start(slot)
            return
        assert slot.watch is not None
        if slot.process.poll() is None:
            return
        if slot.watch.elapsed_s > _STABLE_S:
            slot.deaths = min(slot.deaths, 1)
        slot.deaths += 1
        self._on_step(
            f"API worker {slot.number} (pid {slot.process.pid}) ended with "
            f"{slot.process.returncode}; starting it again"
        )
        self._ending.wait(min(_AGAIN_S_MAX, 0.1 * 2 ** min(slot.deaths, 10)))
        if not self._ending.is_set():
            self._start(slot)

    def _start(self, slot: _Slot) -> None:
        listening = self._listening.fileno()
        opened = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "api.server", str(listening), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=opened,
                stderr=opened,
                pass_fds=[listening],
                # A Ctrl-C in the terminal is for the parent, which then stops them in order.
                start_new_session=True,
            )
        finally:
            os.close(opened)
        with self._guard:
            slot.watch, slot.process = Stopwatch(), process
            if self._environment is not None:
                self._tell(process)

    def _tell(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert self._environment is not None
        # One that has just died is noticed by its keeper.
        with suppress(OSError):
            process.stdin.write(self._environment)
            process.stdin.close()

    def _end_all(self) -> None:
        running = [slot.process for slot in self._slots if slot.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(self._shutdown_s + _KILL_AFTER_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
