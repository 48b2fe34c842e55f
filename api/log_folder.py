"""The folder for the logs of a run whose data is thrown away."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from storage.servers import FolderInUseError
from storage.servers.lock import LOCK_FILE, claimed

_PREFIX: Final = "hadiyati-logs-"


@contextmanager
def throwaway_logs() -> Iterator[Path]:
    """A new folder for as long as the block runs; those of runs that were killed are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _remove_abandoned(left)
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
        claimed(Path(folder)),
    ):
        yield Path(folder)


def _remove_abandoned(folder: Path) -> None:
    """One without a lock may be another run's that has not come to it yet."""
    if not (folder / LOCK_FILE).is_file():
        return
    with suppress(FolderInUseError), claimed(folder):
        shutil.rmtree(folder, ignore_errors=True)
