"""The commands that try parameters: `hadiyati compare` and `hadiyati tune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from simulations.sources import Asked
    from simulations.trial_days import Source

Days = Annotated[int, typer.Option(min=1, max=1000, help="Days to live.")]
City = Annotated[str, typer.Option(help="Generated city: riyadh or jeddah.")]
Folders = Annotated[
    list[Path] | None,
    typer.Option("--folder", help="Recorded day instead of a city; may be given several times."),
]
Tables = Annotated[
    list[Path] | None,
    typer.Option("--csv", help="Folder with orders.csv and couriers.csv; repeatable, too."),
]
Couriers = Annotated[int, typer.Option(min=1, max=50_000, help="Couriers of the city.")]
OrdersPerHour = Annotated[
    float | None,
    typer.Option(min=0.1, max=100_000, help="Orders an hour, in the mean; else 2.2 a courier."),
]
Zones = Annotated[
    int | None, typer.Option(min=1, max=36, help="Zones of the city; else by its couriers.")
]
Hours = Annotated[float, typer.Option(min=0.1, max=48, help="Hours of orders in a day.")]
Start = Annotated[str, typer.Option(help="Local date and time at which the city's days begin.")]
Calm = Annotated[
    bool, typer.Option("--calm", help="No surprises: roads, shops, phones and people obey.")
]
_START = "2026-01-07T16:30"
_TICK_S = 30
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
    csv: Tables = None,
    couriers: Couriers = 60,
    orders_per_hour: OrdersPerHour = None,
    zones: Zones = None,
    hours: Hours = 4.0,
    start: Start = _START,
    calm: Calm = False,
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
    from simulations.parallel import cores
    from simulations.sources import Asked

    _known_metrics(metric)
    with Understandable():
        side_a, side_b = sides(a, b, base)
        asked = Asked(city, couriers, orders_per_hour, hours, start, _TICK_S, zones)
        source = _source(asked, folder, csv, calm=calm, seed=seed)
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
    csv: Tables = None,
    couriers: Couriers = 60,
    orders_per_hour: OrdersPerHour = None,
    hours: Hours = 4.0,
    start: Start = _START,
    calm: Calm = False,
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
    from simulations.parallel import cores
    from simulations.parameter_files import read
    from simulations.sampling import read_range
    from simulations.sources import Asked
    from simulations.tune import run, sets_of

    _known_metrics(x, y)
    with Understandable():
        sets = sets_of(
            [read_range(one) for one in parameter],
            read(base) if base is not None else {},
            points=points,
            seed=seed,
        )
        asked = Asked(city, couriers, orders_per_hour, hours, start, _TICK_S, None)
        source = _source(asked, folder, csv, calm=calm, seed=seed)
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
    asked: "Asked",
    folders: list[Path] | None,
    tables: list[Path] | None,
    *,
    calm: bool,
    seed: int,
) -> "Source":
    """Where the days come from; the first one is made at once, so that what is wrong shows now."""
    from simulations.people import LIVELY, Behaviour
    from simulations.trial_days import CityDays, FolderDays, Format

    behaviour = Behaviour() if calm else LIVELY
    if folders and tables:
        raise typer.BadParameter("choose one of --folder and --csv")
    if not folders and not tables:
        return CityDays(asked=asked, seed=seed, behaviour=behaviour)
    found = FolderDays(
        folders=tuple(folders or tables or ()),
        format=Format.MDRP if folders else Format.CSV,
        seed=seed,
        behaviour=behaviour,
    )
    for number in range(len(found.folders)):
        found.to_live(number)
    return found


def _known_metrics(*names: str) -> None:
    from simulations.metrics import BY_NAME

    for name in names:
        if name not in BY_NAME:
            raise typer.BadParameter(f"{name} is not known; there are {', '.join(BY_NAME)}")
