"""A generated day in virtual time: a city, its people and their moods from one seed."""

from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from msgspec.structs import replace as changed
from rich.console import Console

from engine.kernel.timing import HOUR_MS, SECOND_MS, Instant
from simulations.city import City
from simulations.day import Day, DayCourier
from simulations.people import Behaviour
from simulations.replay import live_virtually
from simulations.score import Score

# Half past four in the afternoon of a Wednesday in Riyadh: the evening is ahead.
AFTERNOON: Instant = 1_767_792_600_000
_ORDERS_PER_COURIER_HOUR = 2.2
_TICK_S = 30
MOODS = Behaviour(
    decline=0.03, ignore=0.01, nobody_home=0.01, think_s=(2.0, 20.0), position_every_ms=60_000
)


def run(*, seed: int, couriers: int, hours: float, events: Path | None = None) -> Score:
    """Live some hours of a generated Riyadh in virtual time and print how they went.

    The same arguments write the same bytes to `events`.
    """
    found = live_virtually(
        a_day(seed=seed, couriers=couriers, hours=hours), seed=seed, behaviour=MOODS, events=events
    )
    Console().print(found.table())
    return found


def a_day(*, seed: int, couriers: int, hours: float, orders_per_hour: float | None = None) -> Day:
    """The city's couriers and orders for so many hours; the couriers stay an hour longer.

    `orders_per_hour` is meant in the busiest hour; None: as many as these couriers can carry.
    """
    city, ends_at = City(seed), AFTERNOON + int(hours * HOUR_MS)
    plan = city.zone()
    parameters = changed(plan.parameters, tick_s=_TICK_S)
    people = city.couriers(couriers, on_at=AFTERNOON, spread_ms=HOUR_MS // 6)
    orders = city.orders(AFTERNOON, per_hour=orders_per_hour or couriers * _ORDERS_PER_COURIER_HOUR)
    return Day(
        name=f"Riyadh, generated from {seed}",
        starts_at=AFTERNOON,
        zone=replace(plan, parameters=parameters),
        ways=city.ways,
        orders=tuple(takewhile(lambda one: one.placed_at < ends_at, orders)),
        couriers=tuple(_until(one, ends_at + HOUR_MS) for one in people),
        shop_service_ms=parameters.shop_service_s * SECOND_MS,
        door_service_ms=parameters.door_service_s * SECOND_MS,
        target_ms=parameters.promised_s * SECOND_MS,
    )


def _until(courier: DayCourier, off_at: Instant) -> DayCourier:
    return replace(courier, off_at=off_at)
