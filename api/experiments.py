"""The commands that try parameters: `hadiyati compare` and `hadiyati tune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.understandable import Understandable

if TYPE_CHECKING:
    from simulations.trial_days import Source

Days = Annotated[int, typer.Option(min=1, max=1000, help="Days to live.")]
City = Annotated[str, typer.Option(help="Generated city.")]
Folders = Annotated[
    list[Path] | None,
    typer.Option("--folder", help="Recorded day instead of a city; may be given several times."),
]
Couriers = Annotated[int, typer.Option(min=1, max=20_000, help="Couriers of the city.")]
OrdersPerHour = Annotated[
    float | None,
    typer.Option(min=0.1, max=100_000, help="Orders in the busiest hour; else what fits."),
]
Hours = Annotated[float, typer.Option(min=0.1, max=48, help="Hours of orders in a day.")]
Seed = Annotated[int, typer.Option(help="Chance of days and people; both sets meet the same.")]
Metric = Annotated[str, typer.Option(help="A metric, as in the tables.")]
Workers = Annotated[
    int | None, typer.Option(min=1, max=256, help="Processes that live days; else all cores.")
]
Base = Annotated[
    Path | None, typer.Option(help="TOML file under the others; else the day's own parameters.")
]


def compare(
    a: Annotated[Path, typer.Argument(help="TOML file with the parameters that A sets.")],
    b: Annotated[Path, typer.Argument(help="TOML file with the parameters that B sets.")],
    *,
    days: Days = 5,
    city: City = "riyadh",
    folder: Folders = None,
    couriers: Couriers = 60,
    orders_per_hour: OrdersPerHour = None,
    hours: Hours = 4.0,
    seed: Seed = 1,
    metric: Metric = "lateness",
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="How sure it must be.")] = 0.95,
    base: Base = None,
    workers: Workers = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures into this file.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the differences into this file.")] = None,
) -> None:
    """Try two parameter sets on the same days and the same luck, and tell which is better."""
    from simulations.compare import run, sides
    from simulations.trials import cores

    _known_metrics(metric)
    with Understandable():
        side_a, side_b = sides(a, b, base)
        source = _source(
            city, folder, couriers=couriers, per_hour=orders_per_hour, hours=hours, seed=seed
        )
        found = run(
            side_a,
            side_b,
            source,
            days=days,
            leading=metric,
            level=level,
            workers=workers or cores(),
            json=json,
            png=png,
        )
    if not found.is_clean:
        raise typer.Exit(1)


def tune(
    *,
    parameter: Annotated[
        list[str],
        typer.Option(help="NAME=low..high, NAME=low..high:step or NAME=one,another; repeatable."),
    ],
    points: Annotated[
        int | None,
        typer.Option(min=2, max=5000, help="So many points spread evenly, instead of a grid."),
    ] = None,
    halving: Annotated[
        bool, typer.Option("--halving", help="Drop the worse half whenever the days double.")
    ] = False,
    days: Days = 5,
    city: City = "riyadh",
    folder: Folders = None,
    couriers: Couriers = 60,
    orders_per_hour: OrdersPerHour = None,
    hours: Hours = 4.0,
    seed: Seed = 1,
    x: Metric = "road",
    y: Metric = "lateness",
    base: Base = None,
    workers: Workers = None,
    out: Annotated[
        Path, typer.Option(help="Folder for all results; a sweep in it is taken up again.")
    ] = Path("sweep"),
) -> None:
    """Sweep over zone parameters on the same days and draw what no other set beats."""
    from simulations.parameter_files import read
    from simulations.sampling import read_range
    from simulations.trials import cores
    from simulations.tune import run, sets_of

    _known_metrics(x, y)
    with Understandable():
        sets = sets_of(
            [read_range(one) for one in parameter],
            read(base) if base is not None else {},
            points=points,
            seed=seed,
        )
        source = _source(
            city, folder, couriers=couriers, per_hour=orders_per_hour, hours=hours, seed=seed
        )
        found = run(
            sets,
            source,
            days=days,
            halving=halving,
            x=x,
            y=y,
            workers=workers or cores(),
            out=out,
        )
    if found.faults:
        raise typer.Exit(1)


def _source(
    city: str,
    folders: list[Path] | None,
    *,
    couriers: int,
    per_hour: float | None,
    hours: float,
    seed: int,
) -> "Source":
    from simulations import mdrp
    from simulations.trial_days import CityDays, CityName, FolderDays

    if folders:
        for one in folders:
            mdrp.read(one)
        return FolderDays(folders=tuple(folders), seed=seed)
    if city not in {*CityName}:
        raise typer.BadParameter(f"{city} is not known; there is {', '.join(CityName)}")
    return CityDays(
        city=CityName(city), couriers=couriers, orders_per_hour=per_hour, hours=hours, seed=seed
    )


def _known_metrics(*names: str) -> None:
    from simulations.metrics import BY_NAME

    for name in names:
        if name not in BY_NAME:
            raise typer.BadParameter(f"{name} is not known; there are {', '.join(BY_NAME)}")
