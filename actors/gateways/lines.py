"""The file into which a development gateway writes what it would have sent."""

import os
from pathlib import Path


def append_line(file: Path, line: bytes) -> None:
    """Add a line; one write is one line, whatever other processes write. Its owner's only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(opened, line + b"\n")
    finally:
        os.close(opened)
