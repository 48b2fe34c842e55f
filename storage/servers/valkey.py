"""One Valkey of our own: configured, cleared of earlier lives, started, asked if ready."""

import re
import secrets
import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from storage.servers.account import sweep
from storage.servers.binaries import Programs
from storage.servers.places import Places, write_private
from storage.servers.ports import LOOPBACK
from storage.settings import RedisSettings

_UNREADABLE = re.compile(r"append only file|AOF", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """A server's files and the program that serves them; a `Program` for its keeper."""

    places: Places
    programs: Programs
    executable: Path
    settings: RedisSettings
    port: int
    durable: bool

    name = "Valkey"
    death_signal = int(signal.SIGTERM)
    farewell = ((int(signal.SIGTERM), 10.0),)

    @property
    def version(self) -> str:
        return self.programs.version_text

    @property
    def log(self) -> Path:
        return self.places.log("valkey")

    @property
    def home(self) -> Path:
        return self.places.work_folder("valkey")

    @property
    def url(self) -> str:
        return address(self.places.password("valkey") or "", self.port)

    def prepare(self) -> None:
        """Write the configuration, where the password is not seen in the list of processes.

        Streams never expire, presence and cache do: when memory is short, `volatile-ttl` gives up
        what was about to go anyway, and never a stream that clients resume from.
        """
        password = self.places.password("valkey") or secrets.token_urlsafe(24)
        self.places.keep_password("valkey", password)
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {password}",
            f'dir "{self.home}"',
            "daemonize no",
            'logfile ""',
            "always-show-logo no",
            "tcp-backlog 128",
            "maxclients 4000",
            "databases 1",
            'save ""',
            "appendonly yes",
            f"appendfsync {'everysec' if self.durable else 'no'}",
            f"maxmemory {self.settings.memory_mb}mb",
            "maxmemory-policy volatile-ttl",
            "shutdown-on-sigterm force",
        ]
        write_private(self._configuration, "\n".join(lines) + "\n", self.places.account)

    def clear_way(self, patience_s: float) -> None:
        """Let an earlier server on the same files end, so that two never write to them."""
        sweep(
            self.places.account,
            self.home,
            ["valkey-server", "redis-server"],
            patience_s=patience_s,
            number=signal.SIGTERM,
        )

    def command(self) -> list[str]:
        return [str(self.executable), str(self._configuration)]

    def is_ready(self, pid: int) -> bool:
        """Whether the process with this pid answers on the port, knows us, and has its data."""
        password = self.places.password("valkey")
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as link:
                link.sendall(f"AUTH {password}\r\nPING\r\nINFO server\r\nQUIT\r\n".encode())
                answer = b"".join(iter(lambda: link.recv(65536), b"")).decode()
        except OSError:
            return False
        return answer.startswith("+OK\r\n+PONG\r\n") and f"process_id:{pid}\r\n" in answer

    def mend(self, last_words: str) -> str | None:
        """Set aside files that Valkey cannot read; without them the system is slower, not wrong."""
        kept = self.home / "appendonlydir"
        if not (kept.is_dir() and _UNREADABLE.search(last_words)):
            return None
        aside = kept.with_suffix(".unreadable")
        if aside.exists():
            shutil.rmtree(aside)
        kept.rename(aside)
        return f"Valkey cannot read what it had kept and starts empty; the old files are in {aside}"

    @property
    def _configuration(self) -> Path:
        return self.places.state / "valkey.conf"


def address(password: str, port: int) -> str:
    return f"redis://:{password}@{LOOPBACK}:{port}/0"
