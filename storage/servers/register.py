"""What a supervisor writes down about its servers for other processes and for its next start."""

from pathlib import Path

import msgspec

from storage.servers.places import write_private

REGISTER_FILE = "servers.json"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One server; `pid` is None while it is down."""

    port: int
    version: str
    source: str
    pid: int | None


def read_register(folder: Path) -> dict[str, Entry]:
    """Server name → entry, as last written; empty if there is nothing readable."""
    try:
        return msgspec.json.decode((folder / REGISTER_FILE).read_bytes(), type=dict[str, Entry])
    except (OSError, msgspec.DecodeError):
        return {}


def write_register(folder: Path, entries: dict[str, Entry]) -> None:
    write_private(folder / REGISTER_FILE, msgspec.json.encode(entries).decode())
