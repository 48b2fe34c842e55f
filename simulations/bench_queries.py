"""How long the hot queries take in a database filled with a city's history, and by which index."""

import asyncio
from typing import Final

from msgspec.structs import replace
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

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
from storage.hot_queries import hot_queries
from storage.migrate import migrate
from storage.plans import PlanFound, explain
from storage.servers import embedded_servers
from storage.settings import DatabaseSettings

ZONES: Final = 20
_ZONE_KIND: Final = 0xABC


def run(*, orders: int, runs: int) -> list[PlanFound]:
    """Fill a throw-away PostgreSQL, explain every hot query, and print the table."""
    settings = DatabaseSettings(shared_buffers_mb=512)
    with embedded_servers(database=settings, throwaway=True) as servers:
        found = asyncio.run(_measure(servers.postgres_dsn, orders=orders, runs=runs))
    table = Table("query", "ms", "rows", "pages", "scans")
    for one in found:
        told = ", ".join(dict.fromkeys(one.scans))
        table.add_row(one.name, f"{one.ms:.2f}", f"{one.rows:.0f}", f"{one.pages:,}", told)
    Console().print(table)
    return found


async def _measure(dsn: str, *, orders: int, runs: int) -> list[PlanFound]:
    await migrate(dsn)
    settings = {"dsn": dsn, "statement_timeout_ms": 0, "command_timeout_s": 600}
    database = await Database.open(DatabaseSettings.model_validate(settings))
    try:
        with Progress(transient=True) as progress:
            city = await filled(database, orders=orders, progress=progress)
            bar = progress.add_task("explaining", total=len(hot_queries(city)))
            found = []
            for name, (query, values) in hot_queries(city).items():
                plan = await explain(database, query, values, runs=runs)
                found.append(replace(plan, name=name))
                progress.advance(bar)
            return found
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
