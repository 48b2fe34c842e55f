"""One PostgreSQL cluster of our own: made, cleared of earlier lives, started, asked if ready."""

import secrets
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage.servers.account import run_tied, sweep
from storage.servers.archive import LATE_S, Archive
from storage.servers.binaries import Programs
from storage.servers.errors import ServersError
from storage.servers.places import Places, write_private
from storage.servers.ports import LOOPBACK
from storage.settings import DatabaseSettings

USER = DATABASE = "hadiyati"
HBA = (
    f"host all all {LOOPBACK}/32 scram-sha-256\nhost replication all {LOOPBACK}/32 scram-sha-256\n"
)
# What is thrown away need not survive the machine; but what a killed process acknowledged stays.
_THROW_AWAY = {"fsync": "off", "full_page_writes": "off"}
_ORPHAN_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A cluster, and the `folder` of the programs that serve it; a `Program` for its keeper."""

    places: Places
    programs: Programs
    folder: Path
    settings: DatabaseSettings
    port: int
    durable: bool
    on_step: Callable[[str], None]

    name = "PostgreSQL"
    death_signal = int(signal.SIGINT)

    @property
    def farewell(self) -> tuple[tuple[int, float], ...]:
        """What is thrown away needs no last checkpoint."""
        at_once = (int(signal.SIGQUIT), 10.0)
        return ((int(signal.SIGINT), 20.0), at_once) if self.durable else (at_once,)

    @property
    def version(self) -> str:
        return self.programs.version_text

    @property
    def log(self) -> Path:
        return self.places.log("postgres")

    @property
    def home(self) -> Path:
        return self.places.work_folder("postgres")

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def archive(self) -> Archive | None:
        folder = self.settings.archive_folder
        return None if folder is None else Archive(folder=folder.absolute())

    @property
    def dsn(self) -> str:
        return address(self.places.password("postgres") or "", self.port)

    def clear_way(self, patience_s: float) -> None:
        """Let what is left of an earlier postmaster end, and remove its pid file.

        Backends outlive a killed postmaster until they notice, and PostgreSQL does not start
        beside them. It does not start either while the pid in an old file is that of any process
        of its own user, related or not. We hold the folder's lock and have seen that nobody works
        in the data folder, so the file says nothing any more.
        """
        sweep(
            self.places.account,
            self.data,
            ["postgres"],
            patience_s=patience_s,
            number=signal.SIGQUIT,
        )
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": str(self.settings.max_connections),
            "shared_buffers": f"{self.settings.shared_buffers_mb}MB",
            "max_wal_size": "1GB",
            "random_page_cost": "1.1",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "log_checkpoints": "off",
            "logging_collector": "off",
            **({} if self.durable else _THROW_AWAY),
            **({} if self.archive is None else kept_in(self.archive)),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.folder / "postgres"), "-D", str(self.data), *flags]

    def is_ready(self, pid: int) -> bool:
        return serves(self.data, pid)

    def mend(self, last_words: str) -> str | None:  # noqa: ARG002
        """Do nothing: what PostgreSQL keeps is the truth, and only people may give it up."""
        return None

    def prepare(self) -> None:
        """Make the cluster if there is none, and see that the password kept is the one it has."""
        if self.archive is not None:
            self.archive.open_for(self.places.account)
        kept = self.places.password("postgres")
        password = kept or secrets.token_urlsafe(24)
        change = f"ALTER ROLE {USER} PASSWORD '{password}';\n"
        if not (self.data / "PG_VERSION").exists():
            self.places.keep_password("postgres", password)
            self._make(change)
        elif kept is None:
            self.on_step("The password of PostgreSQL was lost; giving it a new one")
            self.clear_way(_ORPHAN_PATIENCE_S)
            self._alone(self.data, change)
            self.places.keep_password("postgres", password)

    def _make(self, change: str) -> None:
        """Make the cluster beside its final place and move it there when it is whole."""
        self.on_step(f"Making a PostgreSQL {self.version} cluster in {self.home}")
        fresh = self.home / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        if self.programs.major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        else:
            locale = ["--locale=C.UTF-8"]
        self._run(
            "initdb",
            [
                f"--pgdata={fresh}",
                f"--username={USER}",
                "--encoding=UTF8",
                "--auth=trust",
                "--no-instructions",
                *locale,
                *([] if self.durable else ["--no-sync"]),
            ],
        )
        write_private(fresh / "pg_hba.conf", HBA, self.places.account)
        self._alone(fresh, f"{change}CREATE DATABASE {DATABASE};\n")
        fresh.rename(self.data)

    def _alone(self, data: Path, statements: str) -> None:
        """Run statements with no server running and no network open."""
        flags = [] if self.durable else ["-F"]
        self._run(
            "postgres",
            ["--single", *flags, "-c", "exit_on_error=true", "-D", str(data), "template1"],
            stdin=statements,
        )

    def _run(self, name: str, arguments: list[str], *, stdin: str = "") -> None:
        answer = run_tied(self.places.account, [str(self.folder / name), *arguments], stdin=stdin)
        if answer.returncode != 0:
            raise ServersError(
                f"{name} of PostgreSQL {self.version} failed with {answer.returncode}: "
                f"{(answer.stderr or answer.stdout).strip()[-2000:]}"
            )


def kept_in(archive: Archive) -> dict[str, str]:
    """The settings by which every change gets there."""
    return {
        "archive_mode": "on",
        "archive_timeout": str(LATE_S),
        "archive_command": archive.keeping,
    }


def serves(cluster: Path, pid: int) -> bool:
    """Whether the postmaster with this pid says of itself that it takes connections."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except (OSError, ValueError):
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def address(password: str, port: int) -> str:
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{DATABASE}?sslmode=disable"


def cluster_major(state: Path) -> int | None:
    """The major version of the cluster under this state folder, or None if there is none."""
    try:
        return int((state / "postgres" / "data" / "PG_VERSION").read_text())
    except (OSError, ValueError):
        return None
