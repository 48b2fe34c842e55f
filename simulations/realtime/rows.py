"""What was measured, as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: runs of ours, of the bare counterpart if there is one, and what was aimed at.

    `at_most` bounds the median of ours; `ratio_at_least` bounds ours by the bare one.
    """

    what: str
    unit: str
    ours: tuple[float, ...]
    bare: tuple[float, ...] = ()
    at_most: float | None = None
    ratio_at_least: float | None = None

    @property
    def value(self) -> float:
        """The middle run of ours."""
        return median(self.ours)

    @property
    def ratio(self) -> float | None:
        """Ours by the bare counterpart, middle runs; None without one, or where it is nothing."""
        bare = median(self.bare) if self.bare else 0.0
        return self.value / bare if bare else None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.ratio_at_least is not None and self.ratio is not None:
            return self.ratio >= self.ratio_at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def target(self) -> str:
        """What was aimed at, in words."""
        if self.ratio_at_least is not None:
            return f"≥ {self.ratio_at_least:.0%} of bare"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"


def table_of(rows: Sequence[Row], title: str) -> Table:
    """Medians, the least and the greatest run, the ratio and the target."""
    table = Table("what", "unit", "ours", "bare", "ratio", "target", "", title=title, box=None)
    for row in rows:
        verdict = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[row.is_met]
        table.add_row(
            row.what,
            row.unit,
            _spread(row.ours),
            _spread(row.bare),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.target,
            verdict,
        )
    return table


def write_json(rows: Sequence[Row], asked: dict[str, Any], file: Path) -> None:
    """Everything, each run of it."""
    told = [
        {**asdict(row), "value": row.value, "ratio": row.ratio, "is_met": row.is_met}
        for row in rows
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"asked": asked, "rows": told}, indent=2, ensure_ascii=False))


def _spread(runs: Sequence[float]) -> str:
    if not runs:
        return ""
    middle = f"{median(runs):,.4g}"
    return middle if len(runs) == 1 else f"{middle} [dim]{min(runs):,.4g}-{max(runs):,.4g}[/]"
