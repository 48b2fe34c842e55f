"""The command that sweeps over zone parameters: lateness against cost, for every set it tries."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import to_builtins
from rich.console import Console
from rich.table import Table

from simulations.finished import Finished
from simulations.metrics import BY_NAME
from simulations.parallel import bar
from simulations.parameter_files import applied, merged, toml_of
from simulations.pareto import ranked
from simulations.sampling import Range, flat, grid, spread_evenly
from simulations.sweep import DEFAULT, Point, Sweep, costs_of, means_of, swept
from simulations.trial_days import Source
from simulations.trials import Lived, Trial, live_all

Sets = dict[str, dict[str, Any]]


def sets_of(
    ranges: Sequence[Range], base: dict[str, Any], *, points: int | None, seed: int
) -> Sets:
    """The sets to try by name, the default first; raises BadParameters."""
    tried = grid(ranges) if points is None else spread_evenly(ranges, points, seed=seed)
    named = {f"p{number}": merged(base, one) for number, one in enumerate(tried, 1)}
    return {DEFAULT: base, **named}


def run(
    sets: Sets,
    source: Source,
    *,
    days: int,
    halving: bool,
    x: str,
    y: str,
    workers: int,
    out: Path,
) -> Sweep:
    """Live the days under every set, keep each trial as it is finished, and show the front.

    Raises OtherSweep when `out` holds trials of other days.
    """
    console = Console()
    finished = Finished(out, _made_by(source, sets[DEFAULT]))
    stages = _stages(len(sets), days, halving=halving)
    left = list(sets)
    with bar(console, f"{len(sets)} sets", sum(count * wide for count, wide in stages)) as progress:
        lived: dict[tuple[str, int], Lived] = {}
        begun = 0
        for count, wide in stages:
            left = _best(left, lived, count, x, y)
            trials = [
                Trial(name=name, number=number, given=sets[name])
                for number in range(begun, begun + wide)
                for name in left
            ]
            for one in _lived(trials, source, finished, workers):
                lived[one.name, one.number] = one
                progress.step()
            begun += wide
    found = swept(sets, lived.values(), days_of=source.of, days=days, x=x, y=y)
    _write(found, sets, out)
    show(found, console)
    console.print(f"All figures, the picture and a TOML file for each of these are in {out}.")
    return found


def _made_by(source: Source, base: dict[str, Any]) -> str:
    """What tells the trials of one sweep from another's: the days and what they begin with."""
    parameters = applied(source.to_live(0).day.zone.parameters, base)
    about = [type(source).__name__, source, to_builtins(parameters)]
    return msgspec.json.encode(about, enc_hook=str, order="sorted").decode()


def _stages(sets: int, days: int, *, halving: bool) -> list[tuple[int, int]]:
    """How many sets live how many further days; halving drops half of them when days double."""
    if not halving:
        return [(sets, days)]
    stages, begun, count = [(sets, 1)], 1, sets
    while begun < days:
        wide = min(begun, days - begun)
        count = max(2, (count + 1) // 2) if sets > 2 else sets
        stages.append((count, wide))
        begun += wide
    return stages


def _best(
    left: list[str], lived: dict[tuple[str, int], Lived], count: int, x: str, y: str
) -> list[str]:
    """So many of the sets, those on the foremost fronts first; the default stays for comparison."""
    if len(left) <= count:
        return left
    costs = []
    for name in left:
        means = means_of([one for (whose, _), one in lived.items() if whose == name])
        costs.append(costs_of(means, x, y) or (float("inf"), float("inf")))
    kept = [left[index] for index in ranked(costs) if left[index] != DEFAULT]
    return [DEFAULT, *sorted(kept[: count - 1], key=left.index)]


def _lived(
    trials: Sequence[Trial], source: Source, finished: Finished, workers: int
) -> Iterator[Lived]:
    missing = []
    for trial in trials:
        known = finished.find(dict(trial.given), trial.number)
        if known is None:
            missing.append(trial)
        else:
            # A set may have had another name in an earlier sweep.
            yield msgspec.structs.replace(known, name=trial.name)
    given = {one.name: dict(one.given) for one in missing}
    for one in live_all(source, missing, workers=workers):
        finished.add(given[one.name], one)
        yield one


def _write(found: Sweep, sets: Sets, out: Path) -> None:
    from simulations.pictures import draw_sweep  # noqa: PLC0415 - loads matplotlib

    text = msgspec.json.format(msgspec.json.encode(found), indent=1)
    (out / "sweep.json").write_bytes(text + b"\n")
    draw_sweep(found, out / "pareto.png")
    for one in found.front:
        (out / f"{one.name}.toml").write_text(_file(one, sets[one.name], found), "utf-8")


def _file(point: Point, sets: dict[str, Any], found: Sweep) -> str:
    figures = ", ".join(
        f"{BY_NAME[name].label} {point.means[name] or 0.0:.3f} {BY_NAME[name].unit}"
        for name in (found.y, found.x)
    )
    return f"# {point.name}: {figures}; {found.days} days of {found.days_of}\n{toml_of(sets)}"


def show(found: Sweep, console: Console) -> None:
    """The front as a table, cheapest first, each against the default."""
    table = Table(
        title=f"What no other of {len(found.points)} sets beats; "
        f"{found.days} days of {found.days_of}",
        title_justify="left",
    )
    table.add_column("set")
    table.add_column("sets", no_wrap=True)
    for name in (found.y, found.x):
        metric = BY_NAME[name]
        table.add_column(f"{metric.label},\n{metric.unit}\n(against the default)", justify="right")
    default = next((one for one in found.points if one.name == DEFAULT), None)
    shown = found.front if default is None or default.is_on_front else [default, *found.front]
    for one in shown:
        table.add_row(*_row(one, found))
    console.print(table)
    for fault in found.faults[:5]:
        console.print(f"[red]A day contradicts itself, trust nothing:[/] {fault}")
    console.print(
        "The best of many looks better than it is: "
        "compare your choice with the default on days of another --seed."
    )


def _row(point: Point, found: Sweep) -> Sequence[str]:
    sets = "\n".join(f"{name} = {value}" for name, value in flat(point.sets)) or "-"
    cells = [point.name, sets]
    for name in (found.y, found.x):
        value = point.means[name]
        mean = "-" if value is None else f"{value:.3f}"
        cells.append("\n".join(one for one in (mean, _against(point, name)) if one))
    return cells


def _against(point: Point, name: str) -> str:
    found = point.against_default.get(name)
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return f"{found.mean:+.3f}"
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
