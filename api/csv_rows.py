"""Rows as CSV (RFC 4180), with the mark by which spreadsheets read Arabic rightly."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

BEGINNING: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"


def written(rows: Iterable[Sequence[str]]) -> str:
    """Some rows, each with its line break."""
    sheet = io.StringIO(newline="")
    csv.writer(sheet).writerows(rows)
    return sheet.getvalue()
