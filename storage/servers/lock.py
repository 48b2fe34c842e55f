"""The claim of one process on a data folder, which the kernel releases when that process dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.servers.errors import FolderInUseError, ServersError
from storage.servers.patience import becomes_true

LOCK_FILE = "servers.lock"
_PATIENCE_S = 0.3  # somebody may be asking just now who holds the lock, and so hold it himself


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on the folder; the pid in the lock's file is only for people to read.

    Raises:
        FolderInUseError: another process holds it.
        ServersError: the folder belongs to somebody else.
    """
    lock = _FolderLock(folder)
    if not becomes_true(lock.acquire, within_s=_PATIENCE_S):
        raise FolderInUseError(
            f"the data folder {folder.absolute()} is in use by process {holder_of(folder)}. "
            "Stop that one, or choose another folder with the setting data.folder."
        )
    # A forked copy of this process would otherwise keep the lock after our death.
    os.register_at_fork(after_in_child=lock.release)
    try:
        yield
    finally:
        lock.release()


def holder_of(folder: Path) -> str | None:
    """The pid written by the process that holds the folder now, or None if nobody does."""
    try:
        opened = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(opened, 64).decode(errors="replace").strip() or "unknown"
    else:
        return None
    finally:
        os.close(opened)


class _FolderLock:
    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._file: int | None = None

    def acquire(self) -> bool:
        opened = self._open()
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            return False
        if not self._is_current(opened):
            os.close(opened)
            return False
        self._file = opened
        os.ftruncate(opened, 0)
        os.pwrite(opened, f"{os.getpid()}\n".encode(), 0)
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise ServersError(
                f"cannot write to the data folder {self._path.parent.absolute()}: {error.strerror}."
            ) from error

    def _is_current(self, opened: int) -> bool:
        """Whether the file we locked is still the one of that name, not one removed meanwhile."""
        try:
            return os.path.samestat(os.fstat(opened), self._path.stat())
        except FileNotFoundError:
            return False
