"""A day in virtual time: a city, its people and their moods from one seed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Final

from msgspec.structs import replace as changed
from rich.console import Console

from engine.kernel.timing import HOUR_MS, SECOND_MS, Instant
from simulations.atlas import CityData
from simulations.city import CITIES, City
from simulations.day import Day, DayCourier
from simulations.demand import mean_demand, pace_at
from simulations.people import Behaviour
from simulations.replay import Lived, live
from simulations.surprises import surprising
from simulations.zoning import zones_for

# Half past four in the afternoon of a Wednesday in Riyadh: the evening is ahead.
AFTERNOON: Final[Instant] = 1_767_792_600_000
_ORDERS_PER_COURIER_HOUR = 2.2
_ORDERS_PER_SHOP_HOUR = 8
_SHOPS_MIN = 160
_TICK_S = 30


class NoSuchTime(Exception):
    """A text that should be a date and time is not; the message says what it should be."""


class NoSuchCity(Exception):
    """The generator does not know this city; the message says which it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A day, how its roads bend, and the orders that nobody could have delivered."""

    day: Day
    pace: Callable[[Instant], float] = lambda _: 1.0
    undeliverable: frozenset[str] = frozenset()


def local_instant(text: str, city: str) -> Instant:
    """The instant of a date and time (ISO 8601) on the wall of a city.

    Raises NoSuchTime, NoSuchCity.
    """
    offset = timedelta(hours=_data(city).travel.utc_offset_h)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise NoSuchTime(f"{text!r} is not a date and time such as 2026-02-14T16:30") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone(offset))
    return int(at.timestamp() * SECOND_MS)


def run(
    source: Source,
    *,
    seed: int,
    behaviour: Behaviour,
    events: Path | None = None,
    report: Path | None = None,
) -> Lived:
    """Live a day in virtual time, print how it went and write the report into its folder.

    The same day, seed and behaviour write the same bytes to `events`.
    """
    console = Console()
    lived = live(
        surprising(source.day, behaviour, seed=seed, pace=source.pace),
        seed=seed,
        behaviour=behaviour,
        undeliverable=source.undeliverable,
        events=events,
        console=console,
    )
    console.print(lived.score.table())
    solver = lived.solver_s / max(lived.score.wall_s, 0.001)
    console.print(f"{lived.factor:.1f} x real time, {solver:.0%} of it in the solver")
    if report is not None:
        from simulations.report import write  # noqa: PLC0415 - drawing takes a second to import

        console.print(f"report: {write(report, lived, seed=seed)}")
    return lived


def a_day(
    *,
    seed: int,
    couriers: int = 60,
    hours: float = 4.0,
    city: str = "riyadh",
    orders_per_hour: float | None = None,
    starts_at: Instant = AFTERNOON,
    tick_s: int = _TICK_S,
    zones: int | None = None,
) -> Day:
    """A city's couriers and orders for so many hours; the couriers stay an hour longer.

    `orders_per_hour` is the mean over these hours. Raises NoSuchCity.
    """
    data, ends_at = _data(city), starts_at + int(hours * HOUR_MS)
    per_hour = orders_per_hour or couriers * _ORDERS_PER_COURIER_HOUR
    shops = max(_SHOPS_MIN, round(per_hour / _ORDERS_PER_SHOP_HOUR))
    town = City(seed, data, shops=shops)
    plans = town.zones(zones or zones_for(couriers))
    plans = tuple(replace(one, parameters=changed(one.parameters, tick_s=tick_s)) for one in plans)
    people = town.couriers(couriers, on_at=starts_at, spread_ms=HOUR_MS // 6)
    mean = mean_demand(data, starts_at, ends_at)
    orders = town.orders(starts_at, per_hour=per_hour / mean)
    parameters = plans[0].parameters
    return Day(
        name=f"{data.name_en}, generated from {seed}",
        starts_at=starts_at,
        zone=plans[0],
        more_zones=plans[1:],
        ways=town.ways,
        orders=tuple(takewhile(lambda one: one.placed_at < ends_at, orders)),
        couriers=tuple(_until(one, ends_at + HOUR_MS) for one in people),
        shop_service_ms=parameters.shop_service_s * SECOND_MS,
        door_service_ms=parameters.door_service_s * SECOND_MS,
        target_ms=parameters.promised_s * SECOND_MS,
    )


def pace_of(city: str) -> Callable[[Instant], float]:
    """How much faster a city's people drive at an instant than on a plain day."""
    return partial(pace_at, _data(city))


def _data(city: str) -> CityData:
    if city not in CITIES:
        raise NoSuchCity(f"there is no city {city!r}; the generator knows {', '.join(CITIES)}")
    return CITIES[city]


def _until(courier: DayCourier, off_at: Instant) -> DayCourier:
    return replace(courier, off_at=off_at)
