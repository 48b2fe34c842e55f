"""Couriers and where they were."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engine.couriers.courier import Courier
from engine.kernel.ids import CellId, CourierId
from engine.kernel.timing import Instant
from storage.database import Database
from storage.kinds import decode, known
from storage.queries import queries
from storage.store import TrailFix

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRAIL_COLUMNS: Final = ("courier_id", "at", "lat", "lng", "accuracy_m")


async def find(database: Database, courier_id: CourierId) -> Courier | None:
    state = await database.value(queries.find_courier, courier_id=known(courier_id))
    return None if state is None else decode(Courier, state)


async def cell_of(database: Database, courier_id: CourierId) -> CellId | None:
    cell: CellId | None = await database.value(
        queries.cell_of_courier, courier_id=known(courier_id)
    )
    return cell


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
