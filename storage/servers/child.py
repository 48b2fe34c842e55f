"""The small program that drops to the servers' account and becomes a server, looks or sweeps.

It is started by its path under `python -I -S`, so it imports nothing of ours. Everything it needs
is imported before it drops, since the account may not be able to read the Python installation.
"""

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1


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
    os.execv(command[0], command)


def reach(account: str, *paths: str) -> None:
    """Print those of `paths` that the account cannot read and enter or execute, one a line."""
    become(account)
    for path in paths:
        if not os.access(path, os.R_OK | os.X_OK if os.path.isfile(path) else os.X_OK):
            print(path)


def occupants(folder: str, program: str) -> list[int]:
    """List the processes that work in `folder` and run `program`, whatever any pid file says."""
    try:
        home = os.stat(folder)
    except OSError:
        return []
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            cwd = os.stat(f"/proc/{entry}/cwd")
            executable = os.path.basename(os.readlink(f"/proc/{entry}/exe"))
        except OSError:
            continue
        if os.path.samestat(cwd, home) and executable.removesuffix(" (deleted)") == program:
            found.append(int(entry))
    return found


def sweep(account: str, folder: str, program: str, patience_s: str, number: str) -> None:
    """Wait until nobody runs `program` in `folder`; after `patience_s` send signal `number`, then kill.

    It looks and signals as the account itself: even root may not look into another account's
    processes where capabilities are restricted, as in a container.
    """
    become(account)
    for last, wait_s in ((int(number), float(patience_s)), (signal.SIGKILL, 5.0)):
        if await_empty(folder, program, wait_s):
            return
        for pid in occupants(folder, program):
            try:
                os.kill(pid, last)
            except ProcessLookupError:
                continue
    if not await_empty(folder, program, 5.0):
        sys.exit(f"{program} still runs in {folder}: {occupants(folder, program)}")


def await_empty(folder: str, program: str, wait_s: float) -> bool:
    give_up = time.monotonic() + wait_s
    while occupants(folder, program):
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.02)
    return True


def main(verb: str, *arguments: str) -> None:
    if verb == "run":
        run(*arguments)
    elif verb == "reach":
        reach(*arguments)
    else:
        sweep(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
