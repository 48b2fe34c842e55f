"""The long run, `make fuzz-api ARGS="--cases 100000"`; it ends with 1 if anything was found."""

from collections import Counter
from functools import partial
from http import HTTPStatus
from itertools import count
from time import perf_counter
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from actors.chance import SystemChance
from engine.kernel.messages import Role
from tests.fuzz.city import PEOPLE, City, a_city
from tests.fuzz.fuzzing import Effort, Found, fuzz

Cases = Annotated[int, typer.Option(min=100, help="Go on until so many requests were answered.")]
Minutes = Annotated[int, typer.Option(min=1, help="Or until so much time has passed.")]
Examples = Annotated[int, typer.Option(min=1, help="Cases for each operation in one round.")]
Seed = Annotated[int | None, typer.Option(help="That of a run that is to be repeated.")]


def main(
    cases: Cases = 20_000, minutes: Minutes = 120, examples: Examples = 40, seed: Seed = None
) -> None:
    """Send generated requests to a whole service until there were enough, and say what came."""
    seed = SystemChance().bits(32) if seed is None else seed
    console = Console()
    began = perf_counter()
    with a_city(lambda _: None) as city:
        console.print(f"seed {seed}; the service is at {city.url}")
        limit = Limit(cases=cases, until=began + 60 * minutes)
        found, by_role = _fuzzed(console, city, limit, examples=examples, seed=seed)
    _tell(console, found, by_role, took_s=perf_counter() - began)
    raise typer.Exit(1 if found.faults else 0)


class Limit(NamedTuple):
    """How many cases, and until when by `perf_counter`."""

    cases: int
    until: float


def _fuzzed(
    console: Console, city: City, limit: Limit, *, examples: int, seed: int
) -> tuple[Found, Counter[Role]]:
    """Round by round, everybody: what is his to ask, and what is not; and the cases of each."""
    found, by_role = Found(), Counter[Role]()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("", total=limit.cases)
        for number in count():
            for role in PEOPLE:
                for foreign in (False, True):
                    if found.cases.total() >= limit.cases or perf_counter() >= limit.until:
                        return found, by_role
                    progress.update(bar, description=f"round {number + 1}, {role}")
                    many = max(1, examples // 8) if foreign else examples
                    asked = fuzz(
                        city,
                        role,
                        Effort(examples=many, seed=seed + number),
                        foreign=foreign,
                        on_cases=partial(progress.advance, bar),
                    )
                    by_role[role] += asked.cases.total()
                    found += asked
    raise AssertionError("counting has no end")


def _tell(console: Console, found: Found, by_role: Counter[Role], *, took_s: float) -> None:
    by_status = Counter[int]()
    for (_, status), times in found.answers.items():
        by_status[status] += times
    table = Table("status", "answers")
    for status, times in sorted(by_status.items()):
        table.add_row(str(status), f"{times:,}")
    console.print(table)
    for (operation, status), times in sorted(found.answers.items()):
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            console.print(f"503: {operation}, {times} times", markup=False)
    phases = ", ".join(f"{times:,} {phase}" for phase, times in sorted(found.cases.items()))
    console.print(f"{found.cases.total():,} cases in {took_s:.0f} s: {phases}")
    console.print(", ".join(f"{times:,} as {role}" for role, times in by_role.items()))
    for name, how in sorted(found.faults.items()):
        console.print(f"\n{name}\n{how}", markup=False, highlight=False)
    console.print(f"{len(found.faults)} kinds of faults")


if __name__ == "__main__":
    typer.run(main)
