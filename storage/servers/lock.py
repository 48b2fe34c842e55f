"""The claim of one process on a data folder, which the kernel releases when that process dies."""

import fcntl
import os
from pathlib import Path

from storage.servers.errors import FolderInUseError, ServersError

LOCK_FILE = "servers.lock"


class FolderLock:
    """An exclusive `flock` on a file in the folder; the pid inside is only for people to read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._folder = folder
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            FolderInUseError: another process holds it.
            ServersError: the folder belongs to somebody else.
        """
        while self._file is None:
            opened = self._open()
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(opened, 64).decode(errors="replace").strip() or "unknown"
                os.close(opened)
                raise FolderInUseError(
                    f"the data folder {self._folder.absolute()} is in use by process {holder}. "
                    "Stop that one, or choose another folder with the setting data.folder."
                ) from None
            if self._is_current(opened):
                self._file = opened
            else:
                os.close(opened)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        # A forked copy of this process would otherwise keep the lock after our death.
        os.register_at_fork(after_in_child=self.release)

    def release(self) -> None:
        """Give the lock back; once is enough, twice does no harm."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise ServersError(
                f"cannot write to the data folder {self._folder.absolute()}: {error.strerror}."
            ) from error

    def _is_current(self, opened: int) -> bool:
        """Whether the file we locked is still the one with that name, not a removed one."""
        try:
            return os.path.samestat(os.fstat(opened), self._path.stat())
        except FileNotFoundError:
            return False


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
