"""The small program that drops to the servers' account, and then becomes a server or looks around.

It is started by its path under `python -I -S`, so it imports nothing of ours. Everything it needs
is imported before it drops, since the account may not be able to read the Python installation.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def become(account: str) -> None:
    """Drop to `uid:gid:name` for good; `-` stays."""
    if account == "-":
        return
    uid, gid, name = account.split(":", 2)
    os.initgroups(name, int(gid))
    os.setresgid(int(gid), int(gid), int(gid))
    os.setresuid(int(uid), int(uid), int(uid))


def run(parent: str, death_signal: str, account: str, *command: str) -> None:
    """Become `command`, tied to the thread of process `parent` that started us.

    The command gets an environment of its own: a PGDATA or PGPORT of ours must not reach it.

    The order matters: a change of credentials clears the death signal, and a parent that died
    before it was set is only seen by asking afterwards who the parent is.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o077)
    become(account)
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        sys.exit(f"cannot tie the server to its parent: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):
        sys.exit("the parent ended before its server could start")
    os.chdir("/")
    os.execve(command[0], command, ENVIRONMENT)  # noqa: S606 - a shell is what we do without here


def reach(account: str, *paths: str) -> None:
    """Print those of `paths` that the account cannot enter, or read and execute, one a line."""
    become(account)
    for path in paths:
        is_file = os.access(path, os.F_OK) and Path(path).is_file()
        if not os.access(path, os.X_OK | (os.R_OK if is_file else 0)):
            sys.stdout.write(f"{path}\n")


def occupants(folder: str, programs: set[str]) -> list[int]:
    """List the processes that work in `folder` and run one of `programs`.

    What a process is, is asked of the kernel: a pid file only tells what a number once meant.
    """
    home = Path(folder)
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").samefile(home):
                executable = (entry / "exe").readlink().name.removesuffix(" (deleted)")
                if executable in programs:
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


def await_empty(folder: str, programs: set[str], wait_s: float) -> bool:
    give_up = time.monotonic() + wait_s  # noqa: TID251 - processes end in the machine's own time
    while occupants(folder, programs):
        if time.monotonic() >= give_up:  # noqa: TID251
            return False
        time.sleep(0.02)  # noqa: TID251
    return True


def sweep(account: str, folder: str, programs: str, patience_s: str, number: str) -> None:
    """Wait until none of `programs` works in `folder`; too late, send signal `number`, then kill.

    It looks and signals as the account itself: even root may not look into another account's
    processes where capabilities are restricted, as in a container.
    """
    become(account)
    names = set(programs.split(","))
    for last, wait_s in ((int(number), float(patience_s)), (signal.SIGKILL, 5.0)):
        if await_empty(folder, names, wait_s):
            return
        for pid in occupants(folder, names):
            try:
                os.kill(pid, last)
            except ProcessLookupError:
                continue
    if not await_empty(folder, names, 5.0):
        sys.exit(f"{programs} still runs in {folder}: {occupants(folder, names)}")


def main(verb: str, *arguments: str) -> None:
    if verb == "run":
        run(*arguments)
    elif verb == "reach":
        reach(*arguments)
    else:
        sweep(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
