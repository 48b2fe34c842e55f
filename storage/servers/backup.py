"""Backups of the embedded PostgreSQL and what belongs to it, and how they become a data folder.

Made, verified and replayed by PostgreSQL's own programs: pg_basebackup, pg_verifybackup and, with
an archive of the log, recovery to an instant.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from storage.servers.account import choose_account, start_tied
from storage.servers.archive import Archive
from storage.servers.binaries import choose_postgres
from storage.servers.errors import ServersError
from storage.servers.patience import Stopwatch
from storage.servers.places import Places, claimed_places, make_folder, state_of, write_private
from storage.servers.ports import LOOPBACK, choose_port
from storage.servers.postgres import HBA, cluster_major, serves
from storage.settings import DatabaseSettings, DataSettings

_NAME: Final = "%Y-%m-%dT%H%M%SZ"
_DATABASE, _FILES, _KEYS, _PASSWORD = "database", "files", "keys.json", "password"
_LAST_LINES: Final = 12
_TOLD_EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """What belongs to the database and is not in it: people's files, and the keys that unseal."""

    files: Path
    keys: Path


def back_up(
    dsn: str,
    data: DataSettings,
    folder: Path,
    belongings: Belongings,
    *,
    database: DatabaseSettings,
    keep: int,
    now: datetime,
    on_step: Callable[[str], None],
) -> Path:
    """Make a backup while the service runs, and forget all but the newest `keep` of `folder`.

    dsn: the embedded PostgreSQL of `data`, which another process keeps.

    Raises:
        ServersError: it could not be made or is not whole; those before it stay.
    """
    major = cluster_major(state_of(data.folder.absolute()))
    programs = choose_postgres(database.binaries, major).path.parent
    make_folder(folder, 0o700)
    made = folder / now.astimezone(UTC).strftime(_NAME)
    part = folder / f".{made.name}"
    if made.exists() or part.exists():
        raise ServersError(f"{made} is being made, or was in this second: try again in another.")
    make_folder(part, 0o700)
    try:
        on_step("Copying the database")
        _run(
            *(programs / "pg_basebackup", "--dbname", _with_file(dsn, part / _PASSWORD)),
            *("--no-password", "--pgdata", part / _DATABASE, "--wal-method=stream"),
            *("--checkpoint=fast", "--manifest-checksums=SHA256"),
        )
        (part / _PASSWORD).unlink()
        on_step("Reading it again")
        _run(programs / "pg_verifybackup", "--quiet", part / _DATABASE)
        # After the database: what a row speaks of is there by now, and is never changed.
        _copy(belongings.files, part / _FILES)
        _copy(belongings.keys, part / _KEYS)
        part.rename(made)
    except BaseException:
        shutil.rmtree(part)
        raise
    _forget(folder, programs, keep=keep, archive=database.archive_folder, on_step=on_step)
    on_step(f"{made} holds {_megabytes(made):,} MB")
    return made


def restore(
    backup: Path,
    data: DataSettings,
    belongings: Belongings,
    *,
    database: DatabaseSettings,
    archive: Path | None,
    until: datetime | None,
    on_step: Callable[[str], None],
) -> None:
    """Make a data folder that holds what the backup does, or what was there at a later instant.

    Raises:
        ServersError: the folder is in use, or holds a database already; the backup is none; or
            the archive does not reach the instant. Nothing is left half-done.
    """
    if until is not None and archive is None:
        raise ServersError("an instant after the backup needs the archive: name it with --archive.")
    try:
        major = int((backup / _DATABASE / "PG_VERSION").read_text())
    except (OSError, ValueError):
        raise ServersError(f"{backup} is no backup: it has no {_DATABASE} in it.") from None
    account = choose_account(data.account)
    with claimed_places(data, account) as places:
        if cluster_major(places.state) is not None or belongings.keys.exists():
            raise ServersError(
                f"{places.folder} holds data already: set data.folder to an empty one."
            )
        executable = places.reachable(choose_postgres(database.binaries, major))
        fresh = places.work_folder("postgres") / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        on_step(f"Copying {backup}")
        try:
            _copy(backup / _DATABASE, fresh)
            _hand_over(fresh, places, archive)
            command = [str(executable), "-D", str(fresh), *_recovery(archive, until)]
            _replay(command, places, fresh, on_step)
            _copy(backup / _FILES, belongings.files)
            _copy(backup / _KEYS, belongings.keys)
            fresh.rename(fresh.with_name("data"))
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise


def _recovery(archive: Path | None, until: datetime | None) -> list[str]:
    """Nobody is let in meanwhile: without a hot standby `ready` means that all is replayed."""
    settings = {
        "listen_addresses": LOOPBACK,
        "port": str(choose_port(None, last=None, chance=random.SystemRandom())),
        "unix_socket_directories": "",
        "hot_standby": "off",
        "archive_mode": "off",
    }
    if archive is not None:
        settings |= {
            "restore_command": Archive(folder=archive.absolute()).fetching,
            "recovery_target_action": "promote",
        }
    if until is not None:
        settings["recovery_target_time"] = until.isoformat()
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _replay(
    command: Sequence[str], places: Places, cluster: Path, on_step: Callable[[str], None]
) -> None:
    """Run the server until all is replayed, and end it in good order."""
    log, watch, told = places.log("restore"), Stopwatch(), 0.0
    opened = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        on_step("Replaying what was written since")
        process = start_tied(places.account, command, death_signal=2, log=opened)
        while not serves(cluster, process.pid):
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                if watch.elapsed_s - told > _TOLD_EVERY_S:
                    told = watch.elapsed_s
                    on_step(_last_lines(log, 1))
                continue
            raise ServersError(
                "the server ended before it had replayed all: the archive may end before the "
                f"instant of --until.\n{_last_lines(log, _LAST_LINES)}"
            )
        process.send_signal(2)
        process.wait()
    finally:
        os.close(opened)


def _last_lines(log: Path, count: int) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _hand_over(cluster: Path, places: Places, archive: Path | None) -> None:
    """Make a copy a cluster of the servers' account, which begins by asking the archive."""
    write_private(cluster / "pg_hba.conf", HBA)
    if archive is not None:
        write_private(cluster / "recovery.signal", "")
    cluster.chmod(0o700)
    if places.account.drops:
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, places.account.uid, places.account.gid, follow_symlinks=False)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder, or a file of its owner's only; what is not there needs no copy."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    elif source.exists():
        write_private(target, source.read_text())


def _forget(
    folder: Path,
    programs: Path,
    *,
    keep: int,
    archive: Path | None,
    on_step: Callable[[str], None],
) -> None:
    """Remove older backups, and of the archive what is older than all that stay."""
    found = sorted(folder.glob("????-??-??T??????Z"), reverse=True)
    for one in found[keep:]:
        on_step(f"Removing {one}: {keep} newer ones are there")
        shutil.rmtree(one)
    if archive is not None:
        label = (found[:keep][-1] / _DATABASE / "backup_label").read_text()
        first = label.partition("(file ")[2].partition(")")[0]
        _run(programs / "pg_archivecleanup", "-x", ".gz", archive, first)


def _with_file(dsn: str, file: Path) -> str:
    """The address as everybody may see it among the processes, its password in a file."""
    told = urlsplit(dsn)
    write_private(file, f"*:*:*:*:{told.password}\n")
    named = told._replace(
        netloc=f"{told.username}@{told.hostname}:{told.port}",
        query=f"{told.query}&{urlencode({'passfile': file})}",
    )
    return named.geturl()


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ServersError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")


def _megabytes(folder: Path) -> int:
    return sum(one.lstat().st_size for one in folder.rglob("*")) // 1_000_000
