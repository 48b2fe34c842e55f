"""The processes that serve the API, as children that are started again when they die."""

import os
import select
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
_READY_PATIENCE_S = 120.0
_LOG_BYTES_MAX = 8 * 1024 * 1024
_LAST_LINES = 15


@dataclass(slots=True, kw_only=True)
class _Worker:
    """A process that has begun to load its code; it writes into `ready` when it serves."""

    process: "subprocess.Popen[bytes]"
    ready: int
    watch: Stopwatch
    is_told: bool = False

    def serves(self, *, within_s: float) -> bool:
        """Whether it answers requests, waited for as long as that; False also when it ended."""
        found, _, _ = select.select([self.ready], [], [], within_s)
        return bool(found) and os.read(self.ready, 1) == b"!"


@dataclass(slots=True, kw_only=True)
class _Slot:
    number: int
    worker: _Worker | None = None
    deaths: int = 0


class Workers:
    """One thread starts and watches them all: the kernel ends them when that thread ends.

    They begin to load their code at once, and to serve when they are told in which environment. One
    more is kept that has loaded its code, and takes the place of the first that dies.
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
        self._spare: _Worker | None = None
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._rolling = threading.Event()
        self._rolled = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="workers of the API", daemon=True)

    @property
    def pids(self) -> list[int]:
        """The processes that serve now, or will."""
        found = [slot.worker.process for slot in self._slots if slot.worker is not None]
        return [one.pid for one in found if one.returncode is None]

    @property
    def deaths(self) -> int:
        """How often one of them ended without being asked to."""
        return sum(slot.deaths for slot in self._slots)

    def serve_in(self, environment: Mapping[str, str]) -> None:
        """Tell all of them, and those that follow them, the variables of their settings."""
        with self._guard:
            self._environment = msgspec.json.encode(dict(environment))
            for slot in self._slots:
                if slot.worker is not None:
                    self._tell(slot.worker)

    def roll(self) -> None:
        """Replace one after the other by a new one that serves before the old one goes.

        The old one sends its phones away with a code that says "connect again", and ends what it
        has begun.
        """
        self._rolled.clear()
        self._rolling.set()
        self._rolled.wait()

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
            if self._rolling.is_set():
                self._replace_all()
            if self._spare is None and self._environment is not None:
                self._spare = self._start()
            self._ending.wait(_LOOK_EVERY_S)
        self._end_all()
        self._rolled.set()

    def _look_after(self, slot: _Slot) -> None:
        if slot.worker is None:
            self._take_place(slot)
            return
        process = slot.worker.process
        if process.poll() is None:
            return
        if slot.worker.watch.elapsed_s > _STABLE_S:
            slot.deaths = min(slot.deaths, 1)
        slot.deaths += 1
        self._on_step(
            f"API worker {slot.number} (pid {process.pid}) ended with "
            f"{process.returncode}; starting it again"
        )
        self._ending.wait(min(_AGAIN_S_MAX, 0.1 * 2 ** min(slot.deaths - 1, 10)))
        if not self._ending.is_set():
            self._take_place(slot)

    def _take_place(self, slot: _Slot) -> None:
        """The spare one, if it has not died in the meantime, or a new one."""
        spare, self._spare = self._spare, None
        is_alive = spare is not None and spare.process.poll() is None
        worker = spare if spare is not None and is_alive else self._start()
        if slot.worker is not None:
            os.close(slot.worker.ready)
        with self._guard:
            worker.watch = Stopwatch()
            slot.worker = worker
            if self._environment is not None:
                self._tell(worker)

    def _start(self) -> _Worker:
        listening = self._listening.fileno()
        ready, tells_ready = os.pipe()
        opened = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "api.server"),
                    *(str(listening), str(os.getpid()), str(tells_ready)),
                ],
                stdin=subprocess.PIPE,
                stdout=opened,
                stderr=opened,
                pass_fds=[listening, tells_ready],
                # A Ctrl-C in the terminal is for the parent, which then stops them in order.
                start_new_session=True,
            )
        finally:
            os.close(opened)
            os.close(tells_ready)
        return _Worker(process=process, ready=ready, watch=Stopwatch())

    def _tell(self, worker: _Worker) -> None:
        assert worker.process.stdin is not None
        assert self._environment is not None
        if worker.is_told:
            return
        worker.is_told = True
        # One that has just died is noticed by its keeper.
        with suppress(OSError):
            worker.process.stdin.write(self._environment)
            worker.process.stdin.close()

    def _replace_all(self) -> None:
        self._rolling.clear()
        for slot in self._slots:
            old = slot.worker
            if old is None or self._ending.is_set():
                continue
            # Not the spare one: it has loaded the code of before.
            self._end(self._spare)
            self._spare = None
            new = self._start()
            self._tell(new)
            if not new.serves(within_s=_READY_PATIENCE_S):
                self._on_step(f"API worker {slot.number} stays: a new one does not come to serve")
                self._end(new)
                continue
            slot.worker = new
            self._end(old)
            self._on_step(f"API worker {slot.number} was replaced")
        self._rolled.set()

    def _end_all(self) -> None:
        workers = [slot.worker for slot in self._slots]
        for worker in workers:
            if worker is not None:
                worker.process.send_signal(signal.SIGTERM)
        for worker in (self._spare, *workers):
            self._end(worker)

    def _end(self, worker: _Worker | None) -> None:
        """Politely; who has not been told to serve has nothing to end."""
        if worker is None:
            return
        assert worker.process.stdin is not None
        worker.process.stdin.close()
        worker.process.send_signal(signal.SIGTERM if worker.is_told else signal.SIGKILL)
        try:
            worker.process.wait(self._shutdown_s + _KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        os.close(worker.ready)
