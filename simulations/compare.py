"""The command that tries two parameter sets on the same days and tells which is better."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from simulations.comparison import Compared, Comparison, Side, Verdict, compared
from simulations.parallel import bar
from simulations.parameter_files import BadParameters, applied, merged, read
from simulations.trial_days import Source
from simulations.trials import Trial, live_all

_WORDS = {
    Verdict.A_BETTER: "[green]A is better[/]",
    Verdict.B_BETTER: "[green]B is better[/]",
    Verdict.NOT_SHOWN: "[dim]not shown[/]",
    Verdict.NO_DATA: "[dim]no figure[/]",
}


def sides(a: Path, b: Path, base: Path | None) -> tuple[Side, Side]:
    """Both parameter sets; raises BadParameters."""
    below = read(base) if base is not None else {}
    names = (a.stem, b.stem) if a.stem != b.stem else (str(a), str(b))
    return (
        Side(name=names[0], sets=merged(below, read(a))),
        Side(name=names[1], sets=merged(below, read(b))),
    )


def run(
    a: Side,
    b: Side,
    source: Source,
    *,
    days: int,
    leading: str,
    level: float,
    workers: int,
    json: Path | None = None,
    png: Path | None = None,
) -> Comparison:
    """Live the days under both sets and print what could be shown; raises BadParameters."""
    console = Console()
    base = source.to_live(0).day.zone.parameters
    if applied(base, a.sets) == applied(base, b.sets):
        raise BadParameters(f"{a.name} and {b.name}", ["both come to the same parameters"])
    lived = []
    with bar(console, f"{days} days, twice", 2 * days) as progress:
        for one in live_all(source, _trials(a, b, days), workers=workers):
            lived.append(one)
            progress.step()
    found = compared(a, b, lived, source, leading=leading, level=level)
    show(found, console)
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    if png is not None:
        from simulations.pictures import draw_comparison  # noqa: PLC0415 - loads matplotlib

        draw_comparison(found, png)
    return found


def show(found: Comparison, console: Console) -> None:
    """The table, the sentence, and what must be known to read them."""
    table = Table(
        title=f"A = {found.a}, B = {found.b}; {found.days} days of {found.days_of}",
        title_justify="left",
    )
    table.add_column("metric")
    for head in ("A", "B", "B - A", "interval"):
        table.add_column(head, justify="right")
    table.add_column("")
    for one in found.metrics:
        table.add_row(*_row(one, is_leading=one.name == found.leading))
    console.print(table)
    console.print(f"[bold]{found.summary}[/]")
    for note in found.notes:
        console.print(f"- {note}")


def _row(one: Compared, *, is_leading: bool) -> Sequence[str]:
    name = f"{one.label}, {one.unit}"
    return (
        f"[bold]{name}[/]" if is_leading else name,
        _number(one.a),
        _number(one.b),
        _number(one.difference, sign="+"),
        "-" if one.low is None else f"{one.low:+.3f} to {one.high:+.3f}",
        _WORDS[one.verdict],
    )


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"


def _trials(a: Side, b: Side, days: int) -> list[Trial]:
    return [
        Trial(name=name, number=number, given=side.sets)
        for number in range(days)
        for name, side in (("a", a), ("b", b))
    ]
