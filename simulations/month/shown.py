"""A month for people to read, and for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from simulations.month.explained import Line
from simulations.month.run import Month


def figures(month: Month, lines: Sequence[Line]) -> dict[str, Any]:
    """All figures of a month."""
    told = {one: getattr(month, one) for one in month.__struct_fields__ if one != "books"}
    return {
        **msgspec.to_builtins(told),
        "lines": msgspec.to_builtins(lines),
        "entries": len(month.books.entries),
        "unexplained_halalas": sum(one.unexplained_halalas for one in lines),
    }


def write(month: Month, lines: Sequence[Line], file: Path) -> None:
    """The figures as JSON."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(figures(month, lines))))


def show(month: Month, lines: Sequence[Line], console: Console) -> None:
    """The figures as tables."""
    plan, nights = month.plan, month.nights
    console.print(
        f"{plan.days} days, {month.orders:,} orders, {len(month.books.entries):,} transfers, "
        f"{sum(month.documents.values()):,} documents"
    )
    for name in ("done", "payments", "payouts", "documents", "transfers"):
        counts = getattr(month, name)
        told = ", ".join(f"{key} {count:,}" for key, count in counts.items())
        console.print(f"[bold]{name}[/] {told}", highlight=False)
    console.print(
        f"{len(nights)} settlement files: {sum(one.lines for one in nights):,} rows, "
        f"{sum(one.breaks for one in nights):,} breaks until the next file, the oldest of them "
        f"{max(one.oldest_days for one in nights)} days old, {nights[-1].breaks} after the last"
    )
    console.print(_trial_balance(month))
    console.print(_explained(lines))


def _trial_balance(month: Month) -> Table:
    table = Table("account", "debits", "credits", title="Trial balance, halalas and points")
    for name in ("debits", "credits"):
        table.columns[{"debits": 1, "credits": 2}[name]].justify = "right"
    for one in month.trial_balance:
        table.add_row(one.kind.value, f"{one.debits:,}", f"{one.credits:,}")
    return table


def _explained(lines: Sequence[Line]) -> Table:
    table = Table("what", "by", "and by", title="Explained, in halalas")
    for name in ("first", "second", "unexplained"):
        table.add_column(name, justify="right")
    for one in lines:
        sums = (one.left_halalas, one.right_halalas, one.unexplained_halalas)
        table.add_row(one.what, one.left, one.right, *(f"{each:,}" for each in sums))
    return table
