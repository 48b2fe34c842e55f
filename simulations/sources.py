"""Where a simulated day comes from: a city, a recorded day, tables, or what has happened."""

from pathlib import Path
from typing import NamedTuple

from actors.clock import SystemClock
from engine.kernel.timing import HOUR_MS
from simulations import mdrp, recent, tables
from simulations.replay import VIRTUAL_START
from simulations.simulate import Source, a_day, local_instant, pace_of
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings


class Asked(NamedTuple):
    """What is asked of a generated city; `start` is a date and time on its wall."""

    city: str
    couriers: int
    orders_per_hour: float | None
    hours: float
    start: str
    tick_s: int
    zones: int | None


def generated(asked: Asked, *, seed: int) -> Source:
    """A city from a seed; raises simulate.NoSuchCity, simulate.NoSuchTime."""
    day = a_day(
        seed=seed,
        city=asked.city,
        starts_at=local_instant(asked.start, asked.city),
        couriers=asked.couriers,
        orders_per_hour=asked.orders_per_hour,
        hours=asked.hours,
        tick_s=asked.tick_s,
        zones=asked.zones,
    )
    return Source(day=day, pace=pace_of(asked.city))


def recorded(folder: Path) -> Source:
    """A recorded day; raises mdrp.BadInstance."""
    instance = mdrp.read(folder)
    return Source(
        day=mdrp.day(instance, starts_at=VIRTUAL_START), undeliverable=instance.undeliverable()
    )


def tabled(folder: Path) -> Source:
    """A day from CSV files; raises tables.BadTable."""
    return Source(day=tables.read(folder))


async def lived(settings: DatabaseSettings, *, hours: float) -> Source:
    """The last hours of the running system; raises StoreUnavailable, recent.NothingHappened."""
    store = await PostgresStore.open(settings)
    now = SystemClock().now()
    try:
        return Source(day=await recent.read(store, since=now - int(hours * HOUR_MS), until=now))
    finally:
        await store.close()
