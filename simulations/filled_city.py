"""A throw-away PostgreSQL filled with the history of a city, open for being measured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from rich.progress import Progress, TaskID

from actors.clock import SystemClock
from engine.geo.cells import cell_at, disk
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import CreateZone, Zone, create
from engine.kernel.ids import UserId, ZoneId
from engine.kernel.place import Point
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from storage.database import Database
from storage.filled import City, fill, named
from storage.migrate import migrate
from storage.servers import embedded_servers
from storage.settings import DatabaseSettings

ZONES: Final = 20
_ZONE_KIND: Final = 0xABC


class FilledCity(NamedTuple):
    """The database, what it is asked about, and where it is told how far things are."""

    database: Database
    city: City
    progress: Progress


@asynccontextmanager
async def filled_city(*, orders: int) -> AsyncIterator[FilledCity]:
    """Fill one with so many orders; it is gone afterwards."""
    settings = DatabaseSettings(shared_buffers_mb=512)
    with embedded_servers(database=settings, throwaway=True) as servers:
        dsn = servers.postgres_dsn
        await migrate(dsn)
        patient = {"dsn": dsn, "statement_timeout_ms": 0, "command_timeout_s": 600}
        database = await Database.open(DatabaseSettings.model_validate(patient))
        try:
            with Progress(transient=True) as progress:
                city = await filled(database, orders=orders, progress=progress)
                yield FilledCity(database, city, progress)
        finally:
            await database.close()


async def filled(database: Database, *, orders: int, progress: Progress | None = None) -> City:
    """A city whose last order was placed now."""
    now = SystemClock().now()
    bars: dict[str, TaskID] = {}

    def tell(table: str, done: int, count: int) -> None:
        if progress is not None:
            bars.setdefault(table, progress.add_task(table, total=count))
            progress.update(bars[table], completed=done)

    return await fill(database, _zones(now), orders=orders, now=now, on_rows=tell)


def _zones(now: Instant) -> tuple[Zone, ...]:
    made = []
    for number in range(ZONES):
        anchor = cell_at(Point(lat=24.6 + number * 0.05, lng=46.7), 8)
        command = CreateZone(
            zone_id=ZoneId(named(_ZONE_KIND, number)),
            name_en=f"Zone {number}",
            name_ar=f"المنطقة {number}",
            anchor=anchor,
            cells=tuple(sorted(disk(anchor, 1))),
            parameters=ZoneParameters(),
            author=UserId(named(_ZONE_KIND, number)),
        )
        decision = create(command, now=now)
        assert not isinstance(decision, Refusal)
        (change,) = decision.changes
        made.append(change.thing)
    return tuple(made)
