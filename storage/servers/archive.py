"""Where PostgreSQL's log of changes is kept, so that a backup can be brought to a later instant."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.servers.account import Account, unreachable
from storage.servers.errors import ServersError
from storage.servers.places import own_folder

# A change is there at most this much later, also when little happens (`archive_timeout`).
LATE_S: Final = 30
# PostgreSQL cuts a command off at 1,024 bytes.
_PLAIN: Final = re.compile(r"[\w./-]{1,600}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A folder of segments, each compressed; whoever restores reads them by the commands here."""

    folder: Path

    def open_for(self, account: Account) -> None:
        """Make the folder if it is not there.

        Raises:
            ServersError: the servers' account cannot write into it.
        """
        if not _PLAIN.fullmatch(str(self.folder)):
            raise ServersError(
                f"{self.folder} stands in commands of a shell: set database.archive_folder to a "
                "path of at most 600 letters, digits and . _ - / alone."
            )
        own_folder(self.folder, account, setting="database.archive_folder")
        if unreachable(account, [self.folder]):
            raise ServersError(
                f"the account {account.name} cannot enter {self.folder}; set "
                "database.archive_folder to one that it can enter."
            )

    @property
    def keeping(self) -> str:
        """What keeps a segment: whole or not at all, and never another one in its place."""
        return (
            f'f="{self.folder}/%f"; if test -f "$f.gz"; then gzip -dc "$f.gz" | cmp -s - "%p"; '
            'else gzip -1c "%p" > "$f.part" && sync "$f.part" && mv "$f.part" "$f.gz"; fi'
        )

    @property
    def fetching(self) -> str:
        """What gives a segment back; it fails when there is none."""
        return f'f="{self.folder}/%f.gz"; test -f "$f" && gzip -dc "$f" > "%p"'
