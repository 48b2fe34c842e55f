"""Data folders for tests: made in the system's temporary folder, and removed afterwards."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.servers.account import Account, unreachable
from storage.servers.errors import ServersError
from storage.servers.lock import claimed
from storage.servers.places import make_folder
from storage.servers.register import REGISTER_FILE
from storage.settings import DataSettings

_PREFIX = "hadiyati-throwaway-"
_LEAVING_PREFIX = "hadiyati-leaving-"


@contextmanager
def throwaway_folder(data: DataSettings, account: Account) -> Iterator[Path]:
    """A new folder that the account can enter, for as long as the block runs."""
    base = Path(tempfile.gettempdir())
    if unreachable(account, [base]):
        base = data.elsewhere
    for leftover in base.glob(f"{_LEAVING_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for abandoned in base.glob(f"{_PREFIX}*"):
        _remove_abandoned(abandoned)
    folder = base / f"{_PREFIX}{secrets.token_hex(6)}"
    make_folder(folder, 0o711 if account.drops else 0o700)
    try:
        yield folder
    finally:
        _remove(folder)


def _remove_abandoned(folder: Path) -> None:
    """Remove a folder whose process was killed: nobody holds its lock any more.

    One without a register may be another process's that has not come to its lock yet.
    """
    if not (folder / REGISTER_FILE).is_file():
        return
    try:
        with claimed(folder):
            _remove(folder)
    except ServersError:
        return


def _remove(folder: Path) -> None:
    """Remove the folder at once as far as anybody else can see.

    Another process that looks for abandoned folders may write its lock into this one between
    the last file's removal and the folder's own, so the folder first leaves under another name.
    """
    leaving = folder.with_name(f"{_LEAVING_PREFIX}{secrets.token_hex(6)}")
    with suppress(FileNotFoundError):
        folder.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)
