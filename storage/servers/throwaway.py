"""Data folders for tests: made in the system's temporary folder, and removed afterwards."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.servers.account import Account, unreachable
from storage.servers.errors import ServersError
from storage.servers.lock import LOCK_FILE, claimed
from storage.servers.places import make_folder
from storage.servers.register import REGISTER_FILE
from storage.settings import DataSettings

_PREFIX = "hadiyati-throwaway-"


@contextmanager
def throwaway_folder(data: DataSettings, account: Account) -> Iterator[Path]:
    """A new folder that the account can enter, for as long as the block runs."""
    base = Path(tempfile.gettempdir())
    if unreachable(account, [base]):
        base = data.elsewhere
    for abandoned in base.glob(f"{_PREFIX}*"):
        _remove_abandoned(abandoned)
    folder = base / f"{_PREFIX}{secrets.token_hex(6)}"
    make_folder(folder, 0o711 if account.drops else 0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    """Remove a folder whose process was killed: nobody holds its lock any more.

    One without a register may be another process's that has not come to its lock yet.
    """
    if not (folder / REGISTER_FILE).is_file():
        return
    try:
        with claimed(folder):
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != LOCK_FILE:
                    path.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
    except ServersError:
        return
