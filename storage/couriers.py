"""Couriers and where they were."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from engine.couriers.courier import Courier
from engine.kernel.ids import CellId, CourierId
from engine.kernel.timing import Instant
from storage.database import Database
from storage.gathering import Gathering
from storage.kinds import decode, known
from storage.queries import queries
from storage.store import TrailFix

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRAIL_COLUMNS: Final = ("courier_id", "at", "lat", "lng", "accuracy_m")


def gathering(database: Database) -> Gathering[Courier]:
    """Finds couriers."""
    return Gathering(database, queries.find_couriers, partial(decode, Courier))


def gathering_cells(database: Database) -> Gathering[CellId]:
    """Finds the cells that couriers live in."""
    return Gathering(database, queries.cells_of_couriers, CellId, column="cell")


async def save_trail(database: Database, fixes: Sequence[TrailFix]) -> None:
    if not fixes:
        return
    records = [
        (one.courier_id, _EPOCH + timedelta(milliseconds=one.at), one.lat, one.lng, one.accuracy_m)
        for one in fixes
    ]
    await database.copy("trail", _TRAIL_COLUMNS, records)


async def last_fixes(database: Database, cell: CellId) -> tuple[TrailFix, ...]:
    return tuple(map(_trail_fix, await database.rows(queries.last_fixes, cell=cell)))


async def list_trail(
    database: Database, courier_id: CourierId, *, since: Instant, until: Instant, limit: int
) -> tuple[TrailFix, ...]:
    rows = await database.rows(
        queries.list_trail, courier_id=known(courier_id), since=since, until=until, limit=limit
    )
    return tuple(map(_trail_fix, rows))


def _trail_fix(row: Mapping[str, Any]) -> TrailFix:
    return TrailFix(
        courier_id=CourierId(row["courier_id"]),
        at=row["at"],
        lat=row["lat"],
        lng=row["lng"],
        accuracy_m=row["accuracy_m"],
    )
