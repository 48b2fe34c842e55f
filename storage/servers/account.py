"""Who the servers run as: ourselves, or an unprivileged account when we are root."""

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.servers import child
from storage.servers.errors import ServersError

USUAL_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account to run servers as; `drops` says whether we have to change to it."""

    name: str
    uid: int
    gid: int
    drops: bool

    @property
    def ticket(self) -> str:
        return f"{self.uid}:{self.gid}:{self.name}" if self.drops else "-"


def choose_account(wanted: str | None) -> Account:
    """The account for the servers.

    Raises:
        ServersError: started by root, and no unprivileged account is there to drop to.
    """
    if os.geteuid() != 0:
        return Account(name=_own_name(), uid=os.geteuid(), gid=os.getegid(), drops=False)
    for name in (wanted,) if wanted else USUAL_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, drops=True)
    tried = wanted or " or ".join(USUAL_ACCOUNTS)
    raise ServersError(
        "PostgreSQL refuses to run as root, and there is no unprivileged account "
        f"{tried} on this machine; create one and name it in the setting data.account."
    )


def unreachable(account: Account, paths: Sequence[Path]) -> list[Path]:
    """Those of `paths` the account cannot enter (folders) or read and execute (files)."""
    if not account.drops or not paths:
        return []
    answer = _ask("reach", account, *map(str, paths))
    if answer.returncode != 0:
        raise ServersError(f"cannot become the account {account.name}: {answer.stderr.strip()}")
    return [Path(line) for line in answer.stdout.splitlines()]


def sweep(
    account: Account, folder: Path, programs: Sequence[str], *, patience_s: float, number: int
) -> None:
    """Wait for `programs` of an earlier life in `folder` to end; after `patience_s` end them.

    Raises:
        ServersError: some are still there.
    """
    if not folder.is_dir():
        return
    answer = _ask("sweep", account, str(folder), ",".join(programs), str(patience_s), str(number))
    if answer.returncode != 0:
        raise ServersError(answer.stderr.strip())


def start_tied(
    account: Account, command: Sequence[str], *, death_signal: int, log: int
) -> "subprocess.Popen[bytes]":
    """Start a server that ends with the calling thread; its output goes to the open file `log`."""
    return subprocess.Popen(
        _tied(account, command, death_signal=death_signal),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def run_tied(
    account: Account, command: Sequence[str], *, stdin: str = "", timeout_s: float = 180
) -> "subprocess.CompletedProcess[str]":
    """Run a short program as the account to its end, with nothing of our environment."""
    return subprocess.run(
        _tied(account, command, death_signal=9),
        cwd="/",
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        start_new_session=True,
    )


def _ask(verb: str, account: Account, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*_stub(), verb, account.ticket, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _tied(account: Account, command: Sequence[str], *, death_signal: int) -> list[str]:
    return [*_stub(), "run", str(os.getpid()), str(death_signal), account.ticket, *command]


def _stub() -> list[str]:
    return [sys.executable, "-I", "-S", child.__file__]


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
