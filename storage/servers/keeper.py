"""Keeps one server running: starts it, waits until it serves, and starts it again when it died."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from storage.servers.account import Account, start_tied
from storage.servers.binaries import Programs
from storage.servers.errors import ServersError, ServerStartError
from storage.servers.patience import Stopwatch

_START_PATIENCE_S = 300.0
# A server whose supervisor was killed is just writing a checkpoint; what is left of a server
# that was killed itself has nothing to finish.
_OLD_LIFE_PATIENCE_S = 20.0
_REMAINS_PATIENCE_S = 2.0
_LOOK_EVERY_S = 5.0
_LOG_BYTES_MAX = 8 * 1024 * 1024
_PAUSE_S_MAX = 10.0
_STABLE_S = 30.0


class Program(Protocol):
    """A server as its keeper sees it."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def programs(self) -> Programs: ...
    @property
    def port(self) -> int: ...
    @property
    def log(self) -> Path: ...
    @property
    def death_signal(self) -> int: ...
    @property
    def farewell(self) -> tuple[tuple[int, float], ...]: ...

    def clear_way(self, patience_s: float) -> None: ...
    def command(self) -> list[str]: ...
    def is_ready(self, pid: int) -> bool: ...
    def mend(self, last_words: str) -> str | None:
        """Do what may help after a start that failed with these words, and say what was done."""
        ...


class Keeper:
    """One thread for one server: the kernel ends the server when that thread or process ends."""

    def __init__(
        self,
        program: Program,
        account: Account,
        *,
        on_step: Callable[[str], None],
        on_change: Callable[[], None],
    ) -> None:
        self.program = program
        self._account = account
        self._on_step = on_step
        self._on_change = on_change
        self._thread = threading.Thread(
            target=self._keep, name=f"keeper of {program.name}", daemon=True
        )
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._settled = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: Exception | None = None
        self._has_served = False
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The pid of the server, or None while there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        self._thread.start()

    def await_ready(self) -> None:
        """Return when the server serves.

        Raises:
            ServerStartError: it ended, or did not become ready in time.
        """
        self._settled.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the server, politely at first, and return when it is gone."""
        if not self._thread.is_alive():
            return
        with self._guard:
            self._ending.set()
            process = self._process
        for number, patience_s in (*self.program.farewell, (int(signal.SIGKILL), 10.0)):
            if process is not None:
                process.send_signal(number)
            self._thread.join(patience_s)
            if not self._thread.is_alive():
                return

    def _keep(self) -> None:
        try:
            self._serve_again_and_again()
        finally:
            if self._failure is None and not self._has_served:
                self._failure = ServerStartError(f"{self.program.name} was not started.")
            self._settled.set()

    def _serve_again_and_again(self) -> None:
        short_lives = 0
        while not self._ending.is_set():
            watch = Stopwatch()
            try:
                self._serve()
            except (ServersError, OSError, subprocess.SubprocessError) as error:
                if mended := self.program.mend(str(error)):
                    self._on_step(mended)
                    continue
                if not self._has_served:
                    self._failure = error
                    return
                self._on_step(f"{self.program.name} did not start again: {error}")
            short_lives = 0 if watch.elapsed_s > _STABLE_S else short_lives + 1
            self._ending.wait(_pause_s(short_lives))

    def _serve(self) -> None:
        """Live through one life of the server, from its start to its death."""
        watch = Stopwatch()
        self.program.clear_way(_REMAINS_PATIENCE_S if self._has_served else _OLD_LIFE_PATIENCE_S)
        process = self._launch()
        if process is None:
            return
        try:
            self._await_service(process)
            if not self._ending.is_set():
                self._announce(watch.elapsed_s)
            self._outlive(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if not self._ending.is_set():
            self._on_step(
                f"{self.program.name} (pid {process.pid}) ended with {process.returncode}; "
                "starting it again"
            )

    def _await_service(self, process: "subprocess.Popen[bytes]") -> None:
        watch = Stopwatch()
        while not (self._ending.is_set() or self.program.is_ready(process.pid)):
            if process.poll() is not None or watch.elapsed_s > _START_PATIENCE_S:
                raise ServerStartError(self._last_words(process.returncode))
            self._ending.wait(0.02)

    def _launch(self) -> "subprocess.Popen[bytes] | None":
        opened = os.open(self.program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._log_start = os.fstat(opened).st_size
        try:
            with self._guard:
                if self._ending.is_set():
                    return None
                self._process = start_tied(
                    self._account,
                    self.program.command(),
                    death_signal=self.program.death_signal,
                    log=opened,
                )
                return self._process
        finally:
            os.close(opened)

    def _announce(self, elapsed_s: float) -> None:
        program = self.program
        word = "back" if self._has_served else "ready"
        self._on_step(
            f"{program.name} {program.version} is {word} on port {program.port} ({elapsed_s:.1f} s)"
        )
        self._has_served = True
        self._failure = None
        self._settled.set()
        self._on_change()

    def _outlive(self, process: "subprocess.Popen[bytes]") -> None:
        while True:
            try:
                process.wait(_LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                cut_log(self.program.log, _LOG_BYTES_MAX)
            else:
                return

    def _last_words(self, code: int | None) -> str:
        what = "did not become ready" if code is None else f"ended with {code} while starting"
        with self.program.log.open("rb") as log:
            log.seek(self._log_start)
            words = log.read(_LOG_BYTES_MAX).decode(errors="replace")
        tail = "\n".join(words.splitlines()[-12:])
        return f"{self.program.name} {self.program.version} {what}; see {self.program.log}:\n{tail}"


def cut_log(log: Path, bytes_max: int) -> None:
    """Move a log that grew too long into one older file; a full disk must not end the server.

    The server goes on writing to the same open file, always at its end, so it may be emptied.
    """
    with contextlib.suppress(OSError):
        if log.stat().st_size > bytes_max:
            with log.open("rb") as file:
                file.seek(-bytes_max, os.SEEK_END)
                recent = file.read()
            os.truncate(log, 0)
            log.with_suffix(".log.1").write_bytes(recent)


def _pause_s(short_lives: int) -> float:
    """No pause after the first death, then 0.5 s, doubled each time up to the bound."""
    return min(_PAUSE_S_MAX, 0.125 * 2**short_lives) if short_lives > 1 else 0.0
